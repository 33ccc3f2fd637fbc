import type { PoolPolicy } from '@sealpool/privacy'
import { ComputeError } from '../errors.js'
import type { JobManifest } from '../job/manifest.js'
import { notAllowed } from './column-lookup.js'

/**
 * Holds a compute job against a pool's policy: computation, purpose, joins and what one job may cost.
 *
 * @param manifest - Of the job.
 * @param place - Where the manifest names the pool.
 * @param name - The pool's.
 * @param policy - The pool's; undefined when none was given.
 * @throws ComputeError `NOT_ALLOWED`, `BUDGET_PER_JOB_EXCEEDED`, `MANIFEST_INVALID` without a policy.
 */
export function checkPool(
  manifest: JobManifest,
  place: string,
  name: string,
  policy: PoolPolicy | undefined,
): asserts policy is PoolPolicy {
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
