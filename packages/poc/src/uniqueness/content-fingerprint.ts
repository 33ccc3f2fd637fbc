import { canonicalize, type JsonValue } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import { readCsv } from '../csv/read-csv.js'
import { PocError } from '../errors.js'
import { essenceOf, isJson } from '../media-type.js'

/**
 * Fingerprint of what a file says, not of how it is written: two files with the same content get the same text, and
 * nobody without the pool's key can test whether a given file is in the pool.
 *
 * JSON counts in its RFC 8785 form (white space, member order, escapes and number spelling do not matter). CSV counts as
 * a set of rows with their multiplicity: line endings, quoting, the order of rows and of columns do not matter. Anything
 * else, and what is not well formed, counts byte for byte. For a proof with sources of authenticity it is the wrong one: a signature
 * leaves the bytes free, see `contributionFingerprint`.
 *
 * @param options `key`: at least 32 secret bytes, one per pool; `mediaType`: of the file; `bytes`: the file
 * @returns 64 lower-case hexadecimal digits
 * @throws PocError `KEY_INVALID` when the key is shorter than 32 bytes
 * @example
 * ```ts
 * import { contentFingerprint } from '@sealpool/poc'
 * const key = new Uint8Array(32).fill(1)
 * const print = (text: string) =>
 *   contentFingerprint({ key, mediaType: 'application/json', bytes: new TextEncoder().encode(text) })
 * console.log(print('{"a":1,"b":2}') === print('{ "b": 2.0, "a": 1e0 }')) // true
 * ```
 */
export function contentFingerprint(options: {
  readonly key: Uint8Array
  readonly mediaType: string
  readonly bytes: Uint8Array
}): string {
  const { key, mediaType, bytes } = options
  assertFingerprintKey(key)
  return keyedFingerprint({ key, ...canonicalContent(essenceOf(mediaType), bytes) })
}

/** Refuses a key that is too short. */
export function assertFingerprintKey(key: Uint8Array): void {
  if (key.length < 32) {
    throw new PocError('KEY_INVALID', 'key', 'a fingerprint key has at least 32 bytes; derive one per pool')
  }
}

function canonicalContent(
  mediaType: string,
  bytes: Uint8Array,
): { readonly domain: string; readonly data: Uint8Array | string } {
  const whole = { domain: 'sealpool/content/bytes', data: bytes }
  if (!isJson(mediaType) && mediaType !== 'text/csv') return whole
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (isJson(mediaType)) {
      return { domain: 'sealpool/content/json', data: canonicalize(JSON.parse(text) as JsonValue) }
    }
    const table = readCsv(text)
    if (table === undefined) return whole
    const order = table.header.map((_, index) => index)
    order.sort((a, b) => compare(table.header[a] ?? '', table.header[b] ?? ''))
    const line = (fields: readonly string[]): string =>
      canonicalize(order.map((index) => fields[index] ?? ''))
    const lines = [line(table.header), ...table.rows.map(line).sort(compare)]
    return { domain: 'sealpool/content/csv', data: lines.join('\n') }
  } catch {
    return whole
  }
}

// By code units, not by locale: the order must be the same on every machine.
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
