import type { Address, Digest, JsonObject, JsonValue } from '@sealpool/crypto'

/** Reads one JSON value as a `T`, or throws a {@link ShapeProblem}; what it returns is a copy without unknown fields. */
export type Reader<T> = (value: unknown, place: string) => T

/** A value does not have the form that was expected. */
export class ShapeProblem extends Error {
  override readonly name = 'ShapeProblem'
  /** Path to the value, empty at the top; it may go through names that a stranger chose. */
  readonly place: string
  constructor(place: string, expected: string) {
    super(`expected ${expected}`)
    this.place = place
  }
}

/** A form of answers. */
export interface AnswerSchema<T> {
  /**
   * @param value any JSON
   * @returns the value in its form
   * @throws ShapeProblem with the first place that is of another form
   */
  parse(value: unknown): T
}

/** Makes a schema of a reader. */
export function answerSchema<T>(read: Reader<T>): AnswerSchema<T> {
  return { parse: (value) => read(value, '') }
}

const within = (place: string, name: string | number) => (place === '' ? String(name) : `${place}.${name}`)
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Text, of a pattern when one is given. */
export function text<T extends string = string>(pattern?: RegExp, what = 'text'): Reader<T> {
  return (value, place) => {
    if (typeof value !== 'string' || pattern?.test(value) === false) throw new ShapeProblem(place, what)
    return value as T
  }
}

export const address: Reader<Address> = /* @__PURE__ */ text(/^0x[0-9a-fA-F]{40}$/, 'an address')
export const digest: Reader<Digest> = /* @__PURE__ */ text(/^sha256:[0-9a-f]{64}$/, 'a SHA-256 digest')

export const flag: Reader<boolean> = (value, place) => {
  if (typeof value !== 'boolean') throw new ShapeProblem(place, 'true or false')
  return value
}

/** A whole number from `least` up. */
export function whole(least: number): Reader<number> {
  return (value, place) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
    throw new ShapeProblem(place, `a whole number from ${least} up`)
  }
}

/** Null, or as the reader says. */
export function nullable<T>(read: Reader<T>): Reader<T | null> {
  return (value, place) => (value === null ? null : read(value, place))
}

/** A list, each entry as the reader says. */
export function list<T>(read: Reader<T>): Reader<T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw new ShapeProblem(place, 'a list')
    return value.map((entry, index) => read(entry, within(place, index)))
  }
}

/** An object with any names, each value as the reader says. */
export function table<T>(read: Reader<T>): Reader<Record<string, T>> {
  return (value, place) => {
    if (!isObject(value)) throw new ShapeProblem(place, 'an object')
    return Object.fromEntries(
      Object.entries(value).map(([name, entry]) => [name, read(entry, within(place, name))]),
    )
  }
}

/** An object with these fields; others are left out. */
export function record<T extends object>(fields: { readonly [Name in keyof T]: Reader<T[Name]> }): Reader<T> {
  return (value, place) => {
    if (!isObject(value)) throw new ShapeProblem(place, 'an object')
    const read = Object.entries<Reader<unknown>>(fields)
    return Object.fromEntries(
      // A name such as `constructor` is a field only when the answer itself has it.
      read.map(([name, reader]) => [
        name,
        reader(Object.hasOwn(value, name) ? value[name] : undefined, within(place, name)),
      ]),
    ) as T
  }
}

/** Any JSON value: what `JSON.parse` gave. */
export const json: Reader<JsonValue> = (value, place) => {
  if (value === undefined) throw new ShapeProblem(place, 'a JSON value')
  return value as JsonValue
}

/** Any JSON object. */
export const jsonObject: Reader<JsonObject> = (value, place) => {
  if (!isObject(value)) throw new ShapeProblem(place, 'an object')
  return value as JsonObject
}
