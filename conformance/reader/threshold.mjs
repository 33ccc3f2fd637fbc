// Threshold keys and envelopes, written from docs/formats/threshold.md on bare points of secp256k1: what the mathematics must give
// to whoever has the shares. Shares no code with @sealpool/crypto. Beside it: threshold-session.mjs (messages, deals, complaints),
// aggregate.mjs (whole transcripts of encrypted aggregates), statement.mjs (their signatures).
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import {
  attempt,
  bytesOf,
  bytesOfPoint,
  digestBytes,
  hasExactly,
  hash,
  holds,
  mod,
  numberOf,
  Point,
  pointOf,
  second,
  times,
  u16,
  weightOf,
} from './threshold-group.mjs'

/** The value at zero of what the indices' values determine. */
function atZero(values) {
  const indices = values.map(([index]) => index)
  return mod(values.reduce((sum, [index, value]) => sum + value * weightOf(index, indices), 0n))
}

/** The public key that some members' shares make; `shares` are pairs of index and hex. */
export function publicKeyOf(shares) {
  const secret = atZero(shares.map(([index, share]) => [index, numberOf(bytesOf(share, 32))]))
  return `0x${Point.BASE.multiply(secret).toHex(true)}`
}

/** The parts of an envelope; undefined when it is malformed, or its proof does not hold for this key and label. */
function partsOf({ publicKey, label, envelope }) {
  return attempt(() => {
    const [key, text, bytes] = [pointOf(publicKey), bytesOf(label), bytesOf(envelope)]
    if (bytes.length < 146 || bytes.length > 146 + 65_536) return undefined
    const [first, twin] = [Point.fromBytes(bytes.subarray(0, 33)), Point.fromBytes(bytes.subarray(33, 66))]
    const ciphertext = bytes.subarray(130)
    const pairs = [
      [Point.BASE, first],
      [second, twin],
    ]
    const context = hash('envelope', bytesOfPoint(key), text, ciphertext)
    return holds(pairs, context, bytes.subarray(66, 130)) ? { key, text, first, ciphertext } : undefined
  })
}

/** The content of an envelope, from shares; undefined when it is refused. */
export function openEnvelope({ publicKey, label, envelope, shares }) {
  const parts = partsOf({ publicKey, label, envelope })
  if (parts === undefined) return undefined
  const { key, text, first, ciphertext } = parts
  const secret = atZero(shares.map(([index, share]) => [index, numberOf(bytesOf(share, 32))]))
  const info = hash('envelope-key', bytesOfPoint(key), bytesOfPoint(first), text)
  const cipherKey = hkdf(sha256, bytesOfPoint(times(first, secret)), undefined, info, 32)
  return attempt(() => chacha20poly1305(cipherKey, new Uint8Array(12)).decrypt(ciphertext))
}

/** Whether a member's part of an envelope is honest. */
export function isHonestPart({ key, label, envelope, partial }) {
  const parts = partsOf({ publicKey: key.publicKey, label, envelope })
  const member = key.members[partial.member - 1]
  if (parts === undefined || member === undefined) return false
  if (!hasExactly(partial, ['member', 'point', 'proof'])) return false
  const inner = hash('partial', bytesOf(label), parts.ciphertext)
  const context = hash('part', digestBytes(key.session), bytesOf(key.publicKey), u16(partial.member), inner)
  return (
    attempt(() => {
      const pairs = [
        [Point.BASE, pointOf(member.verificationKey)],
        [parts.first, pointOf(partial.point)],
      ]
      return holds(pairs, context, bytesOf(partial.proof, 64))
    }) ?? false
  )
}

/** The plain value of an answer, which only somebody with the shares can see: its bits under their weights. */
export function decryptAnswer({ bits, weights, shares }) {
  const secret = atZero(shares.map(([index, share]) => [index, numberOf(bytesOf(share, 32))]))
  return bits.reduce((sum, bit, at) => {
    const bytes = bytesOf(bit)
    const [a, b] = [Point.fromBytes(bytes.subarray(0, 33)), Point.fromBytes(bytes.subarray(33, 66))]
    const image = b.subtract(times(a, secret))
    if (image.is0()) return sum
    if (!image.equals(Point.BASE)) throw new Error('neither 0 nor 1')
    return sum + weights[at]
  }, 0)
}
