import { canonicalBytes, parseCanonical } from '../canonical-json/canonical-bytes.js'
import type { JsonObject, JsonValue } from '../canonical-json/canonicalize.js'
import { decodeBase64Url, encodeBase64Url } from '../encoding/base64url.js'
import { bigEndian, concatBytes, equalBytes, isBytes } from '../encoding/bytes.js'
import { exactly } from '../encoding/exact-object.js'
import { utf8 } from '../encoding/utf8.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'
import type { Stanza } from '../recipient/recipient.js'
import { parseContext, type SealContext } from './context.js'
import { parseStanzas } from './stanza.js'

/** Payload ciphers of format version 1. */
export type SealSuite = 'aes-256-gcm' | 'xchacha20-poly1305'

/** A sealed file's header. */
export interface SealedHeader {
  readonly suite: SealSuite
  /** Plaintext bytes per chunk; the last chunk may be shorter. */
  readonly chunkSize: number
  /** 32 random bytes. */
  readonly salt: Uint8Array
  readonly context: SealContext
  readonly recipients: readonly Stanza[]
}

/** A header as read; nothing in it is authentic before its MAC was checked with the file key. */
export interface ParsedHeader extends SealedHeader {
  /** Everything that the MAC covers: magic, version, length and JSON. */
  readonly encoded: Uint8Array
  /** HMAC-SHA-256, 32 bytes. */
  readonly mac: Uint8Array
  /** Where the payload begins. */
  readonly payloadOffset: number
}

const magic = /* @__PURE__ */ utf8('SEALPOOL')
const version = 1
/** Bytes before the header's JSON: magic (8), version (1), length (4). */
export const prefixLength = 13
/** Bytes of the header's MAC. */
export const macLength = 32
/** Bytes of the header's salt. */
export const saltLength = 32
/** Longest JSON part of a header in bytes: 10,000 recipients over X25519, about 2,400 over X-Wing. */
export const maximumHeaderLength = 4_194_304
/** Smallest and largest number of plaintext bytes in a chunk. */
const chunkSizeLimits = { minimum: 64, maximum: 4_194_304 } as const

/**
 * Writes everything of a header that its MAC covers.
 *
 * @param header - the header
 * @returns magic, version, length, canonical JSON
 * @throws CryptoError `HEADER_TOO_LARGE` past 4 MiB
 */
export function encodeHeader(header: SealedHeader): Uint8Array<ArrayBuffer> {
  const json = canonicalBytes({ ...coreOf(header), recipients: header.recipients })
  if (json.length > maximumHeaderLength) throw tooLarge()
  return concatBytes(magic, new Uint8Array([version]), bigEndian(json.length, 4), json)
}

/**
 * The part of a header that never changes once a file is sealed, in canonical JSON; all keys depend on it.
 *
 * @param header - the header
 * @returns the bytes
 */
export function encodeCore(header: Omit<SealedHeader, 'recipients'>): Uint8Array<ArrayBuffer> {
  return canonicalBytes(coreOf(header))
}

function coreOf(header: Omit<SealedHeader, 'recipients'>): JsonObject {
  const { suite, chunkSize, salt, context } = header
  return { suite, chunkSize, salt: encodeBase64Url(salt), context: { ...context } }
}

/**
 * Reads the first 13 bytes of a sealed file.
 *
 * @param bytes - at least 13 bytes
 * @returns the length of the header's JSON
 * @throws CryptoError `NOT_SEALED_FILE`, `VERSION_UNSUPPORTED`, `HEADER_TOO_LARGE`, `TRUNCATED`
 */
export function parsePrefix(bytes: Uint8Array): number {
  if (bytes.length < prefixLength) {
    // A short file that does not even begin like a sealed one is better called by its name.
    const start = Math.min(bytes.length, magic.length)
    if (!equalBytes(bytes.subarray(0, start), magic.subarray(0, start))) throw notSealed()
    throw truncated()
  }
  if (!equalBytes(bytes.subarray(0, magic.length), magic)) throw notSealed()
  if (bytes[magic.length] !== version) {
    throw new CryptoError('VERSION_UNSUPPORTED', 'version', 'expected format version 1; update this package')
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(9)
  if (length > maximumHeaderLength) throw tooLarge()
  return length
}

/**
 * Reads a sealed file's header. Whatever the bytes are, the answer is a header or a typed error, in time and memory
 * bounded by the header's size limit. **Nothing in the answer is authentic**; opening the file makes it so.
 *
 * @param bytes - a sealed file, or its beginning as far as the header goes
 * @returns the header
 * @throws CryptoError `NOT_SEALED_FILE`, `VERSION_UNSUPPORTED`, `HEADER_TOO_LARGE`, `TRUNCATED`,
 *   `HEADER_NOT_CANONICAL`, `HEADER_INVALID`, `RECIPIENT_UNSUPPORTED`
 */
export function parseHeader(bytes: Uint8Array): ParsedHeader {
  if (!isBytes(bytes)) {
    throw new CryptoError('OPTION_INVALID', 'sealed', 'a sealed file is given as a Uint8Array')
  }
  const length = parsePrefix(bytes)
  const payloadOffset = prefixLength + length + macLength
  if (bytes.length < payloadOffset) throw truncated()
  // Copies: `slice` of Node's Buffer would give views.
  const encoded = new Uint8Array(bytes.subarray(0, prefixLength + length))
  const fields = fieldsOf(parseJson(encoded.subarray(prefixLength)))
  return {
    suite: parseSuite(fields['suite']),
    chunkSize: parseChunkSize(fields['chunkSize']),
    salt: parseSalt(fields['salt']),
    context: parseHeaderContext(fields['context']),
    recipients: parseStanzas(fields['recipients']),
    encoded,
    mac: new Uint8Array(bytes.subarray(prefixLength + length, payloadOffset)),
    payloadOffset,
  }
}

/** Most `[`, `{` and `,` outside of strings in a header: 10,000 known stanzas have 70,000. */
const maximumMarks = 131_072

/**
 * Refuses a header of more values than any honest one has before they are made: 4 MiB hold two million empty arrays, and
 * anybody can send them.
 */
function requireFewValues(json: Uint8Array): void {
  if (json.length <= maximumMarks) return
  let marks = 0
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (byte === quote) at = endOfString(json, at)
    else if (byte === comma || byte === openArray || byte === openObject) marks++
    if (marks > maximumMarks) throw invalid('$', 'more values than a header of 10,000 recipients has')
  }
}

const [quote, comma, openArray, openObject, backslash] = [0x22, 0x2c, 0x5b, 0x7b, 0x5c]

/** Where the string ends that begins with the quote at `start`; the end of the JSON when it does not. */
function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1
  return at
}

function parseJson(bytes: Uint8Array): JsonValue {
  requireFewValues(bytes)
  const value = parseText(bytes)
  requireWholeNumbers(value)
  return value
}

function parseText(bytes: Uint8Array): JsonValue {
  try {
    return parseCanonical(bytes, '$')
  } catch (error) {
    const canonical = (error as Partial<CryptoError>).code !== 'JSON_NOT_CANONICAL'
    const code = canonical ? 'HEADER_INVALID' : 'HEADER_NOT_CANONICAL'
    throw new CryptoError(code, '$', 'the header is not canonical JSON', { cause: error })
  }
}

// Whole numbers have one obvious text in every language; fractions would ask every reader for ECMAScript's.
function requireWholeNumbers(value: JsonValue): void {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw invalid('$', 'a number in a header is whole and below 2^53')
  } else if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(requireWholeNumbers)
  }
}

function fieldsOf(value: JsonValue): JsonObject {
  const names = ['chunkSize', 'context', 'recipients', 'salt', 'suite']
  return exactly(value, names, 'HEADER_INVALID', '$') as JsonObject
}

/**
 * Reads a payload cipher's name.
 *
 * @param value - what was given
 * @returns the name
 * @throws CryptoError `HEADER_INVALID`
 */
export function parseSuite(value: unknown): SealSuite {
  if (value === 'aes-256-gcm' || value === 'xchacha20-poly1305') return value
  throw invalid('$.suite', 'expected aes-256-gcm or xchacha20-poly1305')
}

/**
 * Reads a chunk size.
 *
 * @param value - what was given
 * @returns plaintext bytes per chunk
 * @throws CryptoError `HEADER_INVALID` outside 64 to 4,194,304
 */
export function parseChunkSize(value: unknown): number {
  const { minimum, maximum } = chunkSizeLimits
  if (isWhole(value, minimum, maximum)) return value
  throw invalid('$.chunkSize', `expected a whole number from ${minimum} to ${maximum}`)
}

function parseSalt(value: unknown): Uint8Array {
  try {
    const salt = decodeBase64Url(value as string)
    if (salt.length === saltLength) return salt
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
  }
  throw invalid('$.salt', `expected ${saltLength} bytes in base64url`)
}

function parseHeaderContext(value: unknown): SealContext {
  const context = parseContext(value, 'HEADER_INVALID')
  if ((value as SealContext).pool !== context.pool) {
    throw invalid('$.context.pool', 'an address in a header is in lower case')
  }
  return context
}

function invalid(place: string, why: string): CryptoError {
  return new CryptoError('HEADER_INVALID', place, why)
}

function notSealed(): CryptoError {
  return new CryptoError('NOT_SEALED_FILE', 'magic', 'this is not a sealed file: it must begin with SEALPOOL')
}

function tooLarge(): CryptoError {
  return new CryptoError('HEADER_TOO_LARGE', 'header', 'at most 4 MiB; use fewer recipients')
}

/**
 * The error for a file that ends too early.
 *
 * @returns `TRUNCATED`
 */
export function truncated(): CryptoError {
  return new CryptoError('TRUNCATED', 'sealed', 'the sealed file ends too early; fetch it again')
}
