import type { JsonValue } from '@sealpool/crypto'
import { outputRuleOf, type PoolPolicy } from '@sealpool/privacy'
import { ComputeError } from '../errors.js'
import { type JobManifest, manifestDigest } from '../job/manifest.js'
import { type DesignFeature, type DesignTarget, publicDesign } from '../linear-regression/design.js'
import { collinear } from '../linear-regression/linear-regression.js'
import { type RegressionMechanism, regressionMechanism } from '../linear-regression/mechanism.js'
import { parseLinearRegression } from '../linear-regression/parameters.js'
import { type ProgramPlan, planProgram } from '../program/plan-program.js'
import { checkPool } from './check-pool.js'
import { columnKey, lookUpFeature, lookUpTarget, notAllowed } from './column-lookup.js'
import { computationDigest } from './digest.js'
import type { PlanHead, PlannedColumn } from './plan-head.js'

/** What is known of a regression without data. Plain JSON; its canonical form has a digest. */
export interface RegressionPlan extends PlanHead {
  readonly computation: 'linear-regression'
  readonly model: { readonly target: DesignTarget; readonly features: readonly DesignFeature[] }
  /** Digits of released numbers where a policy bounds them, or null. */
  readonly significantDigits: number | null
  readonly mechanism: RegressionMechanism
}

/** Everything about a run that can be known without data. Plain JSON; its canonical form has a digest. */
export type ComputationPlan = RegressionPlan | ProgramPlan

/**
 * Checks a compute job against the policies of its pools and works out its noise and its cost.
 *
 * Of a regression, a contributor's data is one joined row, however many pools hold parts of it. So the same noise protects all
 * pools, and each of them is charged the job's full epsilon and delta.
 *
 * @param options - `manifest`: parsed; `policies`: parsed policies of exactly its pools, matched by name.
 * @returns The plan. It depends on manifest and policies alone.
 * @throws ComputeError `NOT_ALLOWED` when a policy forbids it; `BUDGET_PER_JOB_EXCEEDED`; `PARAMETERS_INVALID`;
 *   `COMPUTATION_UNKNOWN`; `SINGULAR` for features that are collinear whatever the data; `MANIFEST_INVALID`
 *   for a query job.
 */
export function planComputation(options: {
  readonly manifest: JobManifest
  readonly policies: readonly PoolPolicy[]
}): ComputationPlan {
  const { manifest } = options
  if (manifest.compute === null) {
    throw new ComputeError('MANIFEST_INVALID', 'kind', 'This manifest is a query, not a computation.')
  }
  if (manifest.compute.computation === 'program') return planProgram(options)
  const code = computationDigest(manifest.compute.computation)
  const policies = new Map(options.policies.map((policy) => [policy.name, policy]))
  manifest.pools.forEach((pool, index) => {
    checkPool(manifest, `pools[${index}]`, pool.name, policies.get(pool.name))
  })
  const named = new Map([...policies].filter(([name]) => manifest.pools.some((pool) => pool.name === name)))
  const parameters = parseLinearRegression(manifest.compute.parameters)
  const target = lookUpTarget(parameters.target, named)
  const features = parameters.features.map((feature, index) => lookUpFeature(feature, index, named))
  if (publicDesign(features) === null) throw collinear()
  const output = outputRuleOf([...named.values()])
  requireRows(features.length + 1, output?.maximumRows ?? null)
  const columns = plannedColumns([parameters.target, ...parameters.features])
  for (const [index, { name }] of manifest.pools.entries()) {
    if (!columns.some(({ pool }) => pool === name)) {
      throw new ComputeError(
        'MANIFEST_INVALID',
        `pools[${index}]`,
        `The computation reads nothing from pool ${name}. Remove it: every listed pool is charged.`,
      )
    }
  }
  const { epsilon, delta } = manifest.privacy
  const { mechanism, charge } = regressionMechanism({ epsilon, delta, width: features.length + 1 })
  return {
    format: 'sealpool/computation-plan',
    version: 1,
    computation: 'linear-regression',
    code,
    manifest: manifestDigest(manifest),
    columns,
    charge: Object.fromEntries(manifest.pools.map(({ address }) => [address, charge])),
    minimumContributors: Math.max(...[...named.values()].map(({ privacy }) => privacy.minimumContributors)),
    model: { target, features },
    significantDigits: output?.significantDigits ?? null,
    mechanism,
  }
}

function requireRows(coefficients: number, most: number | null): void {
  if (most === null || coefficients <= most) return
  throw notAllowed(
    'compute.parameters.features',
    `The policies let at most ${most} rows of an answer leave, and the intercept and these features are ${coefficients}. Use fewer features.`,
  )
}

/**
 * A plan as a JSON value, for canonical JSON and digests.
 *
 * @param plan - the plan of a computation
 * @returns the same plan, typed as JSON
 */
export function planJson(plan: ComputationPlan): JsonValue {
  return plan as unknown as JsonValue
}

function plannedColumns(
  names: readonly { readonly pool: string; readonly table: string; readonly column: string }[],
): PlannedColumn[] {
  const columns = new Map<string, PlannedColumn>()
  for (const { pool, table, column } of names) {
    const key = columnKey({ pool, table, column })
    columns.set(key, { pool, table, column, key })
  }
  return [...columns.values()]
}
