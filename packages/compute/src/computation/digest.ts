import { type Digest, digestOf, type JsonValue } from '@sealpool/crypto'
import { ComputeError } from '../errors.js'

/** Built-in computations by id, with the version of their method. A changed method is a new version. */
const COMPUTATIONS: { readonly [id: string]: JsonValue } = {
  'linear-regression': {
    format: 'sealpool/computation',
    version: 1,
    id: 'linear-regression',
    method: 'clipped-newton-sufficient-statistics/1',
  },
}

/**
 * Digest of a built-in computation, as plans and receipts carry it in place of a code digest. It names id and
 * method version; the code itself is part of the node's measured image.
 *
 * @param id - For example `linear-regression`.
 * @returns Digest.
 * @throws ComputeError `COMPUTATION_UNKNOWN`.
 */
export function computationDigest(id: string): Digest {
  const description = Object.hasOwn(COMPUTATIONS, id) ? COMPUTATIONS[id] : undefined
  if (description === undefined) {
    throw new ComputeError(
      'COMPUTATION_UNKNOWN',
      'compute.computation',
      `There is no such built-in computation. Known: ${Object.keys(COMPUTATIONS).join(', ')}; code of others is a program.`,
    )
  }
  return digestOf(description)
}
