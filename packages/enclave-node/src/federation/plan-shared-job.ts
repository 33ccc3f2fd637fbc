/**
 * Plans jobs over pools of several homes, alike at the node that coordinates and at every home.
 * @module
 */
import type { JobManifest } from '@sealpool/compute'
import type { Address } from '@sealpool/crypto'
import { QueryError, type QueryPlan, requireDivisible } from '@sealpool/query'
import type { PlannablePool, ServedPool } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import { JobRefusal } from '../job/job-refusal.js'
import { poolsOf, requirePurpose } from '../job/load-manifest.js'
import { planJob, requireAllUsed } from '../job/plan-job.js'
import { planQueryJob } from '../job/plan-query-job.js'
import type { PlannedJob, PoolCharge } from '../job/planned-job.js'
import { admitConsumer } from '../policy/admit-consumer.js'
import { requireViews } from '../policy/admit-views.js'
import { narrowedPools } from '../policy/narrowed-pools.js'

/** A query over pools of several homes, planned. */
export type SharedPlan = PlannedJob<PlannablePool> & { readonly query: QueryPlan }

/** A planned job, and what of it this node charges and reads. */
export interface PlannedShare {
  readonly own: PlannedJob
  /** Over all pools; absent when all of them are this node's. */
  readonly shared?: SharedPlan
}

/** What planning needs. */
export type PlanContext = Pick<
  JobContext,
  'chain' | 'blobStore' | 'pools' | 'federation' | 'store' | 'now'
> & {
  /** Ends the planning between two steps of it. */
  readonly signal?: AbortSignal | undefined
}

/**
 * @param job with its pools in lower case
 * @returns whether this node coordinates a job: it serves the first of its pools. A job over this node's pools alone is its own
 */
export function coordinates(
  { pools }: Pick<JobContext, 'pools'>,
  job: { readonly pools: readonly Address[] },
): boolean {
  const [first] = job.pools
  return first !== undefined && pools.has(first)
}

/**
 * Plans a job over the pools of this node, and of other homes where the settings name them.
 * @throws JobRefusal as `poolsOf`, `planJob` and `admitConsumer`; `JOB_NOT_DIVISIBLE`, `HAND_OFF_NOT_SHARED`, `NOT_DIVISIBLE`; JobPutOff
 * `RESTRICTION_UNKNOWN`; the signal's reason
 */
export async function planShare(context: PlanContext, manifest: JobManifest): Promise<PlannedShare> {
  const { signal } = context
  const named = manifest.pools.map(({ address }) => address.toLowerCase() as Address)
  if (named.every((address) => context.pools.has(address) || !context.federation?.pools.has(address))) {
    const own = await poolsOf(context, manifest)
    signal?.throwIfAborted()
    const planned = await planJob(manifest, own)
    signal?.throwIfAborted()
    return { own: await admitConsumer({ chain: context.chain, presented: context }, { manifest, planned }) }
  }
  const pools = await sharedPools(context, manifest)
  signal?.throwIfAborted()
  // A regression is fitted to rows, and a runner is given tables: both are of one home.
  if (manifest.kind !== 'query') throw JobRefusal.of('JOB_NOT_DIVISIBLE')
  if (manifest.handOff !== undefined) throw JobRefusal.of('HAND_OFF_NOT_SHARED')
  // Every home judges for every pool: what another one should refuse is not asked for.
  requireViews(pools, manifest)
  const planned = requireAllUsed(await planQueryJob(manifest, pools), pools)
  signal?.throwIfAborted()
  const admitted = await admitConsumer({ chain: context.chain, presented: context }, { manifest, planned })
  const shared = { ...planned, ...admitted }
  const homes = await homesOf(context, pools)
  try {
    requireDivisible(shared.query, (name) => homes.get(name) ?? name)
  } catch (error) {
    if (error instanceof QueryError) throw JobRefusal.fromPlanner(error)
    throw error
  }
  const charges = shared.charges.flatMap((charge): PoolCharge<ServedPool>[] => {
    const { pool } = charge
    return isServed(context, pool) ? [{ ...charge, pool }] : []
  })
  return { own: { ...shared, charges }, shared }
}

function isServed({ pools }: Pick<JobContext, 'pools'>, pool: PlannablePool): pool is ServedPool {
  return pools.has(pool.address)
}

/** The pools of a manifest, in its order, narrowed by every restriction that the chain shows now. */
async function sharedPools(context: PlanContext, manifest: JobManifest): Promise<readonly PlannablePool[]> {
  const pools = await Promise.all(
    manifest.pools.map(async ({ address, name }) => {
      const lower = address.toLowerCase() as Address
      const own = context.pools.get(lower)
      const pool = own ?? context.federation?.pools.get(lower)
      if (pool === undefined || pool.name !== name) throw JobRefusal.of('POOL_NOT_SERVED')
      // Another home's policy may have been replaced since this node's settings were written.
      const same = own !== undefined || (await context.chain.pool(lower)).policyDigest === pool.policyDigest
      if (!same) throw JobRefusal.of('POOL_NOT_SERVED')
      return pool
    }),
  )
  const narrowed = await narrowedPools(context, pools)
  requirePurpose(narrowed, manifest)
  return narrowed
}

/** The node whose key each pool's data is sealed to, by the pool's name. */
async function homesOf(
  { chain }: Pick<JobContext, 'chain'>,
  pools: readonly PlannablePool[],
): Promise<ReadonlyMap<string, string>> {
  const homes = await Promise.all(
    pools.map(
      async ({ address, name }) => [name, (await chain.pool(address)).keyEpoch?.node ?? name] as const,
    ),
  )
  return new Map(homes)
}
