import { AttestError } from '../errors.js'

/**
 * The roots that a caller trusts besides the vendors'.
 *
 * @param given as the caller gave them; in a text any part of it would be found
 * @returns their digests
 * @throws AttestError `BAD_ARGUMENT` when they are no list
 */
export function namedRoots(given: readonly string[] | undefined): readonly string[] {
  // Callers without types may give anything.
  if (given !== undefined && !Array.isArray(given))
    throw new AttestError('BAD_ARGUMENT', 'options.trustedRoots', 'A list of digests is expected')
  return given ?? []
}
