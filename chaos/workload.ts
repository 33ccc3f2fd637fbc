/**
 * Contributions and jobs: small, made up, each with a canary in it.
 * @module
 */
import {
  execute,
  fundJob,
  getContributions,
  getJob,
  getJobCount,
  proposeApproval,
  proposeJob,
  queue,
  transferToken,
  vote,
} from '@sealpool/contracts'
import {
  canonicalBytes,
  deriveKeyPair,
  digestToHex,
  encodeBase64Url,
  type JsonValue,
  platformRandom,
} from '@sealpool/crypto'
import { createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock } from 'viem/actions'
import type { PoolWorld, WorldExport, WorldPool } from '../packages/enclave-node/src/testing/pool-world.js'
import type { SentContribution } from './facts.js'
import type { SeededRandom } from './seeded-random.js'

/** Number of wallets that contribute. */
export const workerCount = 12

/** Epsilon of one job; the pools of the world have 90. */
const epsilonPerJob = 0.05

/** What the pools are fed with. */
export interface Workload {
  /** Sends contributions and waits for their transaction. */
  contribute(count: number, mayBeRefused?: readonly string[]): Promise<readonly string[]>
  /** Sends what both pools need to begin with: members who can vote, and more of them than the least that a query may be about. */
  contributeFirst(): Promise<readonly string[]>
  /** Sends what is not a row of these pools: hostile exports to a hostile pool. */
  contributeTo(exports: readonly WorldExport[], mayBeRefused: readonly string[]): Promise<readonly string[]>
  /** Has one job approved by its pool's vote, for as many runs as a run of this program can need. Needs accepted contributors. */
  openJobs(): Promise<void>
  /** Proposes and pays for one run. */
  job(): Promise<string>
  /** Forgets what a reorganisation has taken off the chain. */
  forgetLost(): Promise<{ readonly contributions: number; readonly jobs: number }>
  readonly sent: readonly SentContribution[]
  readonly paid: readonly string[]
  readonly resultPrivateKey: Uint8Array
}

/**
 * Makes the workload.
 * @param options.served address where `/v1/pools` answers, also while the node is down
 * @param options.marker text that stands in every contribution and must stand nowhere else
 */
export function makeWorkload(options: {
  readonly world: PoolWorld
  readonly served: () => string
  readonly marker: string
  readonly random: SeededRandom
}): Workload {
  const { world, served, marker, random } = options
  const { deployment, client, pools } = world
  let sent: (SentContribution & { readonly pool: string })[] = []
  let paid: string[] = []
  let number = 0
  const keys = deriveKeyPair(platformRandom(32))
  const [, , , consumerAccount] = world.devnet.accounts
  if (consumerAccount === undefined) throw new Error('the devnet has too few accounts')
  const consumer = createWalletClient({
    account: privateKeyToAccount(consumerAccount.privateKey),
    transport: http(world.devnet.rpcUrl),
    pollingInterval: 50,
  })
  const manifest: JsonValue = {
    format: 'sealpool/job-manifest',
    version: 1,
    kind: 'query',
    title: 'Workers by sector',
    pools: [{ address: pools.pay.pool, name: 'pay' }],
    query: { sql: 'SELECT sector, count(*) AS workers FROM pay.workers GROUP BY sector' },
    compute: null,
    privacy: { epsilon: epsilonPerJob, delta: 0 },
    consumer: {
      address: world.consumer,
      resultKey: { kem: 'x25519', publicKey: encodeBase64Url(keys.publicKey) },
    },
    purpose: 'research',
    salt: 'chaos-abcdefghijklmnop',
  }
  const exportOf = (
    worker = random.integer(0, workerCount - 1),
    pool: WorldPool = random.pick([pools.pay, pools.people]),
  ): WorldExport => {
    const canary = `${marker}-${number++}`
    const account = world.workers[worker]?.address.toLowerCase()
    const text =
      pool === pools.pay
        ? JSON.stringify({
            account,
            wage: random.integer(10, 90),
            sector: random.pick(['a', 'b']),
            diary: canary,
          })
        : `name,education\n${canary},${random.integer(8, 18)}\n`
    return { pool, worker, bytes: new TextEncoder().encode(text) }
  }
  const propose = async (): Promise<bigint> => {
    const { locator, digest } = await world.blobs.put(canonicalBytes(manifest))
    const { timestamp } = await getBlock(client)
    const { jobId } = await proposeJob(consumer, {
      deployment,
      manifestDigest: digestToHex(digest),
      manifestLocator: locator,
      pools: [pools.pay.pool],
      deadline: timestamp + 50_000n,
    })
    return jobId
  }
  const fund = async (jobId: bigint): Promise<string> => {
    await transferToken(client, {
      token: deployment.protocolToken,
      to: consumer.account.address,
      amount: 10_000n,
    })
    await fundJob(consumer, { deployment, jobId, approveTokens: true })
    paid.push(jobId.toString())
    return jobId.toString()
  }
  const contributeTo: Workload['contributeTo'] = async (exports, mayBeRefused) => {
    const ids = await world.contribute(served(), exports)
    sent.push(
      ...ids.map((id, index) => ({ id, mayBeRefused, pool: exports[index]?.pool.pool.toLowerCase() ?? '' })),
    )
    return ids
  }
  return {
    contributeTo,
    contributeFirst: () =>
      contributeTo(
        Array.from({ length: 8 }, (_, index) => exportOf(index, index < 6 ? pools.pay : pools.people)),
        [],
      ),
    contribute: (count, mayBeRefused = []) =>
      contributeTo(
        Array.from({ length: count }, () => exportOf()),
        mayBeRefused,
      ),
    async openJobs() {
      const jobId = await propose()
      const { timestamp } = await getBlock(client)
      const proposal = await proposeApproval(client, {
        deployment,
        jobId,
        pool: pools.pay.pool,
        terms: {
          price: 1_000n,
          poolTokenBurn: 0n,
          runs: 60_000,
          opensAt: timestamp,
          closesAt: timestamp + 45_000n,
        },
      })
      await world.devnet.advanceTime(2)
      for (const [index] of world.workers.entries()) {
        const wallet = await world.workerWallet(index)
        await vote(wallet, { proposal, support: 'for' })
      }
      await world.devnet.advanceTime(61)
      await queue(client, { proposal })
      await world.devnet.advanceTime(2)
      await execute(client, { proposal })
      await fund(jobId)
    },
    job: async () => fund(await propose()),
    async forgetLost() {
      const there = new Map((await getContributions(client, { deployment })).map((one) => [one.id, one]))
      const jobs = await getJobCount(client, { deployment })
      const before = { contributions: sent.length, jobs: paid.length }
      sent = sent.filter(({ id, pool }) => there.get(BigInt(id))?.pool.toLowerCase() === pool)
      const kept = await Promise.all(
        paid.map(async (id) => {
          if (BigInt(id) > jobs) return false
          // The proposal may have stayed and the payment gone.
          const { state } = await getJob(client, { deployment, jobId: BigInt(id) })
          return state !== 'Proposed' && state !== 'Approved'
        }),
      )
      paid = paid.filter((_, index) => kept[index])
      return { contributions: before.contributions - sent.length, jobs: before.jobs - paid.length }
    },
    get sent() {
      return sent
    },
    get paid() {
      return paid
    },
    resultPrivateKey: keys.privateKey,
  }
}
