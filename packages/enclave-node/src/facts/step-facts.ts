/**
 * Facts about a pool's tables, signed by the node: reserved and charged in one transaction, anchored, computed, signed. As with jobs, whatever
 * is cut off is done again on the same inputs with the same noise, so that an old disk gives no second sample.
 * @module
 */
import { type Address, canonicalBytes, decodeHex, digestOf, digestToHex } from '@sealpool/crypto'
import { signDatasetFacts } from '@sealpool/poc'
import { keyedFingerprint } from '@sealpool/privacy'
import type { AuditLog } from '../audit/audit-file.js'
import type { PoolFacts } from '../config/facts-settings.js'
import { lastingScope, type ServedPool } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import { noiseStream } from '../job/job-noise.js'
import { JobPutOff, JobRefusal } from '../job/job-refusal.js'
import { requireAnchored, requireNotBehind } from '../job/reserve-job.js'
import { tableLoad } from '../job/run-on-engine.js'
import { narrowedPools } from '../policy/narrowed-pools.js'
import { jobInputs } from '../release/job-inputs.js'
import { consentsApply } from '../state/consent-table.js'
import { refinedContributors } from '../state/contribution-table.js'
import { endFacts, type FactsRow, factsOf, reserveFacts, type TableFacts } from '../state/facts-table.js'
import { canAfford, chargeBudgets } from '../state/pglite-ledger.js'
import { policyApplies } from '../state/policy-table.js'
import { poolRefinements, type Refinement } from '../state/refinement-table.js'
import type { Sql } from '../state/state-store.js'
import { isRebuilding } from '../state/withdrawal.js'
import { computeFacts } from './compute-facts.js'
import { type FactsInput, type FactsPlan, planFacts } from './facts-plan.js'

/** What facts work with. */
export interface FactsContext
  extends Pick<
    JobContext,
    | 'store'
    | 'chain'
    | 'blobStore'
    | 'keys'
    | 'sign'
    | 'parts'
    | 'anchoring'
    | 'heads'
    | 'openEngine'
    | 'isListed'
    | 'stopped'
  > {
  readonly audit: Pick<AuditLog, 'write'>
  /** Told when a set is given up although it was charged. */
  readonly onGivenUp: (pool: ServedPool, number: number, error: unknown) => void
}

/**
 * Brings a pool's facts a step further: reserves a set that is due, or finishes one that is reserved.
 * @returns how many sets were signed or given up; 0 when there is nothing to do now
 */
export async function stepFacts(context: FactsContext, pool: ServedPool): Promise<number> {
  const { store } = context
  const rule = pool.facts
  if (rule === null) return 0
  const sets = await factsOf(store, pool.address)
  const last = sets.at(-1)
  if (last?.state !== 'reserved' && !(await isDue(context, pool, rule, sets))) return 0
  try {
    const plan = await planNow(context, pool)
    // A disk that is older than the chain charges nothing: its ledger would fork.
    if (last?.state !== 'reserved') await requireNotBehind(context, pool.address)
    const reserved =
      last?.state === 'reserved' ? last : plan === null ? undefined : await reserve(context, pool, rule, plan)
    if (reserved === undefined) return 0
    await requireAnchored(context, {
      versions: [{ pool: pool.address, version: reserved.reservation.version }],
    })
    return await finish(context, pool, plan, reserved)
  } catch (error) {
    // A pool that is stopped, a restriction that cannot be read, an anchor that waits: looked at again.
    if (error instanceof JobPutOff || error instanceof JobRefusal) return 0
    throw error
  }
}

/** A set that was given up is tried again after a day, then two, four, and so on: whoever brings that about is no reason to charge each round. */
const againSeconds = 86_400

async function isDue(
  { store, chain }: FactsContext,
  pool: ServedPool,
  rule: PoolFacts,
  sets: readonly FactsRow[],
): Promise<boolean> {
  const signed = sets.filter(({ state }) => state === 'signed')
  if (signed.length >= rule.most) return false
  const last = sets.at(-1)
  if (last?.state === 'given-up') {
    const inARow = sets.length - 1 - sets.findLastIndex(({ state }) => state !== 'given-up')
    const pause = againSeconds * 2 ** Math.min(inARow - 1, 20)
    if ((await chain.head()).timestamp < last.reservation.at + pause) return false
  }
  // Tables under another policy are others, and begin anew.
  const before = signed.findLast(({ reservation }) => isOfPolicy(pool, reservation))
  const grown = Math.ceil((before?.reservation.contributors ?? 0) * rule.growth)
  const contributors = await refinedContributors(store, pool.address)
  return contributors >= Math.max(rule.from, grown)
}

function isOfPolicy(
  { policyDigest }: ServedPool,
  { policy = policyDigest }: FactsRow['reservation'],
): boolean {
  return policy === policyDigest
}

/** Reserves and charges a set; undefined when the tables are rebuilt at the moment, are too large, or the budget has no room. */
async function reserve(
  { store, chain }: FactsContext,
  pool: ServedPool,
  rule: PoolFacts,
  plan: FactsPlan,
): Promise<FactsRow | undefined> {
  const { address } = pool
  const { timestamp } = await chain.head()
  return store.transaction(async (tx) => {
    const contributors = await refinedContributors(tx, address)
    // By public numbers: what the tables really hold decides nothing.
    const largest = Math.max(...plan.tables.map((table) => table.rowsPerContributor)) * contributors
    if (contributors < plan.support || largest > rule.maximumRows) return undefined
    const number = ((await factsOf(tx, address)).at(-1)?.number ?? 0) + 1
    const request = {
      pool: address,
      job: `facts ${number} ${plan.digest}`,
      leaves: plan.tables.map((table) => `${pool.name}.${table.name}`),
      charge: plan.charge,
    }
    if (!(await canAfford(tx, [request])) || (await isRebuilding(tx, address))) return undefined
    // What was accepted under a text that counts no more is still in the tables.
    if (!(await consentsApply(tx, address, pool.consents))) return undefined
    if (!(await policyApplies(tx, address, pool.policyDigest))) return undefined
    // All contributions are read for it: only when nothing stands in the way any more.
    const [found] = await jobInputs(tx, [pool])
    if (found === undefined) return undefined
    const [charged] = await chargeBudgets(tx, [{ ...request, job: `${request.job} ${found.root}` }])
    if (charged === undefined) return undefined
    const reservation = {
      plan: plan.digest,
      policy: pool.policyDigest,
      version: charged.after.version,
      at: timestamp,
      inputs: found.root,
      contributions: found.count,
      contributors: found.contributors,
      refinements: (await poolRefinements(tx, address)).map(({ id }) => id),
    }
    await reserveFacts(tx, address, number, reservation)
    return { number, reservation, state: 'reserved', statements: null }
  })
}

async function finish(
  context: FactsContext,
  pool: ServedPool,
  plan: FactsPlan | null,
  row: FactsRow,
): Promise<number> {
  const { store, audit } = context
  const { number, reservation } = row
  let statements: readonly TableFacts[] | null = null
  try {
    const kept = await keptRefinements(store, pool, reservation)
    // Taken back or narrowed since: other facts would be a second answer for one charge. Of another policy: there is no key to these tables any more.
    if (isOfPolicy(pool, reservation) && plan?.digest === reservation.plan && kept !== undefined) {
      statements = await signedFacts(context, pool, plan, row, kept)
    } else context.onGivenUp(pool, number, undefined)
  } catch (error) {
    context.onGivenUp(pool, number, error)
  }
  // What was narrowed or paused while it was computed counts as well.
  if (statements !== null && (await planNow(context, pool))?.digest !== reservation.plan) {
    context.onGivenUp(pool, number, undefined)
    statements = null
  }
  // Keys that have gone elsewhere sign nothing more, and neither does a node that was told to stop: it is computed again.
  if (context.stopped?.() === true || !(await context.isListed())) return 0
  const signed = await store.transaction(async (tx) => {
    const untouched = await keptRefinements(tx, pool, reservation)
    const told = untouched === undefined ? null : statements
    await endFacts(tx, pool.address, number, told)
    return told !== null
  })
  if (statements !== null && !signed) context.onGivenUp(pool, number, undefined)
  audit.write({
    event: signed ? 'facts-signed' : 'facts-given-up',
    facts: { pool: pool.address, number },
  })
  return 1
}

/** The refinements that a set was reserved with; undefined when something of them was taken back since. */
async function keptRefinements(
  sql: Sql,
  pool: ServedPool,
  { refinements }: FactsRow['reservation'],
): Promise<readonly Refinement[] | undefined> {
  const kept = (await poolRefinements(sql, pool.address)).filter(({ id }) => refinements.includes(id))
  return kept.length === refinements.length ? kept : undefined
}

/**
 * What facts would be now.
 * @returns null where the policy, as it is restricted, leaves no room
 * @throws JobPutOff while the pool is paused, JobRefusal or JobPutOff when a restriction cannot be read
 */
async function planNow(context: FactsContext, pool: ServedPool): Promise<FactsPlan | null> {
  const { chain } = context
  if (pool.facts === null) return null
  const { timestamp } = await chain.head()
  if ((await chain.pool(pool.address)).pausedUntil > timestamp)
    throw new JobPutOff('POOL_PAUSED', 'the pool is paused')
  const [narrowed] = await narrowedPools(context, [pool])
  return narrowed === undefined ? null : planFacts(narrowed, pool.facts)
}

async function signedFacts(
  context: FactsContext,
  pool: ServedPool,
  plan: FactsPlan,
  { number, reservation }: FactsRow,
  refinements: readonly Refinement[],
): Promise<readonly TableFacts[]> {
  const { keys, sign } = context
  const secret = (purpose: string, table = '') =>
    decodeHex(
      `0x${keyedFingerprint({
        key: keys.poolSecret(purpose, lastingScope(pool)),
        domain: `${purpose}/seed`,
        data: canonicalBytes({ number, table, plan: reservation.plan, inputs: reservation.inputs }),
      })}`,
    )
  const engine = context.openEngine({ pseudonymKey: secret('dataset-facts-pseudonyms') })
  try {
    for (const { name, columns } of plan.tables) {
      const parts = refinements.flatMap((one) => one.parts.filter(({ table }) => table === name))
      await engine.load(
        tableLoad(
          { name: `${pool.name}.${name}`, columns },
          {
            paths: context.parts.paths(pool, parts),
            key: keys.poolSecret('table-storage', lastingScope(pool)),
          },
        ),
      )
    }
    const signed: TableFacts[] = []
    for (const table of plan.tables) {
      const facts = await computeFacts({
        engine,
        name: `${pool.name}.${table.name}`,
        table,
        plan,
        rows: reservation.contributors * table.rowsPerContributor,
        noise: {
          counts: noiseStream(secret('dataset-facts', table.name)),
          words: noiseStream(secret('dataset-facts-words', table.name)),
        },
      })
      const input: FactsInput = {
        format: 'sealpool/facts-input',
        version: 1,
        pool: pool.address,
        policy: pool.policyDigest,
        table: table.name,
        number,
        plan: plan.digest,
        inputs: reservation.inputs,
        contributions: reservation.contributions,
      }
      const commitment = digestOf(input)
      const statement = signDatasetFacts({
        facts,
        pool: pool.address,
        context: {
          chainId: sign.deployment.chainId,
          registry: sign.deployment.nodeRegistry as Address,
          subject: digestToHex(commitment),
          commitment,
        },
        privateKey: keys.statementKey,
      })
      signed.push({ table: table.name, input, statement })
    }
    return signed
  } finally {
    await engine.close()
  }
}
