import { CryptoError, type JsonValue, parseCanonical } from '@sealpool/crypto'
import type * as z from 'zod'

/**
 * Reads the canonical JSON that another node has sealed.
 * @param bytes of unknown origin
 * @param schema what it must be
 * @returns the document; `cause` when the bytes are none
 */
export function parcelDocument<T>(
  bytes: Uint8Array,
  schema: z.ZodType<T>,
): { readonly document: T } | { readonly document?: undefined; readonly cause: Error } {
  let value: JsonValue
  try {
    value = parseCanonical(bytes)
  } catch (cause) {
    if (cause instanceof CryptoError) return { cause }
    throw cause
  }
  const parsed = schema.safeParse(value)
  return parsed.success ? { document: parsed.data } : { cause: parsed.error }
}
