import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bigEndian, concatBytes, drawRandom, isBytes, type Random } from '../encoding/bytes.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { utf8 } from '../encoding/utf8.js'
import { CryptoError, type CryptoErrorCode } from '../errors.js'

/**
 * A point of secp256k1. The curve has 128 bits of security, prime order (no small subgroups), and the EVM checks
 * combinations of its points cheaply through `ecrecover`.
 */
export type GroupElement = InstanceType<typeof secp256k1.Point>

/** The neutral element; never a valid key, ciphertext or share image. */
export const identityElement = (): GroupElement => secp256k1.Point.ZERO

/** The curve's base point. */
export const generator = (): GroupElement => secp256k1.Point.BASE

/** How many elements the group has; scalars are whole numbers below it. */
export const groupOrder = (): bigint => secp256k1.Point.Fn.ORDER

// The text `second generator` under the tag `sealpool/threshold/1/secp256k1_XMD:SHA-256_SSWU_RO_`, as the tests compute it;
// hashing to the curve here would bring its map into every bundle.
const secondGeneratorHex = '0323ffbf642328ca8f0962577c02fa8bf8ca2b629c3bf0c94697e2eb0efc09f7d3'
let second: GroupElement | undefined

/**
 * A second base point whose discrete logarithm nobody knows: a text hashed to the curve (RFC 9380,
 * secp256k1_XMD:SHA-256_SSWU_RO_).
 *
 * @returns the point
 */
export function secondGenerator(): GroupElement {
  second ??= secp256k1.Point.fromHex(secondGeneratorHex)
  return second
}

/**
 * Writes a point.
 *
 * @param point - not the neutral element
 * @returns its compressed form of 33 bytes (SEC 1 section 2.3.3)
 */
export function pointBytes(point: GroupElement): Uint8Array {
  return point.toBytes(true)
}

/**
 * Reads a point: only the compressed form of 33 bytes, only points on the curve, never the neutral element.
 *
 * @param bytes - what was received
 * @returns the point, or nothing when the bytes are not the one form of a point
 */
export function pointOf(bytes: Uint8Array): GroupElement | undefined {
  if (!isBytes(bytes) || bytes.length !== 33) return undefined
  try {
    return secp256k1.Point.fromBytes(bytes)
  } catch {
    return undefined
  }
}

/**
 * Reads a point from hex.
 *
 * @param value - `0x` and 66 lower-case digits
 * @param code - reason of the error
 * @param place - named in the error
 * @returns the point
 * @throws CryptoError with `code`
 */
export function parsePoint(value: unknown, code: CryptoErrorCode, place: string): GroupElement {
  const point =
    typeof value === 'string' && /^0x0[23][0-9a-f]{64}$/.test(value) ? pointOf(decodeHex(value)) : undefined
  if (point === undefined)
    throw new CryptoError(code, place, 'expected a compressed point of secp256k1 in lower-case hex')
  return point
}

/**
 * Writes a point as hex.
 *
 * @param point - not the neutral element
 * @returns `0x` and 66 digits
 */
export function pointHex(point: GroupElement): Hex {
  return encodeHex(pointBytes(point))
}

/**
 * Writes a scalar.
 *
 * @param scalar - below the group order
 * @returns 32 bytes, big-endian
 */
export function scalarBytes(scalar: bigint): Uint8Array {
  return decodeHex(`0x${scalar.toString(16).padStart(64, '0')}`)
}

/**
 * Reads a scalar.
 *
 * @param bytes - what was received
 * @returns the whole number, or nothing when there are not 32 bytes or they are not below the group order
 */
export function scalarOf(bytes: Uint8Array): bigint | undefined {
  if (!isBytes(bytes) || bytes.length !== 32) return undefined
  const scalar = BigInt(encodeHex(bytes))
  return scalar < groupOrder() ? scalar : undefined
}

/**
 * Brings a whole number of either sign into the range of scalars.
 *
 * @param value - any whole number
 * @returns the same modulo the group order
 */
export function toScalar(value: bigint): bigint {
  const rest = value % groupOrder()
  return rest < 0n ? rest + groupOrder() : rest
}

/**
 * The inverse of a scalar.
 *
 * @param scalar - not zero
 * @returns the scalar that gives 1 when multiplied with it
 */
export function invertScalar(scalar: bigint): bigint {
  return secp256k1.Point.Fn.inv(scalar)
}

/**
 * Draws a scalar that is not zero, without measurable bias (48 bytes reduced, as RFC 9380 section 5 does).
 *
 * @param random - source of random bytes
 * @returns between 1 and the group order - 1
 * @throws CryptoError `RANDOM_INVALID`
 */
export function randomScalar(random: Random): bigint {
  return 1n + (BigInt(encodeHex(drawRandom(random, 48))) % (groupOrder() - 1n))
}

/**
 * Hashes labelled parts to a scalar; every part is preceded by its length, so no two lists of parts read alike.
 *
 * @param label - what the hash is for
 * @param parts - any bytes
 * @returns SHA-256 modulo the group order (which differs from 2^256 by less than 2^129: no bias that could be seen)
 */
export function hashToScalar(label: string, ...parts: readonly Uint8Array[]): bigint {
  return toScalar(BigInt(encodeHex(hashParts(label, ...parts))))
}

/**
 * Hashes labelled parts.
 *
 * @param label - what the hash is for
 * @param parts - any bytes
 * @returns SHA-256 over the label and the parts, each preceded by its length in four bytes
 */
export function hashParts(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const framed = [utf8(`sealpool/threshold/1/${label}`), ...parts].flatMap((part) => [
    bigEndian(part.length, 4),
    part,
  ])
  return sha256(concatBytes(...framed))
}
