import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { curveSecp256k1, recoverPublicKey } from './secp256k1.js'

const { n, p } = curveSecp256k1
const bytesOf = (value: bigint) => hexToBytes(value.toString(16).padStart(64, '0'))
const number = (bytes: Uint8Array) => BigInt(`0x${bytesToHex(bytes)}`)
const scalar = fc.bigInt({ min: 1n, max: n - 1n })
const digest32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const joined = (r: bigint, s: bigint, v: number) => concatBytes(bytesOf(r), bytesOf(s), Uint8Array.of(v))

function sign(digest: Uint8Array, key: bigint): Uint8Array {
  const recovered = secp256k1.sign(digest, bytesOf(key), { prehash: false, lowS: true, format: 'recovered' })
  return concatBytes(recovered.subarray(1), Uint8Array.of(27 + (recovered[0] ?? 0)))
}

/** noble's answer, with Ethereum's rules for s and v. */
function byNoble(digest: Uint8Array, signature: Uint8Array): string | undefined {
  const v = signature[64]
  if ((v !== 27 && v !== 28) || number(signature.subarray(32, 64)) > n / 2n) return undefined
  const form = concatBytes(Uint8Array.of(v - 27), signature.subarray(0, 64))
  try {
    const key = secp256k1.recoverPublicKey(form, digest, { prehash: false })
    return bytesToHex(secp256k1.Point.fromBytes(key).toBytes(false).subarray(1))
  } catch {
    return undefined
  }
}
const ours = (digest: Uint8Array, signature: Uint8Array) => {
  const key = recoverPublicKey(digest, signature)
  return key === undefined ? undefined : bytesToHex(key)
}

describe('recovering a secp256k1 key', () => {
  it('gives the key that signed, as noble does', () => {
    fc.assert(
      fc.property(scalar, digest32, (key, digest) => {
        const signature = sign(digest, key)
        expect(ours(digest, signature)).toBe(
          bytesToHex(secp256k1.getPublicKey(bytesOf(key), false).subarray(1)),
        )
        expect(byNoble(digest, signature)).toBe(ours(digest, signature))
      }),
      { numRuns: 40 },
    )
  })

  it('agrees with noble on any r, s and digest, edge values included', () => {
    const edge = fc.constantFrom(
      0n,
      1n,
      2n,
      3n,
      5n,
      7n,
      n / 2n,
      n / 2n + 1n,
      n - 1n,
      n,
      n + 1n,
      p - 1n,
      p,
      2n ** 256n - 1n,
    )
    const value = fc.oneof(edge, scalar)
    const odd = fc.oneof(digest32, edge.map(bytesOf))
    fc.assert(
      fc.property(value, value, fc.constantFrom(27, 28), odd, (r, s, v, digest) => {
        expect(ours(digest, joined(r, s, v))).toBe(byNoble(digest, joined(r, s, v)))
      }),
      { numRuns: 150 },
    )
  })

  const digest = bytesOf(77n)
  const signature = sign(digest, 12345n)
  const [r, s, v] = [
    number(signature.subarray(0, 32)),
    number(signature.subarray(32, 64)),
    signature[64] ?? 0,
  ]

  it.each([
    ['s in the upper half of the order', joined(r, n - s, 55 - v), digest],
    ['s of zero', joined(r, 0n, v), digest],
    ['r of zero', joined(0n, s, v), digest],
    ['r that is the order', joined(n, s, v), digest],
    ['an x that no point has', joined(5n, s, v), digest],
    ['v of 0', joined(r, s, v - 27), digest],
    ['v of 29', joined(r, s, 29), digest],
    ['64 bytes', signature.subarray(0, 64), digest],
    ['66 bytes', concatBytes(signature, Uint8Array.of(0)), digest],
    ['a digest of 31 bytes', signature, digest.subarray(1)],
    ['a digest of 33 bytes', signature, concatBytes(Uint8Array.of(0), digest)],
  ])('refuses %s', (_, odd, message) => {
    expect(recoverPublicKey(digest, signature)).toBeDefined()
    expect(recoverPublicKey(message, odd)).toBeUndefined()
  })

  it('refuses a signature whose key would be the point at infinity', () => {
    // s·R = z·G for R = kG and z = sk: nobody holds that key.
    const k = 987654321n
    const point = secp256k1.Point.BASE.multiply(k).toAffine()
    const low = 1234567n
    const z = bytesOf((low * k) % n)
    expect(recoverPublicKey(z, joined(point.x, low, point.y & 1n ? 28 : 27))).toBeUndefined()
    expect(recoverPublicKey(z, joined(point.x, low, point.y & 1n ? 27 : 28))).toBeDefined()
  })
})
