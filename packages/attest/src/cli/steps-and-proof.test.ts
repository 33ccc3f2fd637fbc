import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { at, bundleFiles, deployment, trust } from '../testing/fixture.js'
import { runVerifyCli } from './run.js'

let folder = ''
const file = (name: string) => join(folder, name)
const options = () => ['--deployment', file('deployment.json'), '--policy', file('trust.json')]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-verify-'))
  for (const [name, bytes] of Object.entries(bundleFiles())) await writeFile(file(name), bytes)
  const { chainId, registry: nodeRegistry } = deployment
  await writeFile(file('deployment.json'), JSON.stringify({ chainId, nodeRegistry }))
  await writeFile(file('trust.json'), JSON.stringify(trust))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function run(...args: string[]) {
  let out = ''
  const write = (text: string) => {
    out += text
  }
  return { code: await runVerifyCli(args, { write, writeError: write, colours: false, now: () => at }), out }
}

it('steps: six of them, of which the last asks for the other party’s receipt', async () => {
  const open = await run('steps', folder, ...options())
  expect(open.code).toBe(2)
  expect(open.out.match(/^ {2}[✓✗?] /gm)).toEqual(['  ✓ ', '  ✓ ', '  ✓ ', '  ✓ ', '  ✓ ', '  ? '])
  const whole = await run('steps', folder, ...options(), '--partner', file('receipt.json'))
  expect([whole.code, whole.out.match(/✓/g)?.length]).toEqual([0, 6])
  expect(whole.out).toMatch(/Before the computation[\s\S]*After the computation[\s\S]*SIMULATED/)
  const other = await run('steps', folder, ...options(), '--partner', file('trust.json'), '--json')
  expect(other.code).toBe(1)
  expect(JSON.parse(other.out)).toMatchObject({ ok: false, simulated: true })
  expect((await run('steps', folder, ...options(), '--partner', file('none.json'))).code).toBe(2)
  expect((await run('steps', folder)).code).toBe(1)
})

it('proof: short JSON of a receipt that verifies, and none of one that does not', async () => {
  const good = await run('proof', folder, ...options())
  expect(good.code).toBe(0)
  expect(Object.keys(JSON.parse(good.out))).toEqual([
    'computation_hash',
    'timestamp',
    'tee_attestation',
    'datasets',
    'simulated',
  ])
  const bad = await run('proof', folder)
  expect([bad.code, bad.out.includes('NOT OK'), bad.out.includes('computation_hash')]).toEqual([
    1,
    true,
    false,
  ])
  await writeFile(file('plan.json'), '{ "steps": [] }')
  const spoilt = await run('proof', folder, ...options(), '--json')
  expect([spoilt.code, JSON.parse(spoilt.out).ok]).toEqual([1, false])
})
