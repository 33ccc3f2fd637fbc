import { CryptoError, type CryptoErrorCode } from '../errors.js'

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
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const own: Record<string, unknown> = { ...value }
      // Symbols are copied too, and are none of the names.
      const found = Reflect.ownKeys(own)
      if (found.length === names.length && names.every((name) => found.includes(name))) return own
    }
  } catch (error) {
    cause = error
  }
  throw new CryptoError(code, place, `expected exactly the fields ${names.join(', ')}`, { cause })
}
