import { CryptoError } from '../errors.js'
import { requireByteString } from './bytes.js'

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

/**
 * Whether all that an object holds is its own: no array, map or instance, nothing inherited.
 *
 * @param value - any value
 * @returns true for a plain object that can be read
 */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isReadable(value) || isList(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // The root of any realm's objects, whose members are not enumerable.
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.keys(prototype as object).length === 0)
  )
}

/**
 * Refuses options under a name that is not known: a protection that is misspelt would be none. Protections are refused also where
 * they are there and undefined, which is how a setting that is missing looks.
 *
 * @param options - what the caller gave
 * @param names - all that are known
 * @param protections - those whose absence is only by leaving them out
 * @param place - named in the error
 * @throws CryptoError `OPTION_INVALID`
 */
export function requireKnownNames(
  options: unknown,
  names: readonly string[],
  protections: readonly string[] = [],
  place = 'options',
): void {
  if (!isPlain(options)) throw new CryptoError('OPTION_INVALID', place, 'expected a plain object')
  for (const name of Reflect.ownKeys(options).map(String)) {
    if (!names.includes(name)) {
      // Not the name itself, which may be anything.
      throw new CryptoError(
        'OPTION_INVALID',
        place,
        `a name that is not known; there are ${names.join(', ')}`,
      )
    }
    if (protections.includes(name) && options[name] === undefined) {
      throw new CryptoError('OPTION_INVALID', `${place}.${name}`, 'undefined; leave out what is not wanted')
    }
  }
}

/**
 * Copies byte strings before the first wait: what counts is what was given at the call, and the caller may wipe it after that.
 *
 * @param options - what the caller gave
 * @param names - of the byte strings, all of them required
 * @returns the options with copies
 * @throws CryptoError `OPTION_INVALID` for anything else than bytes
 */
export function ownBytes<Options extends object, Name extends keyof Options & string>(
  options: Options,
  names: readonly Name[],
): Options {
  const own: Options = { ...options }
  for (const name of names) {
    const bytes: unknown = own[name]
    requireByteString(bytes, name)
    own[name] = new Uint8Array(bytes) as Uint8Array as Options[Name]
  }
  return own
}
