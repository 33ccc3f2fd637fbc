import { invoke, poolAbi, transferToken } from '@sealpool/contracts'
import { deriveKeyPair, digestOf, digestToHex, type JsonObject, platformRandom } from '@sealpool/crypto'
import { createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadConfig } from '../cli/load-config.js'
import { encodeRestriction } from '../policy/narrowed-pools.js'
import { ask, until as untilWithin } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { worldManifest } from '../testing/world-jobs.js'
import { judgeReceipt, receiptOf } from '../testing/world-receipts.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

/* A node on a real chain: who holds a token is let in, who gave it away is not. */

const keys = deriveKeyPair(platformRandom(32))
const until = (what: string, holds: () => Promise<boolean>) => untilWithin(what, holds, 30_000)
let world: PoolWorld
let node: RunningNode

beforeAll(async () => {
  world = await poolWorld({ workers: 3 })
  const secrets = { SEALPOOL_TRANSACTION_KEY: world.transactionKey }
  const loaded = await loadConfig({ config: world.config }, secrets)
  node = await startNode(loaded.config, loaded.secrets, {
    log: nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true }),
  })
  await world.register(node.url)
  await until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
  const exports = [0, 1, 2].map((worker) => ({
    pool: world.pools.pay,
    worker,
    bytes: world.payExport(worker),
  }))
  const ids = await world.contribute(node.url, exports)
  await until('the contributions are in', async () => {
    const shown = await Promise.all(ids.map((id) => ask(`${node.url}/v1/contributions/${id}`)))
    return shown.every((one) => (one as { state: string }).state === 'refined')
  })
}, 180_000)
afterAll(async () => {
  await node?.stop()
  await world?.close()
})

/** Proposes, votes for and pays a job, waits until it has ended, and verifies its receipt as a stranger. */
async function run(salt: string) {
  const { pay } = world.pools
  const query = { sql: 'SELECT count(*) AS n FROM pay.workers' }
  const manifest = worldManifest(world, keys.publicKey, { query, privacy: { epsilon: 1, delta: 0 }, salt })
  const id = await world.propose(manifest, [pay])
  await world.approve(id, [pay])
  await world.pay(id)
  let shown = { state: '', reason: null as string | null }
  await until(`job ${id} ended`, async () => {
    shown = (await ask(`${node.url}/v1/jobs/${id}`)) as typeof shown
    return ['settled', 'refused'].includes(shown.state)
  })
  const verdict = judgeReceipt(world, await receiptOf(node.url, id))
  const failed = verdict.checks.filter(({ result }) => result === 'fail').map((check) => check.id)
  const access = verdict.checks.find((check) => check.id === 'access')?.result
  return { ...shown, failed, access, judged: verdict.body?.pools[0]?.access }
}

it('lets in who holds a token when the job is run, and nobody who gave it away', {
  timeout: 240_000,
}, async () => {
  const { protocolToken } = world.deployment
  const key = world.devnet.accounts.find(
    ({ address }) => address.toLowerCase() === world.consumer,
  )?.privateKey
  const account = privateKeyToAccount(key ?? '0x')
  const consumer = createWalletClient({ account, transport: http(world.devnet.rpcUrl), pollingInterval: 50 })
  const access: JsonObject = { version: 1, use: { erc20: { contract: protocolToken, minimum: '1000000' } } }
  const { bytes, digest } = encodeRestriction({
    format: 'sealpool/policy-restriction',
    version: 1,
    reason: 'for holders only',
    access: { version: 1, use: { erc20: { contract: protocolToken, minimum: '1000000' } } },
  })
  await world.blobs.put(bytes)
  await invoke(world.client, {
    address: world.pools.pay.pool,
    abi: poolAbi,
    functionName: 'narrow',
    args: [digestToHex(digest)],
  })
  const judged = (verdict: string) => ({ conditions: [{ rules: digestOf(access), verdict }] })

  expect(await run('before-they-hold-it')).toMatchObject({
    state: 'refused',
    reason: 'ACCESS_DENIED',
    failed: [],
    access: 'pass',
    judged: judged('no'),
  })
  const amount = 2_000_000n
  await transferToken(world.client, { token: protocolToken, to: world.consumer, amount })
  expect(await run('now-that-they-hold-it')).toMatchObject({
    state: 'settled',
    failed: [],
    access: 'pass',
    judged: judged('yes'),
  })
  await transferToken(consumer, { token: protocolToken, to: world.client.account.address, amount })
  expect(await run('after-they-gave-it-away')).toMatchObject({
    state: 'refused',
    reason: 'ACCESS_DENIED',
    access: 'pass',
  })
})
