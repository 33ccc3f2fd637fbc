import type { RefineBatchOptions } from '@sealpool/refine'
import type { IngestContext } from './ingest-context.js'
import { lastingScope, type ServedPool } from './served-pool.js'

/**
 * What a pool's contributions are refined with, besides themselves: the approved refiner, where it runs, and the pool's secrets that rows
 * are salted and hashed under.
 *
 * @param context runtime, limits and keys of the node
 * @param pool whose refiner
 * @returns options of `refineBatch`
 */
export function refinerTerms(
  context: Pick<IngestContext, 'runtime' | 'limits' | 'keys'>,
  pool: Pick<ServedPool, 'refiner' | 'address' | 'chainId' | 'policyDigest'>,
): Omit<RefineBatchOptions, 'contributions'> {
  const scope = lastingScope(pool)
  return {
    refiner: pool.refiner,
    runtime: context.runtime,
    limits: context.limits.refiner,
    salt: context.keys.poolSecret('refinement-commitment', scope),
    // For columns that say `hash`: one address has one hash in all of the pool's rows, and none that anybody else can make.
    piiKey: context.keys.poolSecret('personal-data', scope),
  }
}
