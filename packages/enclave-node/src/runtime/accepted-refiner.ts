import { type Address, sha256Digest } from '@sealpool/crypto'
import { type BundledRefiner, hasVectors, parseRefinerSchema } from '@sealpool/refine'
import type { PoolConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'

/**
 * Reads a refiner of the settings and holds it against what the pool has accepted.
 * @param pool its address
 * @param given as the settings have it
 * @param accepted its digest as policy and chain say it
 * @param list of the settings in which the pool stands
 * @throws NodeError `CONFIG_POOL_MISMATCH`; RefineError `SCHEMA_INVALID`
 */
export function acceptedRefiner(
  pool: Address,
  given: PoolConfig['refiner'],
  accepted: readonly string[],
  list: 'pools' | 'validates.pools',
): BundledRefiner {
  const { code, digest } = given
  const mismatch = (why: string) => new NodeError('CONFIG_POOL_MISMATCH', `${list} ${pool} refiner`, why)
  const own = sha256Digest(new TextEncoder().encode(code))
  if ([digest, ...accepted].some((other) => other !== own))
    throw mismatch('what the settings give is not what the pool accepted; use the accepted file')
  const schema = parseRefinerSchema(given.schema)
  // A model is part of what a node runs, and none is measured with it.
  if (hasVectors(schema))
    throw mismatch(
      'the refiner asks for embeddings, which a node does not make; use a refiner without vector columns',
    )
  return { code, digest, schema }
}
