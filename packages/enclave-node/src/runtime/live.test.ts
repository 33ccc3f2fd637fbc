import { readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Deletion, receiptBodySchema, verifyReceipt } from '@sealpool/attest'
import { createPoolClient, memoryBlobStore, parseOwnLocation } from '@sealpool/client'
import { type Digest, deriveKeyPair, digestOf, type JsonObject, type SignedStatement } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../cli/load-config.js'
import { parseNodeConfig } from '../config/node-config.js'
import type { Keep } from '../config/own-copies-settings.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { worldJobs } from '../testing/world-jobs.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

/* One pool on one chain: kept, live, kept again. Its contributors keep their sealed files on a server of their own; the other pool of the node
 * keeps its copies all the time. */

const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })
const owners = [0, 1, 2, 3, 4, 5]
const files = new Map<string, Uint8Array>()
const offline = new Set<string>()
const server = createServer((request, response) => {
  const name = request.url?.split('/').at(-1) ?? ''
  const file = offline.has(name) ? undefined : files.get(name)
  if (file === undefined) response.writeHead(404).end()
  else response.end(file)
})
let world: PoolWorld
let jobs: ReturnType<typeof worldJobs>
let node: RunningNode
let ownStore: string
/** Of each worker, in their order. */
const blobs: Digest[] = []

/** Starts the node with what it keeps of the pool, and registers it with these settings. */
async function serve(keep: Keep): Promise<void> {
  await node?.stop()
  const { config, secrets } = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
  const pools = config.pools.map((pool) =>
    pool.address === world.pools.pay.pool.toLowerCase() ? { ...pool, keep } : pool,
  )
  const ownCopies = { privateNetworks: true, patienceSeconds: 5 }
  node = await startNode(parseNodeConfig({ ...config, pools, ownCopies }), secrets, { log })
  await world.register(node.url)
  await until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
}
const refined = (count: number): Promise<void> =>
  until(`${count} refined`, async () => {
    const counts = await ask(`${node.url}/v1/contributions?pool=${world.pools.pay.pool}`)
    return (counts as { states: Record<string, number> }).states['refined'] === count
  })
const isThere = (digest: Digest) =>
  world.blobs.get(digest).then(
    () => true,
    () => false,
  )
const copies = async () => (await Promise.all(blobs.map(isThere))).filter((there) => there).length
const tables = () => readdir(join(world.data, 'tables', world.pools.pay.pool.toLowerCase())).catch(() => [])
async function answered(): Promise<{ readonly id: bigint; readonly value: unknown }> {
  const id = await jobs.paid(jobs.manifest())
  await until(`job ${id} settled`, async () => (await jobs.job(node.url, id)).state === 'settled')
  return { id, value: (await jobs.result(node.url, id))?.value }
}
async function receiptOf(id: bigint) {
  const bundle = (await ask(`${node.url}/v1/jobs/${id}/receipt`)) as Record<string, never>
  const verdict = verifyReceipt({
    receipt: bundle['receipt'],
    evidence: bundle['evidence'],
    policies: Object.values(bundle['policies'] ?? {}),
    manifest: bundle['manifest'] ?? null,
    plan: bundle['plan'] ?? null,
    verdicts: bundle['verdicts'] ?? {},
    deployment: { chainId: world.deployment.chainId, registry: world.deployment.nodeRegistry },
    trust: world.attestation,
    at: new Date(),
  })
  expect(verdict.checks.filter(({ result }) => result === 'fail')).toEqual([])
  return receiptBodySchema.parse((bundle['receipt'] as unknown as SignedStatement).statement.body)
}

beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  ownStore = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mine`
  world = await poolWorld({ workers: 6 })
  jobs = worldJobs(world)
  await serve('escrow')
  const { pay, people } = world.pools
  await world.contribute(
    node.url,
    [
      ...owners.map((worker) => ({ pool: pay, worker, bytes: world.payExport(worker), ownStore })),
      ...owners.slice(0, 2).map((worker) => ({ pool: people, worker, bytes: world.peopleExport(worker) })),
    ],
    async (locator, worker) => {
      const own = parseOwnLocation(locator)
      if (own === undefined) return
      files.set(own.digest.slice(7), await world.blobs.get(own.digest))
      blobs[worker] = own.digest
      await world.blobs.remove(own.digest)
    },
  )
  await refined(6)
}, 180_000)
afterAll(async () => {
  await node?.stop()
  await world?.close()
  server.closeAllConnections()
  server.close()
})

describe('a pool whose contributors keep their files themselves', { timeout: 180_000 }, () => {
  let kept: unknown

  it('keeps copies and rows of what their stores gave, while it is in escrow', async () => {
    expect([await copies(), (await tables()).length]).toEqual([6, expect.any(Number)])
    expect((await tables()).length).toBeGreaterThan(0)
    const { id, value } = await answered()
    kept = value
    expect((await receiptOf(id)).pools[0]).not.toHaveProperty('live')
  })

  it('goes live: nothing of them stays, and the same query has the same answer', async () => {
    await serve('live')
    await until('the copies are gone', async () => (await copies()) === 0 && (await tables()).length === 0)
    await refined(6)
    await until('the deletions are told', async () => {
      const { lists } = (await ask(`${node.url}/v1/deletions`)) as { lists: SignedStatement[] }
      const told = lists.flatMap(({ statement }) => statement.body['entries'] as unknown as Deletion[])
      return told.filter(({ kind, reason }) => kind === 'copy' && reason === 'live').length === 6
    })
    const { id, value } = await answered()
    expect(value).toEqual(kept)
    expect((await receiptOf(id)).pools[0]).toMatchObject({ inputs: { count: 6 }, live: { leftOut: 0 } })
    expect(await readdir(join(world.data, 'live-tables', world.pools.pay.pool.toLowerCase()))).toEqual([])
    const { entries } = (await ask(`${node.url}/v1/catalogue?own=true`)) as { entries: SignedStatement[] }
    const told = entries.map(({ statement }) => [statement.body['name'], statement.body['keep']])
    expect(told.toSorted()).toEqual([
      ['pay', 'live'],
      ['people', undefined],
    ])
  })

  it('leaves out who is not there, and tells him alone', async () => {
    offline.add(blobs[0]?.slice(7) ?? '')
    const { id } = await answered()
    expect((await receiptOf(id)).pools[0]).toMatchObject({ inputs: { count: 5 }, live: { leftOut: 1 } })
    const client = createPoolClient({
      chain: world.client,
      deployment: world.deployment,
      pool: world.pools.pay.pool,
      policy: world.pools.pay.policy as JsonObject,
      nodeUrl: node.url,
      blobStore: memoryBlobStore(),
      // This chain mines only what somebody sends: no block follows the job's last one.
      finality: { confirmations: 0 },
    })
    const [away, there] = world.workers
    if (away === undefined || there === undefined) throw new Error('there are workers')
    expect((await client.whoUsedMyData({ owner: away.address })).at(-1)).toMatchObject({
      jobId: id,
      used: 'no',
      leftOut: 1,
    })
    expect((await client.whoUsedMyData({ owner: there.address })).at(-1)).toMatchObject({
      jobId: id,
      used: 'yes',
    })
    const ready = await client.ready()
    expect(ready.checks.find((check) => check.id === 'live')?.result).toBe('pass')
    const input = {
      bytes: world.payExport(5),
      mediaType: 'application/json',
      schemaId: digestOf('schema'),
      consentDigest: digestOf('consent'),
      walletPublicKey: deriveKeyPair(new Uint8Array(32).fill(9)).publicKey,
    }
    await expect(client.contribute(there, input)).rejects.toMatchObject({ code: 'OWN_STORE_REQUIRED' })
    const [refused] = await world.contribute(node.url, [
      { pool: world.pools.pay, worker: 5, bytes: world.payExport(5, 30) },
    ])
    await until('refused', async () => {
      const told = (await ask(`${node.url}/v1/contributions/${refused}`)) as { state: string; reason: string }
      return told.state === 'refused' && told.reason === 'OWN_STORE_REQUIRED'
    })
  })

  it('keeps again what is there, and answers without their stores', async () => {
    offline.clear()
    await serve('escrow')
    await until('the copies are there', async () => (await copies()) === 6)
    await refined(6)
    for (const name of files.keys()) offline.add(name)
    const { id, value } = await answered()
    expect(value).toEqual(kept)
    expect((await receiptOf(id)).pools[0]).not.toHaveProperty('live')
  })
})
