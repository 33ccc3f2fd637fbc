import { CryptoError, type CryptoErrorCode } from '../errors.js'

/**
 * Whether a value is a plain object that has some fields of its own and no others.
 *
 * @param value - of unknown origin
 * @param names - the fields
 * @returns true when it has exactly these
 */
export function hasExactly(
  value: unknown,
  names: readonly string[],
): value is Readonly<Record<string, unknown>> {
  try {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const own = Object.keys(value)
    return own.length === names.length && names.every((name) => own.includes(name))
  } catch {
    // A revoked proxy.
    return false
  }
}

/**
 * Reads an object of unknown origin once.
 *
 * @param value - what was received
 * @param names - the fields it must have, and no others
 * @param code - reason of a refusal
 * @param place - where the object stands
 * @returns a copy of its fields
 * @throws CryptoError with `code`; also where a getter throws
 */
export function exactly(
  value: unknown,
  names: readonly string[],
  code: CryptoErrorCode,
  place: string,
): Readonly<Record<string, unknown>> {
  let cause: unknown
  try {
    if (hasExactly(value, names)) return { ...value }
  } catch (error) {
    cause = error
  }
  const why = `expected exactly the fields ${names.join(', ')}`
  throw new CryptoError(code, place, why, { cause })
}
