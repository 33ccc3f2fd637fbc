import type { Digest, JsonValue } from '@sealpool/crypto'
import type { Charge, PoolPolicy } from '@sealpool/privacy'
import { ComputeError } from '../errors.js'
import { type JobManifest, manifestDigest } from '../job/manifest.js'
import { type DesignFeature, type DesignTarget, publicDesign } from '../linear-regression/design.js'
import { collinear } from '../linear-regression/linear-regression.js'
import { type RegressionMechanism, regressionMechanism } from '../linear-regression/mechanism.js'
import { parseLinearRegression } from '../linear-regression/parameters.js'
import { columnKey, lookUpFeature, lookUpTarget, notAllowed } from './column-lookup.js'
import { computationDigest } from './digest.js'

/** A column that a computation reads. */
export interface PlannedColumn {
  readonly pool: string
  readonly table: string
  readonly column: string
  /** Key under which `runComputation` expects the value in a row. */
  readonly key: string
}

/** Everything about a run that can be known without data. Plain JSON; its canonical form has a digest. */
export interface ComputationPlan {
  readonly format: 'sealpool/computation-plan'
  readonly version: 1
  readonly computation: 'linear-regression'
  readonly code: Digest
  readonly manifest: Digest
  readonly columns: readonly PlannedColumn[]
  /** What the job costs each pool, by pool address. */
  readonly charge: { readonly [pool: string]: Charge }
  readonly minimumContributors: number
  readonly model: { readonly target: DesignTarget; readonly features: readonly DesignFeature[] }
  readonly mechanism: RegressionMechanism
}

/**
 * Checks a compute job against the policies of its pools and works out its noise and its cost.
 *
 * A contributor's data is one joined row, however many pools hold parts of it. So the same noise protects all
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
    mechanism,
  }
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

function checkPool(manifest: JobManifest, place: string, name: string, policy: PoolPolicy | undefined): void {
  if (policy === undefined) {
    throw new ComputeError(
      'MANIFEST_INVALID',
      place,
      `No policy was given for pool ${name}. Pass the policies of all pools of the manifest.`,
    )
  }
  const computation = manifest.compute?.computation ?? ''
  if (!policy.code.computations.includes(computation)) {
    throw notAllowed('compute.computation', `Pool ${name} does not accept the computation ${computation}.`)
  }
  if (!policy.purposes.includes(manifest.purpose)) {
    throw notAllowed(
      'purpose',
      `Pool ${name} does not accept this purpose. It accepts: ${policy.purposes.join('; ')}.`,
    )
  }
  for (const other of manifest.pools) {
    if (other.name === name) continue
    if (!policy.joins.allowed || !policy.joins.with.includes(other.name)) {
      throw notAllowed(place, `Pool ${name} does not let itself be joined with pool ${other.name}.`)
    }
  }
  const { perJob } = policy.privacy
  for (const quantity of ['epsilon', 'delta'] as const) {
    if (manifest.privacy[quantity] > perJob[quantity]) {
      throw new ComputeError(
        'BUDGET_PER_JOB_EXCEEDED',
        `privacy.${quantity}`,
        `Pool ${name} gives one job at most ${quantity} ${perJob[quantity]}. Ask for less.`,
      )
    }
  }
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
