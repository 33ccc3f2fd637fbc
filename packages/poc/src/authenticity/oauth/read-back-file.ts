import { canonicalBytes, type JsonObject } from '@sealpool/crypto'
import { isObject, parseObject } from '../json-object.js'

/** What a contributor seals where a proof reads back: the export, and a token with which its provider can be asked. */
export interface ReadBackFile {
  /** A bearer token (RFC 6750): for nothing but reading what the source reads, and short-lived. */
  readonly token: string
  /** When it ends, Unix seconds, as the provider said when it gave it. */
  readonly expiresAt: number
  readonly export: JsonObject
}

/** RFC 6750, section 2.1; short ones could stand in an export by chance. */
const tokenPattern = /^[A-Za-z0-9._~+/-]{16,4096}={0,2}$/

/**
 * Writes the file that a contributor seals.
 *
 * @param file token, its end, and the export
 * @returns bytes, as {@link parseReadBackFile} reads them. They hold the token: to be sealed and nothing else
 */
export function formatReadBackFile(file: ReadBackFile): Uint8Array {
  const { token, expiresAt } = file
  return canonicalBytes({
    format: 'sealpool/oauth-read-back',
    version: 1,
    token: { value: token, expiresAt },
    export: file.export,
  })
}

/**
 * Takes such a file apart.
 *
 * @param bytes hostile bytes
 * @returns token, end and export, or undefined when they are no such file
 */
export function parseReadBackFile(bytes: Uint8Array): ReadBackFile | undefined {
  const file = parseObject(bytes)
  if (file?.['format'] !== 'sealpool/oauth-read-back' || file['version'] !== 1) return undefined
  const { token, export: exported } = file
  if (Object.keys(file).length !== 4 || !isObject(token) || !isObject(exported)) return undefined
  const { value, expiresAt, ...others } = token
  if (typeof value !== 'string' || !tokenPattern.test(value) || Object.keys(others).length > 0)
    return undefined
  if (typeof expiresAt !== 'number' || !Number.isSafeInteger(expiresAt)) return undefined
  return { token: value, expiresAt, export: exported }
}
