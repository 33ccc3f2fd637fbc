/**
 * The JSON form of a type: the type itself where all of it is JSON, `never` where something in it is not (a bigint, bytes, a function, undefined).
 * Interfaces have no index signature, so that the compiler does not take them for a `JsonObject`; their form, member by member, it does.
 */
export type JsonForm<Value> = Value extends null | boolean | number | string
  ? Value
  : Value extends readonly (infer Item)[]
    ? readonly JsonForm<Item>[]
    : Value extends (...args: never[]) => unknown
      ? never
      : Value extends object
        ? { readonly [Name in keyof Value]: JsonForm<Value[Name]> }
        : never

/**
 * Hands a value of a declared type to what takes any JSON. Nothing happens when it runs: the compiler says whether all of the type is JSON.
 *
 * @param value - of a type that is JSON in all its members
 * @returns the same value
 * @example
 * ```ts
 * import { asJson, canonicalize } from '@sealpool/crypto'
 * interface Point { readonly x: number; readonly y: number }
 * const point: Point = { y: 2, x: 1 }
 * console.log(canonicalize(asJson(point))) // {"x":1,"y":2}
 * ```
 */
export function asJson<Value>(value: Value & JsonForm<Value>): JsonForm<Value> {
  return value
}
