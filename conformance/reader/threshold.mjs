// Threshold keys, envelopes and encrypted aggregates, written from docs/formats/threshold.md on bare points of secp256k1. It
// shares no code with @sealpool/crypto, and knows nothing of signatures and sessions: only what the mathematics must give.
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'

const { Point } = secp256k1
const { ORDER: order } = Point.Fn
const encoder = new TextEncoder()
const bytesOf = (hex) => Uint8Array.from(hex.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const numberOf = (bytes) => bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n)
const pointOf = (hex) => Point.fromHex(hex.slice(2))
const mod = (number) => ((number % order) + order) % order
const times = (point, scalar) => (mod(scalar) === 0n ? Point.ZERO : point.multiplyUnsafe(mod(scalar)))

function join(...parts) {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}
const u16 = (value) => Uint8Array.of(value >> 8, value & 255)
const u32 = (value) => Uint8Array.of(value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255)

/** `H(label, p1, .., pk)` */
function hash(label, ...parts) {
  const all = [encoder.encode(`sealpool/threshold/1/${label}`), ...parts]
  return sha256(join(...all.flatMap((part) => [u32(part.length), part])))
}
const hashToScalar = (label, ...parts) => mod(numberOf(hash(label, ...parts)))

const second = Point.fromAffine(
  secp256k1_hasher
    .hashToCurve(encoder.encode('second generator'), {
      DST: 'sealpool/threshold/1/secp256k1_XMD:SHA-256_SSWU_RO_',
    })
    .toAffine(),
)

/** Whether `c || z` proves one discrete logarithm for all pairs of base and image. */
function holds(pairs, context, proof) {
  const [challenge, response] = [numberOf(proof.subarray(0, 32)), numberOf(proof.subarray(32))]
  const statement = hash('statement', context, ...pairs.flat().map((point) => point.toBytes(true)))
  const commitments = pairs.map(([base, image]) => times(base, response).subtract(times(image, challenge)))
  return (
    hashToScalar('challenge', statement, ...commitments.map((point) => point.toBytes(true))) === challenge
  )
}

/** The value at zero of what the indices' values determine. */
function atZero(values) {
  const weight = (index) =>
    values.reduce((product, [other]) => {
      if (other === index) return product
      return mod(product * BigInt(other) * Point.Fn.inv(mod(BigInt(other - index))))
    }, 1n)
  return mod(values.reduce((sum, [index, value]) => sum + value * weight(index), 0n))
}

/** The public key that some members' shares make; `shares` are pairs of index and hex. */
export function publicKeyOf(shares) {
  const secret = atZero(shares.map(([index, share]) => [index, numberOf(bytesOf(share))]))
  return `0x${Point.BASE.multiply(secret).toHex(true)}`
}

/** The content of an envelope, from shares; undefined when its proof does not hold. */
export function openEnvelope({ publicKey, label, envelope, shares }) {
  const [key, text, bytes] = [pointOf(publicKey), bytesOf(label), bytesOf(envelope)]
  const [first, twin] = [Point.fromBytes(bytes.subarray(0, 33)), Point.fromBytes(bytes.subarray(33, 66))]
  const ciphertext = bytes.subarray(130)
  const context = hash('envelope', key.toBytes(true), text, ciphertext)
  const pairs = [
    [Point.BASE, first],
    [second, twin],
  ]
  if (!holds(pairs, context, bytes.subarray(66, 130))) return undefined
  const secret = atZero(shares.map(([index, share]) => [index, numberOf(bytesOf(share))]))
  const info = hash('envelope-key', key.toBytes(true), first.toBytes(true), text)
  const cipherKey = hkdf(sha256, first.multiply(secret).toBytes(true), undefined, info, 32)
  return chacha20poly1305(cipherKey, new Uint8Array(12)).decrypt(ciphertext)
}

/** Whether a member's part of an envelope is honest. */
export function isHonestPart({ key, label, envelope, partial }) {
  const bytes = bytesOf(envelope)
  const member = key.members[partial.member - 1]
  if (member === undefined) return false
  const inner = hash('partial', bytesOf(label), bytes.subarray(130))
  const session = Uint8Array.from(bytesOf(`0x${key.session.slice(7)}`))
  const context = hash('part', session, pointOf(key.publicKey).toBytes(true), u16(partial.member), inner)
  const pairs = [
    [Point.BASE, pointOf(member.verificationKey)],
    [Point.fromBytes(bytes.subarray(0, 33)), pointOf(partial.point)],
  ]
  return holds(pairs, context, bytesOf(partial.proof))
}

/** Whether one encrypted bit is proven, each equation by itself. */
export function isProvenBit({ publicKey, definition, contributor, place, bit }) {
  const key = pointOf(publicKey)
  const bytes = bytesOf(bit)
  const [a, b, ...commitments] = Array.from({ length: 6 }, (_, at) =>
    Point.fromBytes(bytes.subarray(33 * at, 33 * at + 33)),
  )
  const [c0, ...responses] = [198, 230, 262].map((at) => numberOf(bytes.subarray(at, at + 32)))
  const id = bytesOf(`0x${definition.slice(7)}`)
  const context = hash('aggregate-bit', id, bytesOf(contributor), u16(place))
  const challenge = hashToScalar(
    'bit',
    context,
    ...[key, a, b, ...commitments].map((point) => point.toBytes(true)),
  )
  return [c0, mod(challenge - c0)].every((each, value) => {
    const shifted = b.subtract(times(Point.BASE, BigInt(value)))
    return (
      times(Point.BASE, responses[value]).equals(commitments[2 * value].add(times(a, each))) &&
      times(key, responses[value]).equals(commitments[2 * value + 1].add(times(shifted, each)))
    )
  })
}

/** The plain value of an answer, which only somebody with the shares can see: its bits under their weights. */
export function decryptAnswer({ bits, weights, shares }) {
  const secret = atZero(shares.map(([index, share]) => [index, numberOf(bytesOf(share))]))
  return bits.reduce((sum, bit, at) => {
    const bytes = bytesOf(bit)
    const [a, b] = [Point.fromBytes(bytes.subarray(0, 33)), Point.fromBytes(bytes.subarray(33, 66))]
    const image = b.subtract(a.multiply(secret))
    if (image.is0()) return sum
    if (!image.equals(Point.BASE)) throw new Error('neither 0 nor 1')
    return sum + weights[at]
  }, 0)
}
