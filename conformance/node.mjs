// Every case of every port of the node, on every adapter: the same list that the package's tests run, on the built code.
// Adapters that talk to hardware talk to fakes of it here, and their names say so. And every case of both ends of the protocols
// between nodes: what they must take, and what they must not. With `--tested`, after `npm test`, which runs all of them on the sources,
// only the first case of each adapter and of each kind at each end.
import { existsSync } from 'node:fs'

const suiteOf = (name) => new URL(`../packages/enclave-node/dist/testing/${name}-suites.js`, import.meta.url)

/** @param {{ print: (line: string) => void, tested: boolean }} options */
export async function run({ print, tested }) {
  for (const name of ['port', 'protocol'])
    if (!existsSync(suiteOf(name))) throw new Error('build the node first: npm run build -- enclave-node')
  const { portCases } = await import(suiteOf('port').href)
  const { protocolCases } = await import(suiteOf('protocol').href)
  const protocols = await protocolCases()
  const cases = [
    ...portCases().map((one) => ({ ...one, key: `${one.port}: ${one.adapter}` })),
    ...protocols.cases.map((one) => ({ ...one, key: `${one.protocol}: ${one.end}: ${one.kind}` })),
  ]
  const adapters = new Map()
  for (const { key, title, run: check, missing } of cases) {
    if (tested && adapters.has(key)) continue
    const counts = adapters.get(key) ?? { agree: 0, differ: 0, missing: undefined }
    adapters.set(key, counts)
    if (check === null) {
      counts.missing = missing
      continue
    }
    try {
      await check()
      counts.agree += 1
    } catch (error) {
      counts.differ += 1
      print(`differs: ${key}: ${title}: ${error instanceof Error ? error.message : error}`)
    }
  }
  await protocols.close()
  let agree = 0
  let differ = 0
  for (const [key, counts] of adapters) {
    print(
      counts.missing === undefined
        ? `${key}: ${counts.agree} agree, ${counts.differ} differ`
        : `${key}: not run here: ${counts.missing}`,
    )
    agree += counts.agree
    differ += counts.differ
  }
  return { agree, differ }
}
