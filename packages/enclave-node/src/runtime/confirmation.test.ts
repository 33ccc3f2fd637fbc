import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type ReceiptBody, receiptBodySchema } from '@sealpool/attest'
import { requeueJob } from '@sealpool/contracts'
import { deriveKeyPair, digestOf, platformRandom } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../cli/load-config.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { worldManifest } from '../testing/world-jobs.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

const confirmations = 60
const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })
const keys = deriveKeyPair(platformRandom(32))
let world: PoolWorld
let node: RunningNode
/** Digest in hex of the blob that is held back, until it is let go. */
let held: string | undefined
let letGo: () => void = () => undefined
const gate = new Promise<void>((resolve) => {
  letGo = resolve
})

/** Serves the world's blobs, and holds back the first answer for one of them. */
const blobs = createServer(async (request, response) => {
  const hex = (request.url ?? '').slice(1)
  if (hex === held) {
    held = undefined
    await gate
  }
  try {
    response.end(await readFile(join(world.folder, 'blobs', hex.slice(0, 2), hex)))
  } catch {
    response.statusCode = 404
    response.end()
  }
})

const rpc = async (method: string, params: unknown[] = []): Promise<string> => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  return ((await ask(world.devnet.rpcUrl, init)) as { result: string }).result
}
const mine = (blocks: number) => rpc('anvil_mine', [`0x${blocks.toString(16)}`])
const job = async (id: bigint, path = '', init?: RequestInit) =>
  (await ask(`${node.url}/v1/jobs/${id}${path}`, init)) as {
    state: string
    reason: string | null
    receipt: { statement: { body: ReceiptBody } }
    sealed?: string
  }
const run = (id: bigint) => job(id, '/run', { method: 'POST' })
/** Waits while blocks are mined, one every round. */
const untilMined = (what: string, holds: () => Promise<boolean>) =>
  until(what, async () => {
    await mine(5)
    return holds()
  })
const manifest = (salt: string) =>
  worldManifest(world, keys.publicKey, {
    query: { sql: 'SELECT count(*) AS n FROM pay.workers' },
    privacy: { epsilon: 1, delta: 0 },
    salt,
  })

beforeAll(async () => {
  world = await poolWorld({ workers: 4 })
  await new Promise<void>((resolve) => {
    blobs.listen(0, '127.0.0.1', resolve)
  })
  const settings = JSON.parse(await readFile(world.config, 'utf8'))
  settings.chain.confirmations = confirmations
  settings.blobStore = { kind: 'http', url: `http://127.0.0.1:${(blobs.address() as AddressInfo).port}/` }
  await writeFile(world.config, JSON.stringify(settings))
  const { config, secrets } = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
  node = await startNode(config, secrets, { log })
  await world.register(node.url)
  await until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
  const { pay } = world.pools
  await world.contribute(
    node.url,
    [0, 1, 2].map((worker) => ({ pool: pay, worker, bytes: world.payExport(worker) })),
  )
  await mine(confirmations)
  await until('refined', async () => {
    const { states } = (await ask(`${node.url}/v1/contributions`)) as { states: Record<string, number> }
    return states['refined'] === 3
  })
}, 180_000)
afterAll(async () => {
  letGo()
  await node?.stop()
  blobs.close()
  await world?.close()
})

describe('a node that believes the chain after some blocks', { timeout: 180_000 }, () => {
  it('runs nothing on a vote and a payment that can still vanish, whoever asks', async () => {
    const { pay } = world.pools
    const id = await world.propose(manifest('vanishing-vote-00'), [pay])
    await mine(confirmations)
    await until('seen', async () => (await job(id)).state === 'seen')
    const snapshot = await rpc('evm_snapshot')
    const before = Number(await rpc('eth_blockNumber'))
    await world.approve(id, [pay])
    await world.pay(id)
    expect(Number(await rpc('eth_blockNumber')) - before).toBeLessThan(confirmations)
    expect(await world.jobState(id)).toBe('Funded')
    for (let i = 0; i < 3; i++) {
      expect(await run(id)).toMatchObject({ state: 'seen', reason: 'JOB_NOT_APPROVED' })
      await new Promise((done) => setTimeout(done, 200))
    }
    expect(await world.jobState(id)).toBe('Funded')
    await rpc('evm_revert', [snapshot])
    expect(await world.jobState(id)).toBe('Proposed')
    expect((await job(id)).receipt.statement.body.outcome).toBe('refused')
  })

  it('runs a job once its payment is confirmed, with every approval in the receipt; a slow request changes nothing', async () => {
    const { pay } = world.pools
    const asked = manifest('confirmed-vote-000')
    const id = await world.propose(asked, [pay])
    await mine(confirmations)
    await until('seen', async () => (await job(id)).state === 'seen')
    held = digestOf(asked).slice('sha256:'.length)
    const slow = run(id)
    await until('asked for the manifest', async () => held === undefined)
    await world.approve(id, [pay])
    await world.pay(id)
    await untilMined('started', async () => (await world.jobState(id)) === 'Running')
    // The chain tells of the start before the node has written it down; no block is mined until it has.
    await until('waiting', async () => (await job(id)).reason === 'START_NOT_CONFIRMED')
    expect(await job(id)).toMatchObject({ state: 'waiting', reason: 'START_NOT_CONFIRMED' })
    expect(await world.jobState(id)).toBe('Running')
    await untilMined('settled', async () => (await job(id)).state === 'settled')
    const settled = await job(id)
    const result = await job(id, '/result')
    expect(result.sealed).toBeDefined()
    letGo()
    expect(await slow).toEqual(settled)
    expect(await job(id)).toEqual(settled)
    expect(await job(id, '/result')).toEqual(result)
    const body = receiptBodySchema.parse(settled.receipt.statement.body)
    expect(body).toMatchObject({ outcome: 'released', approvals: [{ pool: pay.pool, price: '1000' }] })
  })

  it('ends a job here that the chain took from it before its start was confirmed, and starts it no more', async () => {
    const { pay } = world.pools
    const id = await world.propose(manifest('lost-before-start'), [pay])
    await world.approve(id, [pay])
    await world.pay(id)
    await untilMined('started', async () => (await world.jobState(id)) === 'Running')
    await until('waiting', async () => (await job(id)).reason === 'START_NOT_CONFIRMED')
    await rpc('evm_increaseTime', [3_700])
    await mine(1)
    await requeueJob(world.client, { deployment: world.deployment, jobId: id })
    expect(await world.jobState(id)).toBe('Funded')
    await untilMined('closed', async () => (await job(id)).state === 'closed')
    expect(await job(id)).toMatchObject({ reason: 'LOST_TO_OTHER_NODE', receipt: null })
    expect(await world.jobState(id)).toBe('Funded')
  })
})
