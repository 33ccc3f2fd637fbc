/**
 * Reads chain and store after a run. The store is opened as the node opens it, with the node's own key: what lies on the disk
 * is sealed.
 * @module
 */
import {
  getBalance,
  getBudgetHead,
  getContribution,
  getContributions,
  getJob,
  getJobCount,
  getJobEvents,
  getVerdicts,
} from '@sealpool/contracts'
import { hexToDigest, platformRandom } from '@sealpool/crypto'
import { budgetAfter, type LedgerEntry } from '@sealpool/privacy'
import { getLogs } from 'viem/actions'
import { parseAbiItem } from 'viem/utils'
import { loadConfig } from '../packages/enclave-node/src/cli/load-config.js'
import { configDigest } from '../packages/enclave-node/src/config/node-config.js'
import { openKeyRing } from '../packages/enclave-node/src/key/key-ring.js'
import { nodeLogger } from '../packages/enclave-node/src/runtime/logger.js'
import { openPlatform } from '../packages/enclave-node/src/runtime/open-platform.js'
import { openState } from '../packages/enclave-node/src/runtime/open-state.js'
import { aesRowCipher } from '../packages/enclave-node/src/state/aes-row-cipher.js'
import { openPgliteStore } from '../packages/enclave-node/src/state/pglite-store.js'
import { openSealedStore } from '../packages/enclave-node/src/state/sealed-store.js'
import type { Sql } from '../packages/enclave-node/src/state/state-store.js'
import type { PoolWorld } from '../packages/enclave-node/src/testing/pool-world.js'
import type { Facts } from './facts.js'

/** Pool tokens for one contribution with the full score, smallest unit. */
const rewardEach = 100n * 10n ** 18n

const transfer = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)')

/** How many calls are under way at once. */
const width = 16

async function eachOf<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (let at = 0; at < items.length; at += width) {
    results.push(...(await Promise.all(items.slice(at, at + width).map(work))))
  }
  return results
}

/** Reads the chain. */
export async function chainFacts(world: PoolWorld): Promise<Facts['chain']> {
  const { client, deployment } = world
  const pools = Object.values(world.pools)
  const contributed = await getContributions(client, { deployment })
  const records = await eachOf(contributed, ({ id }) => getContribution(client, { deployment, id }))
  const verdicts = await getVerdicts(client, { deployment })
  const events = await getJobEvents(client, { deployment })
  const count = await getJobCount(client, { deployment })
  const ids = Array.from({ length: Number(count) }, (_, index) => BigInt(index + 1))
  const jobs = await eachOf(ids, (jobId) => getJob(client, { deployment, jobId }))
  const pairs = pools.flatMap((pool) => world.workers.map(({ address }) => ({ pool, owner: address })))
  const incoming = await getLogs(client, {
    address: deployment.protocolToken,
    event: transfer,
    args: { from: client.account.address, to: world.consumer },
    fromBlock: deployment.blockNumber,
    strict: true,
  })
  const received = incoming.reduce((sum, { args }) => sum + args.value, 0n)
  const held = await getBalance(client, { token: deployment.protocolToken, account: world.consumer })
  const times = (id: bigint, name: string) =>
    events.filter((one) => one.id === id && one.name === name).length
  const receiptOf = (id: bigint): string | null => {
    const release = events.filter((one) => one.id === id).findLast(({ name }) => name === 'JobReleased')
    return release?.name === 'JobReleased' ? hexToDigest(release.args.receiptDigest) : null
  }
  return {
    contributions: records.map(({ id, pool, owner, state }) => ({
      id: id.toString(),
      pool: pool.toLowerCase(),
      owner: owner.toLowerCase(),
      state,
    })),
    verdicts: verdicts.map(({ id, refused }) => ({ id: id.toString(), refused })),
    balances: await eachOf(pairs, async ({ pool, owner }) => ({
      pool: pool.pool,
      owner: owner.toLowerCase(),
      balance: (await getBalance(client, { token: pool.token, account: owner })).toString(),
    })),
    jobs: jobs.map((job) => ({
      id: job.id.toString(),
      state: job.state,
      pools: job.pools.map(({ pool }) => pool.toLowerCase()),
      price: job.pools.reduce((sum, { price }) => sum + price, 0n).toString(),
      released: times(job.id, 'JobReleased'),
      settled: times(job.id, 'JobSettled'),
      refunded: times(job.id, 'JobRefunded'),
      receipt: receiptOf(job.id),
    })),
    anchors: await eachOf(pools, async ({ pool }) => {
      const head = await getBudgetHead(client, { anchors: world.market.anchors, pool })
      return { pool, version: Number(head?.sequence ?? 0n) }
    }),
    // Refunds are back among what is held.
    consumerSpent: (received - held).toString(),
  }
}

/** Reads the store of a node that is stopped. */
export async function storeFacts(options: {
  readonly config: string
  readonly secrets: Readonly<Record<string, string>>
}): Promise<Facts['store']> {
  const { config, secrets } = await loadConfig({ config: options.config }, options.secrets)
  const { store: durable } = await openState(
    config,
    secrets,
    nodeLogger({ level: 'silent', simulated: true }),
  )
  const { keyRelease } = openPlatform(config)
  const keys = openKeyRing(await keyRelease.release(), configDigest(config))
  const key = keys.stateSecret(config.chain.deployment)
  const store = await openSealedStore({
    durable,
    openWorking: () => openPgliteStore({ directory: 'memory' }),
    cipherOf: (id) => aesRowCipher({ key, store: id, random: platformRandom }),
    random: platformRandom,
  })
  try {
    return await read(store)
  } finally {
    await store.close()
  }
}

async function read(sql: Sql): Promise<Facts['store']> {
  const text = (value: unknown): string => String(value)
  const orNull = (value: unknown): string | null => (value === null ? null : String(value))
  const contributions = await sql.query(
    'select id::text, pool, state, reason from contributions order by contributions.id',
  )
  const jobs = await sql.query(
    'select id::text, state, reason, sealed_result is not null as has_result from jobs order by jobs.id',
  )
  const ledger = await sql.query('select pool, version, entry from ledger order by pool, version')
  const receipts = await sql.query('select job::text, outcome, digest from receipts')
  return {
    contributions: contributions.map((row) => ({
      id: text(row['id']),
      pool: text(row['pool']),
      state: text(row['state']),
      reason: orNull(row['reason']),
    })),
    jobs: jobs.map((row) => ({
      id: text(row['id']),
      state: text(row['state']),
      reason: orNull(row['reason']),
      hasResult: row['has_result'] === true,
    })),
    ledger: ledger.map((row) => {
      const entry = JSON.parse(text(row['entry'])) as LedgerEntry
      return {
        pool: text(row['pool']),
        version: Number(row['version']),
        job: entry.job === null ? null : (entry.job.split(' ')[0] ?? null),
        epsilonSpent: budgetAfter(entry).epsilonSpent,
        epsilonCharged: entry.charge === null ? null : text(entry.charge.epsilon),
      }
    }),
    receipts: receipts.map((row) => ({
      job: text(row['job']),
      outcome: text(row['outcome']),
      digest: text(row['digest']),
    })),
  }
}

/** Puts both together with what the workload knows. */
export function allFacts(parts: Omit<Facts, 'rewardEach'>): Facts {
  return { ...parts, rewardEach: rewardEach.toString() }
}
