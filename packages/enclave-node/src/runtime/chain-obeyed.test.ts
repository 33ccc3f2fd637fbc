import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ReceiptBody, receiptBodySchema, verifyReceipt } from '@sealpool/attest'
import { scopeDigest } from '@sealpool/compute'
import {
  anchorsAbi,
  appointIssuerCall,
  batchTree,
  dataRegistryAbi,
  getAppointment,
  getCollectable,
  getContribution,
  getVerdict,
  invoke,
  poolAbi,
  redeemPermit,
  signPermit,
  withdrawBatchEntry,
} from '@sealpool/contracts'
import {
  type Digest,
  deriveKeyPair,
  digestOf,
  digestToHex,
  hexToDigest,
  type JsonValue,
  platformRandom,
} from '@sealpool/crypto'
import { getBlock, readContract } from 'viem/actions'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../cli/load-config.js'
import { encodeRestriction } from '../policy/narrowed-pools.js'
import { batchedContributionId } from '../state/batched-contribution.js'
import { ask, until as untilWithin } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { worldManifest } from '../testing/world-jobs.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })
const keys = deriveKeyPair(platformRandom(32))
const until = (what: string, holds: () => Promise<boolean>) => untilWithin(what, holds, 30_000)
let world: PoolWorld
let node: RunningNode

const ready = () =>
  until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
async function start(): Promise<RunningNode> {
  const { config, secrets } = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
  return startNode(config, secrets, { log })
}
const contribution = async (id: string) =>
  (await ask(`${node.url}/v1/contributions/${id}`)) as { state: string; verdict: unknown }
const job = async (id: bigint, path = '') =>
  (await ask(`${node.url}/v1/jobs/${id}${path}`)) as {
    state: string
    reason: string | null
    receipt: { statement: { body: ReceiptBody } }
  }
const manifest = (salt: string) =>
  worldManifest(world, keys.publicKey, {
    query: { sql: 'SELECT count(*) AS n FROM pay.workers' },
    privacy: { epsilon: 1, delta: 0 },
    salt,
  })
/** What the node gives with a receipt. */
type JobBundle = Pick<
  Parameters<typeof verifyReceipt>[0],
  'receipt' | 'evidence' | 'manifest' | 'plan' | 'verdicts'
> & {
  readonly policies: Readonly<Record<string, JsonValue>>
  readonly verdicts: Readonly<Record<string, readonly Digest[]>>
}
/** Proposes, votes for and pays a job, and waits until it has ended. */
const run = async (salt: string, end: string, more: { class?: 'Drawn' } = {}) => {
  const id = await world.propose(manifest(salt), [world.pools.pay], more)
  await world.approve(id, [world.pools.pay])
  await world.pay(id)
  await until(`job ${id} ${end}`, async () => {
    // A lot falls by the hash of a later block.
    if (more.class !== undefined) await world.devnet.advanceTime(1)
    return (await job(id)).state === end
  })
  const { receipt } = await job(id, '/receipt')
  return { id, body: receiptBodySchema.parse(receipt.statement.body), reason: (await job(id)).reason }
}
const files = () => readdir(join(world.data, 'tables', world.pools.pay.pool))
const budgetOf = async () =>
  readContract(world.client, {
    address: world.market.anchors,
    abi: anchorsAbi,
    functionName: 'budgetOf',
    args: [world.pools.pay.pool],
  })

beforeAll(async () => {
  world = await poolWorld({ workers: 8 })
  node = await start()
  await world.register(node.url)
  await ready()
}, 180_000)
afterAll(async () => {
  await node?.stop()
  await world?.close()
})

describe('a node on a chain that takes things back', { timeout: 240_000 }, () => {
  let ids: string[]

  it('brings Merkle batches in: one root of verdicts, paid with proofs, refined and read by jobs', async () => {
    const { pay } = world.pools
    ids = await world.contribute(
      node.url,
      [0, 1].map((worker) => ({ pool: pay, worker, bytes: world.payExport(worker) })),
    )
    const blob = (locator: string) => join(world.folder, 'blobs', locator.slice(7, 9), locator.slice(7))
    const { batchId, entries } = await world.contributeMerkle(
      node.url,
      [2, 3, 4, 5].map((worker) => ({ pool: pay, worker, bytes: world.payExport(worker) })),
      async (locator, index) => {
        if (index === 3) await rm(blob(locator))
      },
    )
    const names = [0, 1, 2, 3].map((index) => batchedContributionId(batchId, index))
    await until('the batch is in', async () => {
      const states = await Promise.all([...ids, ...names].map(async (id) => (await contribution(id)).state))
      return states.join() === 'refined,refined,refined,refined,refined,refused'
    })
    expect(
      await Promise.all(
        [2, 3, 4, 5].map((worker) =>
          getCollectable(world.client, {
            pool: pay.pool,
            contributor: world.workers[worker]?.address ?? '0x',
          }),
        ),
      ),
    ).toEqual([...Array(3).fill(100n * 10n ** 18n), 0n])
    expect((await run('with-a-merkle-batch', 'settled')).body.pools[0]?.inputs.count).toBe(5)

    const owner = await world.workerWallet(2)
    const entry = entries[0]
    if (entry === undefined) throw new Error('no entry')
    await withdrawBatchEntry(owner, {
      deployment: world.deployment,
      batchId,
      index: 0,
      entry,
      proof: batchTree(entries).proof(0),
    })
    await until('the entry is out', async () => (await contribution(names[0] ?? '')).state === 'withdrawn')
  })

  it('takes a withdrawn contribution out of the tables and of later jobs, and says that it is erased', async () => {
    await until('the tables are rebuilt', async () => (await files()).length === 1)
    const before = await files()
    const [first] = ids
    if (first === undefined) throw new Error('no contribution')
    await invoke(await world.workerWallet(0), {
      address: world.deployment.dataRegistry,
      abi: dataRegistryAbi,
      functionName: 'withdraw',
      args: [BigInt(first)],
    })
    await until(
      'the erasure is recorded',
      async () => (await getContribution(world.client, { ...world, id: BigInt(first) })).state === 'Erased',
    )
    await until('the tables are rebuilt', async () => {
      const now = await files()
      return now.length === 1 && now.join() !== before.join()
    })
    expect(await contribution(first)).toMatchObject({ state: 'withdrawn', verdict: null })
    const { body } = await run('after-a-withdrawal', 'settled')
    expect(body.pools[0]?.inputs.count).toBe(3)
    // Its owner may contribute the same again.
    const [again] = await world.contribute(node.url, [
      { pool: world.pools.pay, worker: 0, bytes: world.payExport(0) },
    ])
    await until('it is in again', async () => (await contribution(again ?? '')).state === 'refined')
    // It was rewarded for it once, and keeps the tokens.
    expect(await getContribution(world.client, { ...world, id: BigInt(again ?? 0) })).toMatchObject({
      state: 'Accepted',
      score: 0,
    })
  })

  it('has a newer version stand for an older one in later jobs, rewarded once; receipts of before hold', async () => {
    const { pay } = world.pools
    const [, older = ''] = ids
    const { id: asked } = await run('before-the-version', 'settled')
    const bundleOf = async (id: bigint) => (await ask(`${node.url}/v1/jobs/${id}/receipt`)) as JobBundle
    const verifies = async (id: bigint) => {
      const bundle = await bundleOf(id)
      const { checks } = verifyReceipt({
        ...bundle,
        policies: Object.values(bundle.policies),
        deployment: { chainId: world.deployment.chainId, registry: world.deployment.nodeRegistry },
        trust: world.attestation,
        at: new Date(),
      })
      expect(checks.filter(({ result }) => result === 'fail')).toEqual([])
      return bundle
    }
    const before = await verifies(asked)
    const newer = await world.contributeVersion(
      node.url,
      older,
      { pool: pay, worker: 1, bytes: world.payExport(1, 90) },
      await world.workerWallet(1),
    )
    await until('the newer one is in', async () => (await contribution(newer)).state === 'refined')
    expect((await contribution(older)).state).toBe('withdrawn')
    const { id: askedAgain, body } = await run('after-the-version', 'settled')
    const after = await verifies(askedAgain)
    const digestOn = async (id: string) =>
      hexToDigest(
        (await getVerdict(world.client, { deployment: world.deployment, id: BigInt(id) }))?.verdictDigest ??
          '0x',
      )
    const used = ({ verdicts }: JobBundle) => Object.values(verdicts).flat()
    const [digestOfOlder, digestOfNewer] = [await digestOn(older), await digestOn(newer)]
    expect([used(before).includes(digestOfOlder), used(before).includes(digestOfNewer)]).toEqual([
      true,
      false,
    ])
    expect([used(after).includes(digestOfOlder), used(after).includes(digestOfNewer)]).toEqual([false, true])
    expect(body.pools[0]?.inputs.count).toBe(used(before).length)
    // The node's evidence comes with collateral of today; the receipt and what it stands for are what they were.
    const { receipt, verdicts } = await verifies(asked)
    expect({ receipt, verdicts }).toEqual({ receipt: before.receipt, verdicts: before.verdicts })
    expect(await getContribution(world.client, { ...world, id: BigInt(newer) })).toMatchObject({
      state: 'Accepted',
      score: 0,
    })
  })

  it('records the verdicts of the others when one of a batch is withdrawn before its verdict', async () => {
    const { pay } = world.pools
    const exports = [6, 7].map((worker) => ({ pool: pay, worker, bytes: world.payExport(worker) }))
    const [gone, kept] = await world.contribute(node.url, exports)
    // Withdrawn at once: whether the node has judged it already or not, the other one must go on.
    await invoke(await world.workerWallet(6), {
      address: world.deployment.dataRegistry,
      abi: dataRegistryAbi,
      functionName: 'withdraw',
      args: [BigInt(gone ?? 0)],
    })
    await until('the other is in', async () => (await contribution(kept ?? '')).state === 'refined')
    expect((await contribution(gone ?? '')).state).toBe('withdrawn')
  })

  it('runs a drawn job when the lot falls on it', async () => {
    expect((await run('by-lot-by-lot-by-lot', 'settled', { class: 'Drawn' })).body.outcome).toBe('released')
  })

  it('anchors each charge before its job runs', async () => {
    const { body } = await run('anchored-anchored', 'settled')
    const { sequence, value } = await budgetOf()
    const after = body.pools[0]?.budget?.after
    expect(Number(sequence)).toBe(after?.version)
    expect(value).toBe(digestToHex((after?.head ?? '') as `sha256:${string}`))
  })

  it('refuses to start on an old copy of its data, and says which version it expected', async () => {
    const { sequence: before } = await budgetOf()
    await node.stop()
    const old = `${world.data}-old`
    await cp(world.data, old, { recursive: true })
    node = await start()
    await ready()
    await run('after-the-copy-was-made', 'settled')
    await node.stop()
    const newest = `${world.data}-newest`
    await cp(world.data, newest, { recursive: true })
    await rm(world.data, { recursive: true })
    await cp(old, world.data, { recursive: true })
    await expect(start()).rejects.toMatchObject({
      code: 'STATE_ROLLED_BACK',
      message: expect.stringContaining(`only version ${before}; restore a copy of version ${before + 1n}`),
    })
    await rm(world.data, { recursive: true })
    await cp(newest, world.data, { recursive: true })
    node = await start()
    await ready()
    expect((await run('with-the-newest-again', 'settled')).body.outcome).toBe('released')
  })

  it('runs what an issuer’s permit grants, and nothing of another scope', async () => {
    const { deployment, client } = world
    const { pay } = world.pools
    const [issuer] = world.workers
    if (issuer === undefined) throw new Error('no worker')
    const at = (await getBlock(client)).timestamp
    const jobDigest = digestToHex(digestOf('any question of how many work'))
    const scope = digestToHex(
      scopeDigest({
        purpose: 'research',
        pools: [{ address: pay.pool, tables: [{ name: 'workers', columns: [] }] }],
      }),
    )
    const who = { pool: pay.pool, issuer: issuer.address, jobDigest }
    const place = { deployment, ...who }
    const bounds = { price: 1_000n, poolTokenBurn: 0n, runs: 2, opensAt: at, closesAt: at + 40_000n }
    const call = appointIssuerCall({ ...place, bounds: { ...bounds, scopeDigest: scope } })
    await world.decide(pay, [call], 'an issuer')
    const appointment = await getAppointment(client, place)
    const permit = {
      ...{ ...who, appointment: appointment?.number ?? 0, grantee: world.consumer },
      terms: { ...bounds, scopeDigest: scope },
      salt: digestToHex(digestOf('salt')),
    }
    const signed = await signPermit({ account: issuer, deployment, permit })
    await redeemPermit(world.consumerWallet(), { deployment, signed })
    const asked = async (sql: string, salt: string) => {
      const query = worldManifest(world, keys.publicKey, {
        query: { sql },
        privacy: { epsilon: 10, delta: 0 },
        salt,
      })
      const id = await world.propose(query, [pay], { templateDigest: jobDigest, scopeDigest: scope })
      await world.pay(id)
      return id
    }
    const counted = await asked('SELECT count(*) AS n FROM pay.workers', 'permitted-permitted')
    const averaged = await asked('SELECT avg(wage) AS m FROM pay.workers', 'not-permitted-at-all')
    await until('the permitted job has ended', async () => (await job(counted)).state === 'settled')
    await until('the other is refused', async () => (await job(averaged)).state === 'refused')
    expect((await job(averaged)).reason).toBe('DECLARATION_DIFFERS')
  })

  it('obeys a narrowing at once', async () => {
    const { bytes, digest } = encodeRestriction({
      format: 'sealpool/policy-restriction',
      version: 1,
      reason: 'an incident',
      stop: true,
    })
    await world.blobs.put(bytes)
    await invoke(world.client, {
      address: world.pools.pay.pool,
      abi: poolAbi,
      functionName: 'narrow',
      args: [digestToHex(digest)],
    })
    expect((await run('after-the-narrowing', 'refused')).reason).toBe('POOL_STOPPED')
  })
})
