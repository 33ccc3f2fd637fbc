import { CryptoError } from '../errors.js'

/**
 * Refuses what is no object, and one that cannot be read: a revoked proxy, getters that throw.
 *
 * @param options - what the caller gave in the place of options or of a value of this package
 * @param place - named in the error
 * @returns the same
 * @throws CryptoError `OPTION_INVALID`
 */
export function requireOptions<Options>(options: Options, place = 'options'): Options {
  if (isReadable(options)) return options
  throw new CryptoError('OPTION_INVALID', place, 'expected an object')
}

/**
 * Whether a value is an object that can be read.
 *
 * @param value - any value
 * @returns false for a revoked proxy, and where a getter throws
 */
export function isReadable(value: unknown): value is Readonly<Record<string, unknown>> {
  try {
    if (typeof value !== 'object' || value === null) return false
    for (const name in value) void (value as Readonly<Record<string, unknown>>)[name]
    return true
  } catch {
    return false
  }
}

/**
 * Whether a value is an array.
 *
 * @param value - any value
 * @returns false also for a revoked proxy, at which `Array.isArray` throws
 */
export function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/**
 * Reads a list once.
 *
 * @param list - what the caller gave
 * @param place - named in the error
 * @returns a copy, whose holes are undefined
 * @throws CryptoError `OPTION_INVALID` for what is no array, or cannot be read
 */
export function requireList<Item>(list: readonly Item[], place: string): Item[] {
  try {
    if (isList(list)) return Array.from(list)
  } catch {
    // Refused below.
  }
  throw new CryptoError('OPTION_INVALID', place, 'expected an array')
}
