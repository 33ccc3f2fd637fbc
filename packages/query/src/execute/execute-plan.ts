import { type NoisePool, predrawn } from '@sealpool/privacy'
import type { PublicValue } from '../bind/key.js'
import type { SqlEngine } from '../engine/engine.js'
import { checkPlan } from '../plan/check-plan.js'
import { confidence } from '../plan/expected-error.js'
import type { PlanCharge, QueryPlan } from '../plan/plan.js'
import { releaseNumber } from './cell.js'
import { arrange, type ReleasedGroup, satisfies } from './post-process.js'
import { exactStatistics, groupCodes } from './statistics.js'

/** The answer of a query: JSON that may leave. */
export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly kind: 'key' | 'count' | 'sum' | 'average' }[]
  /** One entry for each column. */
  readonly rows: readonly (readonly PublicValue[])[]
  /** Beside each cell of `rows`: the interval that holds the exact number, null for keys. */
  readonly intervals: readonly (readonly (CellInterval | null)[])[]
  /** How many groups were left out is not told: groups without rows are among them. */
  readonly suppressedGroups: 'unknown'
  /** What each pool was charged, by its name. */
  readonly charge: Readonly<Record<string, PlanCharge>>
  readonly notes: readonly string[]
}

/** An interval around a released number for the exact number in the pool's data. */
export interface CellInterval {
  readonly low: number
  readonly high: number
  readonly confidence: number
}

/**
 * Runs a plan and releases its answer: exact statistics from the engine, noise that was drawn before they were
 * asked for, suppression of small groups by their noisy count, HAVING, ORDER BY and LIMIT on what is left.
 *
 * Nothing of the answer may leave before the plan's pools are charged, durably; a call that fails has looked at the data
 * and must be charged all the same.
 *
 * @param options `plan` of {@link planQuery}, an `engine` with the plan's tables, and `random`: a source of
 *   cryptographically secure random bytes
 * @returns the answer with 95 % intervals
 * @throws QueryError `PLAN_INVALID`, `ENGINE_...`, `STATEMENT_REFUSED`
 */
export async function executePlan(options: {
  readonly plan: QueryPlan
  readonly engine: SqlEngine
  readonly random: (length: number) => Uint8Array
}): Promise<QueryResult> {
  const plan = checkPlan(options.plan)
  const noise = drawNoise(plan, predrawn(options.random))
  const exact = await exactStatistics(plan, options.engine)
  const groups = exact.flatMap((statistics, index): readonly ReleasedGroup[] => {
    const noisy = statistics.map((value, position) => value + (noise[index]?.[position] ?? 0n))
    const contributors = noisy[plan.minimumContributors.statistic] ?? 0n
    if (contributors < BigInt(plan.minimumContributors.minimum)) return []
    const keys = groupCodes(plan, index).map((code, position) => plan.keys[position]?.values[code] ?? null)
    const group = { keys, aggregates: plan.aggregates.map((entry) => releaseNumber(plan, entry, noisy)) }
    return plan.having === null || satisfies(plan.having, group) === true ? [group] : []
  })
  const released = arrange(groups, plan)
  return {
    columns: plan.columns.map(({ name, kind }) => ({ name, kind })),
    rows: released.map((group) =>
      plan.columns.map(({ value }) =>
        value.kind === 'key'
          ? (group.keys[value.key] ?? null)
          : (group.aggregates[value.aggregate]?.value ?? null),
      ),
    ),
    intervals: released.map((group) =>
      plan.columns.map(({ value }) => {
        const number = value.kind === 'key' ? undefined : group.aggregates[value.aggregate]
        return number === undefined ? null : { low: number.low, high: number.high, confidence }
      }),
    ),
    suppressedGroups: 'unknown',
    charge: Object.fromEntries(plan.pools.map(({ name, charge }) => [name, charge])),
    notes: notesOf(plan),
  }
}

/** All noise of a plan, drawn in one go: the time it takes cannot depend on the data. */
function drawNoise(plan: QueryPlan, pool: NoisePool): readonly (readonly bigint[])[] {
  const kinds = plan.statistics.map(({ scale }) => ({
    kind: 'laplace' as const,
    scale: { numerator: BigInt(scale.numerator), denominator: BigInt(scale.denominator) },
  }))
  return Array.from({ length: plan.groups }, () => kinds.map((kind) => pool.draw(kind)))
}

function notesOf(plan: QueryPlan): readonly string[] {
  const { minimum } = plan.minimumContributors
  return [
    `Noise was added: discrete Laplace, epsilon ${plan.privacy.epsilonNano / 1e9} in each of the pools ${plan.pools.map(({ name }) => name).join(', ')}.`,
    'Intervals hold the exact number of the pooled data with 95 % confidence for each cell; they do not cover the sampling of people.',
    `Groups with a noisy count below ${minimum} contributors are left out; a group that is missing may be empty or small.`,
    'Values outside of the bounds of the policy count as the bound.',
  ]
}
