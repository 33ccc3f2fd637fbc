import { predrawn } from '@sealpool/privacy'
import type { PublicValue } from '../bind/key.js'
import type { SqlEngine } from '../engine/engine.js'
import { checkPlan, type PlanToday } from '../plan/check-plan.js'
import {
  type ColumnKind,
  hasOpenGroups,
  type PlanCharge,
  type QueryPlan,
  type ReleasePlan,
  releasesOf,
} from '../plan/plan.js'
import { boundOutput } from './bound-output.js'
import { prepareNoise } from './noise.js'
import { type CellInterval, runStage } from './post-process.js'
import type { ReleasedGroup } from './released-value.js'
import { type ExactGroup, exactGroups } from './statistics.js'

export type { CellInterval } from './post-process.js'

/** The answer of a query: JSON that may leave. */
export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly kind: ColumnKind }[]
  /** One entry for each column. */
  readonly rows: readonly (readonly PublicValue[])[]
  /**
   * Beside each cell of `rows`: the interval that holds the exact number; null for keys and for what has no interval
   * (spreads, relations, quantiles, computed values).
   */
  readonly intervals: readonly (readonly (CellInterval | null)[])[]
  /** How many groups were left out is not told: groups without rows are among them. */
  readonly suppressedGroups: 'unknown'
  /** What each pool was charged, by its name. */
  readonly charge: Readonly<Record<string, PlanCharge>>
  readonly notes: readonly string[]
}

/**
 * Runs a plan and releases its answer: exact statistics from the engine, noise that was drawn before they were
 * asked for, suppression of small groups by their noisy count, HAVING, ORDER BY and LIMIT on what is left.
 *
 * Nothing of the answer may leave before the plan's pools are charged, durably; a call that fails has looked at the data
 * and must be charged all the same.
 *
 * @param options `plan` of {@link planQuery}, an `engine` with the plan's tables, `random`: a source of
 *   cryptographically secure random bytes, and for plans that were stored `pools`, `grant` and `template`
 *   of today, see {@link checkPlan}
 * @returns the answer with 95 % intervals
 * @throws QueryError `PLAN_INVALID`, `PLAN_OUTDATED`, `ENGINE_...`, `STATEMENT_REFUSED`; what the engine throws may depend on the data
 *   and must not be told apart to whoever asks: {@link answerer} makes one refusal of all
 */
export async function executePlan(
  options: {
    readonly plan: QueryPlan
    readonly engine: SqlEngine
    readonly random: (length: number) => Uint8Array
  } & PlanToday,
): Promise<QueryResult> {
  const plan = checkPlan(options.plan, options)
  return releaseAnswer(plan, options.random, (release) => exactGroups(release, options.engine))
}

/**
 * Releases the answer of a checked plan.
 *
 * @param exact gives the exact numbers of a release, at its position; noise is drawn before the first is asked for
 */
export async function releaseAnswer(
  plan: QueryPlan,
  random: (length: number) => Uint8Array,
  exact: (release: ReleasePlan, position: number) => Promise<readonly ExactGroup[]>,
): Promise<QueryResult> {
  const pool = predrawn(random)
  const releases = releasesOf(plan).map((release) => ({
    release,
    finish: prepareNoise(release, pool, random),
  }))
  const groups: (readonly ReleasedGroup[])[] = []
  for (const [position, { release, finish }] of releases.entries()) {
    groups.push(finish(await exact(release, position)))
  }
  const { rows, intervals } = boundOutput(runStage(plan, groups), plan.output ?? null, plan.columns)
  return {
    columns: plan.columns.map(({ name, kind }) => ({ name, kind })),
    rows,
    intervals,
    suppressedGroups: 'unknown',
    charge: Object.fromEntries(plan.pools.map(({ name, charge }) => [name, charge])),
    notes: notesOf(plan),
  }
}

function notesOf(plan: QueryPlan): readonly string[] {
  const { minimum } = plan.minimumContributors
  const open = hasOpenGroups(plan)
  return [
    `Noise was added: ${plan.privacy.rhoPico === undefined ? 'discrete Laplace' : 'discrete Gaussian'}, epsilon ${plan.privacy.epsilonNano / 1e9}${plan.privacy.rhoPico === undefined ? '' : ` at delta ${plan.privacy.delta}`} in each of the pools ${plan.pools.map(({ name }) => name).join(', ')}.`,
    'Intervals hold the exact number of the pooled data with 95 % confidence for each cell; they do not cover the sampling of people.',
    `Groups with a noisy count below ${minimum} contributors are left out; a group that is missing may be empty or small.`,
    ...(open
      ? ['Groups of unknown name appear by partition selection: small ones are left out by chance.']
      : []),
    ...(plan.output?.maximumRows == null
      ? []
      : [`At most ${plan.output.maximumRows} rows of an answer leave; there may have been more.`]),
    'Values outside of the bounds of the policy count as the bound.',
  ]
}
