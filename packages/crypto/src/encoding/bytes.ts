import { CryptoError, type CryptoErrorCode } from '../errors.js'

/**
 * Joins byte strings.
 *
 * @param parts - byte strings in order
 * @returns one new byte string
 * @throws CryptoError `OPTION_INVALID` for anything else, a text above all: it would be taken for zeros
 */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0
  for (const part of parts) {
    requireByteString(part, 'bytes')
    length += part.length
  }
  const joined = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/**
 * Compares two byte strings in a time that depends on their lengths only.
 *
 * @param left - first
 * @param right - second
 * @returns whether they are equal
 * @throws CryptoError `OPTION_INVALID` for anything else than bytes: two texts of one length would all be equal
 */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  requireByteString(left, 'left')
  requireByteString(right, 'right')
  if (left.length !== right.length) return false
  let difference = 0
  for (let index = 0; index < left.length; index++) difference |= (left[index] ?? 0) ^ (right[index] ?? 0)
  return difference === 0
}

/**
 * Refuses a secret of zeros, which anybody can guess: of a source that fails, or of a buffer that was wiped. In a time that depends
 * on the length only.
 *
 * @param secret - what was drawn or given
 * @param code - reason of a refusal
 * @param place - named in the error
 * @returns the secret
 * @throws CryptoError with `code`
 */
export function requireNonZero(secret: Uint8Array, code: CryptoErrorCode, place: string): Uint8Array {
  if (!equalBytes(secret, new Uint8Array(secret.length))) return secret
  throw new CryptoError(code, place, 'is all zeros')
}

/**
 * Writes a whole number as big-endian bytes.
 *
 * @param value - 0 to 2^53 - 1
 * @param length - how many bytes; the value must fit
 * @returns the bytes
 */
export function bigEndian(value: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let rest = value
  for (let index = length - 1; index >= 0; index--) {
    bytes[index] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return bytes
}

/**
 * WebCrypto takes views of an ArrayBuffer only; views of shared memory are copied, all others pass unchanged.
 *
 * @param bytes - any bytes
 * @returns the same bytes over an ArrayBuffer
 */
export function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}

/** The platform's own: a subclass may have another. */
const { indexOf } = Uint8Array.prototype

/**
 * Whether a value is a byte string whose memory is still there. A proxy is none, and a view whose buffer was transferred
 * elsewhere, or shrank until the view is out of its bounds, would pass for an empty one.
 *
 * @param value - any value
 * @returns true for a Uint8Array over memory
 */
export function isBytes(value: unknown): value is Uint8Array {
  if (!ArrayBuffer.isView(value) || !(value instanceof Uint8Array)) return false
  try {
    // Refuses both, and looks at no byte. `subarray` would let a view pass that is out of bounds; an answer that nobody reads, as that of
    // `values`, may be left out by an engine that compiles for speed.
    return indexOf.call(value, 0, Number.POSITIVE_INFINITY) === -1
  } catch {
    return false
  }
}

/**
 * Refuses anything but a byte string of the wanted length.
 *
 * @param value - what the caller gave
 * @param length - wanted length in bytes
 * @param place - named in the error
 * @returns the value
 * @throws CryptoError `KEY_INVALID` otherwise
 */
export function requireBytes(value: unknown, length: number, place: string): Uint8Array {
  if (!isBytes(value) || value.length !== length) {
    throw new CryptoError('KEY_INVALID', place, `expected a Uint8Array of ${length} bytes`)
  }
  return value
}

/**
 * Refuses anything but a byte string, a text above all: ciphers would take it for nothing, or for other bytes.
 *
 * @param value - what the caller gave
 * @param place - named in the error
 * @throws CryptoError `OPTION_INVALID`
 */
export function requireByteString(value: unknown, place: string): asserts value is Uint8Array {
  if (!isBytes(value)) throw new CryptoError('OPTION_INVALID', place, 'expected a Uint8Array')
}

/**
 * Refuses bytes that were transferred elsewhere, or changed their length, since the caller gave them.
 *
 * @param bytes - what the caller gave
 * @param length - its length then
 * @param place - named in the error
 * @throws CryptoError `OPTION_INVALID`
 */
export function requireUnmoved(bytes: Uint8Array, length: number, place: string): void {
  if (bytes.length === length && isBytes(bytes)) return
  throw new CryptoError('OPTION_INVALID', place, 'was transferred or changed its length')
}

/** Source of random bytes: a parameter everywhere in this package, filled in by its public entry. */
export interface Random {
  (length: number): Uint8Array
  /**
   * Makes an X25519 key pair where the platform can do so by itself, which is faster than importing random bytes.
   * Sources without it are asked for bytes.
   */
  readonly generateX25519?: (() => Promise<CryptoKeyPair>) | undefined
  /** What it gives is nobody else's: it is taken as it is, and overwritten. Of other sources a copy is taken. */
  readonly givesAway?: true | undefined
}

/**
 * Bytes for a secret. Engines keep short byte strings among their objects, which they move, and leave the old place as it was; these lie
 * outside, where overwriting them reaches the only copy.
 *
 * @param bytes - the secret
 * @returns a copy, for the caller to overwrite
 */
export function secretCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(new ArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}

/**
 * Moves a secret that was just computed to {@link secretCopy}, and overwrites it where it was.
 *
 * @param bytes - the secret, the caller's own
 * @returns the copy, for the caller to overwrite
 */
export function secretMoved(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = secretCopy(bytes)
  bytes.fill(0)
  return copy
}

/**
 * Draws random bytes and refuses a source that gives a wrong amount.
 *
 * @param random - the source
 * @param length - how many bytes
 * @returns that many bytes, the caller's to overwrite
 * @throws CryptoError `RANDOM_INVALID` when the source misbehaves
 */
export function drawRandom(random: Random, length: number): Uint8Array {
  let bytes: unknown
  let cause: unknown
  try {
    bytes = random(length)
  } catch (error) {
    cause = error
  }
  if (!isBytes(bytes) || bytes.length !== length) {
    throw new CryptoError('RANDOM_INVALID', 'random', `random(${length}) must return ${length} bytes`, {
      cause,
    })
  }
  // Another source may keep its buffer; and `slice` of Node's Buffer would be a view of the same memory.
  return random.givesAway === true ? bytes : secretCopy(bytes)
}
