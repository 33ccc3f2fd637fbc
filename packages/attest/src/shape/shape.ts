import { AttestError, type AttestErrorCode } from '../errors.js'

/**
 * Reads one JSON value as a `T`, or throws a {@link ShapeError}. Readers are what a schema library would be, in a fiftieth of
 * its size: verification must be small enough for any page.
 */
export type Reader<T> = ((value: unknown, place: string) => T) & {
  /** Whether a record may leave the field out. */
  readonly optional?: boolean
}

/** A value does not have the form that a reader expects; {@link schema} turns it into an `AttestError`. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
  readonly place: string
  constructor(place: string, what: string) {
    super(what)
    this.place = place
  }
}

/** A form of JSON documents. */
export interface Schema<T> {
  /**
   * @returns the value in its form, a copy
   * @throws AttestError with the schema's code and the first offending place
   */
  parse(value: unknown): T
  /** The same without throwing. */
  safeParse(
    value: unknown,
  ): { readonly success: true; readonly data: T } | { readonly success: false; readonly error: AttestError }
}

/**
 * @param code of the errors
 * @param name of the document, the first part of every place
 * @param message what to say, for example `Not an attestation policy`
 * @param read the reader of the whole document
 */
export function schema<T>(code: AttestErrorCode, name: string, message: string, read: Reader<T>): Schema<T> {
  const parse = (value: unknown): T => {
    try {
      return read(value, name)
    } catch (cause) {
      if (!(cause instanceof ShapeError)) throw cause
      throw new AttestError(code, cause.place, `${message}: ${cause.message}`)
    }
  }
  return {
    parse,
    safeParse(value) {
      try {
        return { success: true, data: parse(value) }
      } catch (error) {
        if (error instanceof AttestError) return { success: false, error }
        throw error
      }
    },
  }
}

const kindOf = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

/** A half of a surrogate pair without the other: no Unicode text, and without canonical JSON, so without a digest. */
const loneSurrogate = /\p{Surrogate}/u

/** Unicode text of a length within bounds (UTF-16 units) that matches a pattern. */
export function text<T extends string = string>(
  options: {
    readonly min?: number
    readonly max?: number
    readonly pattern?: RegExp
    readonly what?: string
  } = {},
): Reader<T> {
  const { min = 0, max = 1 << 20, pattern, what } = options
  return (value, place) => {
    if (typeof value !== 'string')
      throw new ShapeError(place, `expected ${what ?? 'text'}, got ${kindOf(value)}`)
    if (value.length < min || value.length > max) {
      throw new ShapeError(place, `expected ${what ?? 'text'} of ${min} to ${max} characters`)
    }
    if (pattern !== undefined && !pattern.test(value))
      throw new ShapeError(place, `expected ${what ?? 'other text'}`)
    if (loneSurrogate.test(value)) throw new ShapeError(place, 'expected Unicode text')
    return value as T
  }
}

/** Lower-case hex of a fixed number of bytes behind 0x. */
export function hexText(bytes: number): Reader<`0x${string}`> {
  const what = `0x and ${bytes * 2} lower-case hexadecimal digits`
  return text({ pattern: new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`), what })
}

/** A digest as `sha256:` and lower-case hex. */
export const digestText: Reader<`sha256:${string}`> = (value, place) =>
  text<`sha256:${string}`>({
    pattern: /^sha256:[0-9a-f]{64}$/,
    what: 'sha256: and 64 lower-case hexadecimal digits',
  })(value, place)

/** An ISO date that exists, `2026-11-20`, or time in UTC, `2026-11-20T12:00:00Z`. */
export function isoText(form: 'time' | 'date or time'): Reader<string> {
  return (value, place) => {
    const whole = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)?$/.exec(
      typeof value === 'string' ? value : '',
    )
    const day = Date.parse(`${whole?.[1]}T00:00:00Z`)
    const exists =
      whole !== null &&
      (whole[2] !== undefined || form !== 'time') &&
      !Number.isNaN(Date.parse(whole[0])) &&
      // 30 February is read as 2 March by some engines.
      new Date(day).toISOString().startsWith(whole[1] ?? '?')
    if (!exists) throw new ShapeError(place, `expected an ISO ${form} in UTC`)
    return whole[0]
  }
}

/** A whole number within bounds. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (value, place) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      throw new ShapeError(place, `expected a whole number from ${min} to ${max}`)
    }
    return value
  }
}

/** A finite number of at least zero. */
export const amount: Reader<number> = (value, place) => {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new ShapeError(place, 'expected a number of at least zero')
  }
  return value
}

/** True or false. */
export const flag: Reader<boolean> = (value, place) => {
  if (typeof value !== 'boolean') throw new ShapeError(place, `expected true or false, got ${kindOf(value)}`)
  return value
}

/** One of some values. */
export function oneOf<const T extends string | number | boolean>(values: readonly T[]): Reader<T> {
  return (value, place) => {
    const found = values.find((candidate) => candidate === value)
    if (found === undefined) throw new ShapeError(place, `expected ${values.join(' or ')}`)
    return found
  }
}

/** A list whose entries all have one form. */
export function list<T>(
  entry: Reader<T>,
  bounds: { readonly min?: number; readonly max: number },
): Reader<T[]> {
  const { min = 0, max } = bounds
  return (value, place) => {
    if (!Array.isArray(value)) throw new ShapeError(place, `expected a list, got ${kindOf(value)}`)
    if (value.length < min || value.length > max) {
      throw new ShapeError(place, `expected a list of ${min} to ${max} entries`)
    }
    // Not map: it leaves holes out, and a hole is no entry of the form.
    return Array.from(value, (item: unknown, i) => entry(item, `${place}.${i}`))
  }
}

/** A field that may be absent. */
export function optional<T>(reader: Reader<T>): Reader<T> {
  return Object.assign((value: unknown, place: string) => reader(value, place), { optional: true })
}

/** A value or null. */
export function nullable<T>(reader: Reader<T>): Reader<T | null> {
  return (value, place) => (value === null ? null : reader(value, place))
}

/** The first of several forms that fits; the last one's complaint is told. */
export function either<A, B>(first: Reader<A>, second: Reader<B>): Reader<A | B> {
  return (value, place) => {
    try {
      return first(value, place)
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error
      return second(value, place)
    }
  }
}

/**
 * An object with these fields.
 *
 * @param fields a reader for each; a field that is `optional` may be absent, and stays absent
 * @param others `refuse` (default) fields that are not named, since a rule that nobody reads is worse than none; or `drop` them
 */
export function record<T extends object>(
  fields: { readonly [K in keyof T]-?: Reader<Exclude<T[K], undefined>> },
  others: 'refuse' | 'drop' = 'refuse',
): Reader<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  return (value, place) => {
    if (kindOf(value) !== 'object') throw new ShapeError(place, `expected an object, got ${kindOf(value)}`)
    const object = value as Record<string, unknown>
    if (others === 'refuse') {
      const unknown = Object.keys(object).find((name) => !Object.hasOwn(fields, name))
      // The name is the input's own: it is not repeated.
      if (unknown !== undefined) throw new ShapeError(place, 'a field is there that is not known')
    }
    const out: Partial<T> = {}
    for (const name of names) {
      if (Object.hasOwn(object, name)) out[name] = fields[name](object[name], `${place}.${name}`)
      else if (fields[name].optional !== true) throw new ShapeError(`${place}.${name}`, 'it is missing')
    }
    return out as T
  }
}
