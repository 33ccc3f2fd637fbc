import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { receiptBodySchema } from '@sealpool/attest'
import { openResult, parseOwnLocation } from '@sealpool/client'
import {
  canonicalBytes,
  decodeBase64Url,
  deriveKeyPair,
  type JsonObject,
  platformRandom,
  type SignedStatement,
} from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, until } from '../testing/ask.js'
import {
  closedMemory,
  type MemoryFind,
  type MemoryScan,
  memoryScan,
  scanFolder,
} from '../testing/memory-scan.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { type SealedFileSecrets, secretsOfFile } from '../testing/sealed-file-secrets.js'
import { type Sought, soughtKey, soughtScalar, soughtText } from '../testing/secret-forms.js'
import { startWatchedNode, unmasked, type WatchedNode } from '../testing/watched-node.js'
import { worldManifest } from '../testing/world-jobs.js'

/*
 * What is left in the memory of a node and its children after a contribution and after a job over a live pool: keys, plaintexts, rows and the
 * answer are known to the test and looked for in every form. Each is first found while it must be there, so that a blind scan fails.
 */

/**
 * What may remain in the node's own process: texts that JavaScript has made of contributions, rows and answers, which no program can
 * overwrite. By kind, the most places of all contributions together: as the node is left, and after it has collected its garbage. Whatever
 * is not named here must be nowhere.
 */
const mayRemain: Readonly<Record<string, { readonly left: number; readonly collected: number }>> = {
  'a field that no table takes': { left: 60, collected: 15 },
  'a value of a row': { left: 200, collected: 30 },
  'a value that only one contributor has': { left: 200, collected: 30 },
  'a value that the answer tells': { left: 200, collected: 30 },
  // The engine may move a key that is being derived, and leave the place where it was.
  'header key of a contribution': { left: 2, collected: 0 },
  'commitment salt of a contribution': { left: 2, collected: 0 },
  'header key of the result': { left: 2, collected: 0 },
  'commitment salt of the result': { left: 2, collected: 0 },
  // The platform made it, and overwrites it when it collects it.
  'private key of a wrap': { left: 6, collected: 0 },
}

const program = fileURLToPath(new URL('../../dist/cli/sealpool-node.js', import.meta.url))
const owners = [0, 1, 2, 3, 4, 5]
const files = new Map<string, Uint8Array>()
const server = createServer((request, response) => {
  const file = files.get(request.url?.split('/').at(-1) ?? '')
  if (file === undefined) response.writeHead(404).end()
  else response.end(file)
})
const consumer = deriveKeyPair(platformRandom(32))
const random = (name: string) => `${name}-${Buffer.from(platformRandom(15)).toString('hex')}`
const shared = random('harbour')
const places = owners.map(() => random('orchard'))
const remarks = owners.map(() => random('whisper'))
const extras = owners.map(() => random('unmapped'))

let world: PoolWorld
let node: WatchedNode
const sealed: SealedFileSecrets[] = []

const exportOf = (worker: number): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({
      account: world.workers[worker]?.address.toLowerCase(),
      extra: extras[worker],
      visits: [
        { place: shared, remark: remarks[worker] },
        { place: places[worker], remark: remarks[worker] },
      ],
    }),
  )

/** Whether memory can be looked through; where everything is checked it must not go unnoticed that it cannot. */
function isReadable(): boolean {
  const why = closedMemory(process.pid)
  if (why === undefined) return true
  if (process.env['CI'] !== undefined) throw new Error(why)
  console.warn(`not tested: ${why}`)
  return false
}

/** What was found, in places by kind and program. */
function counted(finds: readonly MemoryFind[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { what, process: name, place, count } of finds) {
    const key = place === 'memory' ? `${what} in ${name}` : `${what} in ${name}, ${place}`
    counts[key] = (counts[key] ?? 0) + count
  }
  return counts
}

/** What was found beyond what may remain. */
function beyond(finds: readonly MemoryFind[], when: 'left' | 'collected'): string[] {
  return Object.entries(counted(finds)).flatMap(([kind, count]) => {
    const [, what = '', place] = /^(.*) in (.*)$/.exec(kind) ?? []
    const most = place === 'cli/sealpool-node.js' ? (mayRemain[what]?.[when] ?? 0) : 0
    return count > most ? [`${count} of ${kind}, at most ${most} may remain`] : []
  })
}

beforeAll(async () => {
  if (!existsSync(program)) throw new Error('build the package first: npm run build -- enclave-node')
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  world = await poolWorld({ workers: owners.length, notes: true })
  const config = JSON.parse(await readFile(world.config, 'utf8')) as JsonObject
  const pool = {
    address: world.notes?.pool,
    policy: 'notes-policy.json',
    poc: 'notes-poc.json',
    refiner: 'notes-refiner.json',
    keep: 'live',
  }
  // What is freed is overwritten by what comes next: the bounds were measured on a node that looks at the chain this often.
  const chain = { ...(config['chain'] as JsonObject), pollMs: 50 }
  await writeFile(
    world.config,
    JSON.stringify({
      ...config,
      chain,
      pools: [pool],
      ownCopies: { privateNetworks: true, patienceSeconds: 30 },
    }),
  )
  node = await startWatchedNode({
    program,
    config: world.config,
    transactionKey: world.transactionKey,
    holds: join(world.folder, 'holds.json'),
  })
  await world.register(node.url)
  await until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
}, 180_000)
afterAll(async () => {
  await node?.kill()
  await world?.close()
  server.closeAllConnections()
  server.close()
})

const words = (): Sought[] => [
  soughtText('a value that the answer tells', shared),
  ...places.map((text) => soughtText('a value that only one contributor has', text)),
  ...remarks.map((text) => soughtText('a value of a row', text)),
  ...extras.map((text) => soughtText('a field that no table takes', text)),
]
const keysOf = (name: string, { file, payload, header, commitment, wraps }: SealedFileSecrets): Sought[] => [
  soughtKey(`file key of ${name}`, file),
  soughtKey(`payload key of ${name}`, payload),
  soughtKey(`header key of ${name}`, header),
  soughtKey(`commitment salt of ${name}`, commitment),
  ...wraps(node.lines).map((key) => soughtKey(`key of a wrap of ${name}`, key)),
]
const notesPool = () => {
  if (world.notes === undefined) throw new Error('there is a pool of words')
  return world.notes
}
/**
 * Looks once the worker of proofs and refiners was exchanged, which it is when it had nothing to do for a while.
 * @returns what was found, also where it is never exchanged
 */
async function atRest(scan: ReturnType<typeof memoryScan>): Promise<MemoryScan> {
  for (let looks = 1; ; looks++) {
    await sleep(3_000)
    const seen = await scan(node.pid)
    if (looks === 5 || seen.finds.every(({ pid }) => pid === node.pid)) return seen
  }
}

describe.runIf(isReadable())('the memory of a node', { timeout: 400_000 }, () => {
  it('has no key of a contribution once it is ingested, and its plaintext as texts of the language alone', async () => {
    const notes = notesPool()
    const ownStore = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mine`
    await world.contribute(
      node.url,
      owners.map((worker) => ({ pool: notes, worker, bytes: exportOf(worker), ownStore })),
      async (locator, worker) => {
        const own = parseOwnLocation(locator)
        if (own === undefined) throw new Error('they lie in a store of their own')
        const blob = await world.blobs.get(own.digest)
        files.set(own.digest.slice(7), blob)
        await world.blobs.remove(own.digest)
        const { privateKey } = deriveKeyPair(new Uint8Array(32).fill(worker + 1))
        sealed[worker] = await secretsOfFile(blob, { type: 'wallet', privateKey })
        if (worker === 0) await node.holdAt({ keys: [sealed[worker].payload] })
      },
    )
    // While it opens the first one: the scan sees what is there.
    await node.held()
    const opening = sealed.flatMap((one) => keysOf('a contribution', one))
    expect(counted((await memoryScan(opening)(node.pid)).finds)).toHaveProperty([
      'payload key of a contribution in cli/sealpool-node.js',
    ])
    await node.holdAt({})
    node.release()
    await until('refined', async () => {
      const { states } = (await ask(`${node.url}/v1/contributions`)) as { states: Record<string, number> }
      return states['refined'] === owners.length
    })
    const keys = sealed.flatMap((one) => keysOf('a contribution', one))
    expect(keys.filter(({ what }) => what.startsWith('key of a wrap')).length).toBeGreaterThanOrEqual(
      owners.length,
    )
    const scan = memoryScan([...words(), ...keys])
    const left = await atRest(scan)
    expect(beyond(left.finds, 'left')).toEqual([])
    await node.collect()
    const collected = await scan(node.pid)
    console.info('after ingest', counted(left.finds), 'collected', counted(collected.finds))
    expect(beyond(collected.finds, 'collected')).toEqual([])
  })

  it('has no key that a receipt calls destroyed, and rows and answer as texts of the language alone', async () => {
    const notes = notesPool()
    const begun = node.lines.length
    await node.holdAt({ killing: ['duckdb'] })
    const id = await world.propose(
      worldManifest(world, consumer.publicKey, {
        salt: 'memory-canaries-0123456789',
        pools: [{ address: notes.pool, name: 'notes' }],
        query: { sql: 'SELECT place, count(*) AS visits FROM notes.visits GROUP BY place' },
        privacy: { epsilon: 40, delta: 1e-7 },
      }),
      [notes],
    )
    await world.approve(id, [notes])
    await world.pay(id)
    // The engine has answered, and is about to be ended.
    await node.held()
    const drawn = node.lines
      .slice(begun)
      .flatMap(({ drawn: text }) => (text === undefined ? [] : [unmasked(text)]))
    const during = (
      await memoryScan([...words(), ...drawn.map((key, index) => soughtKey(`drawn ${index}`, key))])(node.pid)
    ).finds
    const inEngine = counted(during.filter(({ process: name }) => name === 'duckdb/worker.js'))
    expect(inEngine).toHaveProperty(['a value that only one contributor has in duckdb/worker.js'])
    expect(counted(during)).toHaveProperty(['a value that the answer tells in cli/sealpool-node.js'])
    await node.holdAt({})
    node.release()
    await until('settled', async () => (await world.jobState(id)) === 'Settled')
    await until(
      'the node knows',
      async () => ((await ask(`${node.url}/v1/jobs/${id}`)) as { state: string }).state === 'settled',
    )
    const { receipt } = (await ask(`${node.url}/v1/jobs/${id}/receipt`)) as { receipt: SignedStatement }
    const { destroyedKeys = [] } = receiptBodySchema.parse(receipt.statement.body)
    expect(destroyedKeys.map(({ use }) => use)).toEqual(['live-tables', 'result'])
    const data = canonicalBytes({ job: String(id), use: 'live-tables' })
    const named = drawn.findIndex(
      (key) =>
        destroyedKeys[0]?.id === `sha256:${keyedFingerprint({ key, domain: 'sealpool/job-key/1', data })}`,
    )
    const jobKey = drawn[named]
    if (jobKey === undefined) throw new Error('the key of the receipt is none of those that were drawn')
    // It was there, in the node and in the engine, while the job ran.
    expect(counted(during)).toHaveProperty([`drawn ${named} in cli/sealpool-node.js`])
    expect(inEngine).toHaveProperty([`drawn ${named} in duckdb/worker.js`])

    const { sealed: text } = (await ask(`${node.url}/v1/jobs/${id}/result`)) as { sealed: string }
    const blob = decodeBase64Url(text)
    const opened = await openResult({ sealed: blob, privateKey: consumer.privateKey })
    expect(JSON.stringify(opened.value)).toContain(shared)
    const result = await secretsOfFile(blob, { type: 'hpke', privateKey: consumer.privateKey })
    const ephemeral = node.lines.flatMap(({ generated }) =>
      generated === undefined ? [] : [unmasked(generated)],
    )
    expect(ephemeral).not.toEqual([])
    const sought = [
      ...words(),
      ...keysOf('a contribution', sealed[0] ?? result),
      ...keysOf('the result', result),
      soughtKey('key of the job', jobKey),
      ...ephemeral.map((key) => soughtScalar('private key of a wrap', key)),
    ]
    expect(sought.map(({ what }) => what)).toContain('key of a wrap of the result')
    const scan = memoryScan(sought)
    const left = await atRest(scan)
    expect(left.processes.filter((name) => name.includes('duckdb'))).toEqual([])
    expect(beyond(left.finds, 'left')).toEqual([])
    await node.collect()
    const collected = await scan(node.pid)
    console.info('after the job', counted(left.finds), 'collected', counted(collected.finds))
    expect(beyond(collected.finds, 'collected')).toEqual([])
    // Nothing of all that lies in the node's folder, where a core file would fall as well.
    expect(scanFolder(sought, world.data)).toEqual([])
  })
})
