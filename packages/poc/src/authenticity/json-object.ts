import type { JsonObject } from '@sealpool/crypto'
import { isWithinDepth } from '../json-depth.js'

/**
 * Reads a JSON object from UTF-8 bytes.
 *
 * @param bytes hostile bytes
 * @returns the object, or undefined when they are not one, or nest deeper than any signed form does (128 levels)
 */
export function parseObject(bytes: Uint8Array | undefined): JsonObject | undefined {
  if (bytes === undefined) return undefined
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    )
    return isObject(value) && isWithinDepth(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether a value is a JSON object and no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
