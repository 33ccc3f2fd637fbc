// The group, hashes and proofs of docs/formats/threshold.md, on bare points of secp256k1. Shares no code with @sealpool/crypto.
import { secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'

export const { Point } = secp256k1
export const { ORDER: order } = Point.Fn
const encoder = new TextEncoder()

/** The bytes of `0x` and lower-case digits, as many as asked for. */
export function bytesOf(hex, length) {
  if (typeof hex !== 'string' || !/^0x(?:[0-9a-f]{2})*$/.test(hex)) throw new Error('no bytes')
  const bytes = Uint8Array.from(hex.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  if (length !== undefined && bytes.length !== length) throw new Error('other length')
  return bytes
}
export const digestBytes = (digest) => bytesOf(`0x${digest.slice(7)}`, 32)
export const numberOf = (bytes) => bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n)
/** A point of 33 bytes; the neutral element has no such form. */
export const pointOf = (hex) => Point.fromBytes(bytesOf(hex, 33))
export const bytesOfPoint = (point) => point.toBytes(true)
export const mod = (number) => ((number % order) + order) % order
export const times = (point, scalar) => (mod(scalar) === 0n ? Point.ZERO : point.multiplyUnsafe(mod(scalar)))
export const sumOf = (points) => points.reduce((sum, point) => sum.add(point), Point.ZERO)
export const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]))
export const u16 = (value) => Uint8Array.of(value >> 8, value & 255)
const u32 = (value) => Uint8Array.of(value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255)

/** `H(label, p1, .., pk)` */
export function hash(label, ...parts) {
  const all = [encoder.encode(`sealpool/threshold/1/${label}`), ...parts]
  return sha256(join(...all.flatMap((part) => [u32(part.length), part])))
}
export const hashToScalar = (label, ...parts) => mod(numberOf(hash(label, ...parts)))

/** The second base point. */
export const second = Point.fromAffine(
  secp256k1_hasher
    .hashToCurve(encoder.encode('second generator'), {
      DST: 'sealpool/threshold/1/secp256k1_XMD:SHA-256_SSWU_RO_',
    })
    .toAffine(),
)

/** Whether `c || z` proves one discrete logarithm for all pairs of base and image. */
export function holds(pairs, context, proof) {
  const [challenge, response] = [numberOf(proof.subarray(0, 32)), numberOf(proof.subarray(32))]
  if (proof.length !== 64 || challenge >= order || response >= order) return false
  if (pairs.some(([, image]) => image.is0())) return false
  const statement = hash('statement', context, ...pairs.flat().map(bytesOfPoint))
  const commitments = pairs.map(([base, image]) => times(base, response).subtract(times(image, challenge)))
  if (commitments.some((point) => point.is0())) return false
  return hashToScalar('challenge', statement, ...commitments.map(bytesOfPoint)) === challenge
}

/** The weight of one index where all of them determine the value at zero. */
export const weightOf = (index, indices) =>
  indices.reduce((product, other) => {
    if (other === index) return product
    return mod(product * BigInt(other) * Point.Fn.inv(mod(BigInt(other - index))))
  }, 1n)

/** Whether an object has these members and no others. */
export const hasExactly = (value, names) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).sort().join() === [...names].sort().join()

/** What the work gives; undefined where what was published has not the form that it needs. */
export function attempt(work) {
  try {
    return work()
  } catch {
    return undefined
  }
}
