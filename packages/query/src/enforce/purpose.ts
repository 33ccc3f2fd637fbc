import type { PlanPool } from '../catalogue/catalogue.js'
import { QueryError } from '../errors.js'

/**
 * Checks what a statement is asked for against the purposes of every pool that it reads.
 *
 * @param purpose as the policies write it; null when none was named
 * @throws QueryError `PURPOSE_NOT_ALLOWED`
 */
export function checkPurpose(purpose: string | null, pools: readonly PlanPool[]): void {
  for (const { name, policy } of pools) {
    const allowed =
      purpose === null ? policy.output?.purposeRequired !== true : policy.purposes.includes(purpose)
    if (!allowed) throw new QueryError('PURPOSE_NOT_ALLOWED', `pools.${name}.purposes`)
  }
}
