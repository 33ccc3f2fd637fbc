import type { JsonObject, JsonValue } from '@sealpool/crypto'

/**
 * A type as JSON has it; what JSON cannot have (functions, bytes, big integers) is `never`. A field may be undefined by its type, as parsers
 * say of one that is optional: `canonicalize` refuses one that is.
 */
export type Json<T> = T extends JsonValue
  ? T
  : T extends (...given: never) => unknown
    ? never
    : T extends object
      ? { readonly [Key in keyof T]: Json<Exclude<T[Key], undefined>> | Extract<T[Key], undefined> }
      : never

/**
 * Takes data whose type is JSON throughout for a JSON object. An interface is not one by itself: it has no index signature.
 *
 * @param value no array
 * @returns the same value
 */
export function jsonObject<T extends object>(
  value: T & Json<T> & (T extends readonly unknown[] ? never : unknown),
): JsonObject {
  return value as JsonObject
}
