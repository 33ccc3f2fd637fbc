import { CryptoError, type CryptoErrorCode } from '../errors.js'
import { requireByteString } from './bytes.js'

/**
 * Refuses what is no plain object. The one rule for all options: of another object a spread loses what is inherited, such as the
 * getters of a class, and what does not enumerate, and a protection that is lost on the way would be none.
 *
 * @param options - what the caller gave in the place of options or of a value of this package
 * @param place - named in the error
 * @param code - reason of a refusal
 * @returns the same
 * @throws CryptoError with `code`
 */
export function requireOptions<Options>(
  options: Options,
  place = 'options',
  code: CryptoErrorCode = 'OPTION_INVALID',
): Options {
  if (isPlain(options)) return options
  throw new CryptoError(code, place, 'expected a plain object')
}

/**
 * Whether all that an object holds is data of its own, so that a spread loses nothing and two readings agree: no array, map or
 * instance of a class, nothing inherited, hidden or computed.
 *
 * @param value - any value
 * @returns true for a plain object; false also for a revoked proxy
 */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  try {
    const prototype: unknown = Object.getPrototypeOf(value)
    return (
      // The root of any realm's objects is the one that has this method itself.
      (prototype === null || Object.hasOwn(prototype as object, 'isPrototypeOf')) &&
      // Here functions fail too: their name and length do not enumerate.
      Object.values(Object.getOwnPropertyDescriptors(value)).every(
        (field) => field.enumerable && 'value' in field,
      )
    )
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
  requireOptions(options, place)
  const given = options as Readonly<Record<string, unknown>>
  for (const name of Reflect.ownKeys(given).map(String)) {
    if (!names.includes(name)) {
      // Not the name itself, which may be anything.
      throw new CryptoError(
        'OPTION_INVALID',
        place,
        `a name that is not known; there are ${names.join(', ')}`,
      )
    }
    if (protections.includes(name) && given[name] === undefined) {
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
