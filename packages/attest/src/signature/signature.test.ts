import { constants, generateKeyPairSync, sign as nodeSign } from 'node:crypto'
import { p256, p384 } from '@noble/curves/nist.js'
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nativeSignatures } from '../platform.js'
import { verifyAmdSignature } from './amd.js'
import { bigEndian, curveP256, curveP384, verifyEcdsa } from './ecdsa.js'
import { keyAlgorithm, rememberingSignatures, type VerifySignature } from './port.js'
import { verifyRsaPkcs1Sha256 } from './rsa-pkcs1.js'
import { parseRsaPublicKey, verifyRsaPss384 } from './rsa-pss.js'

const native = nativeSignatures()
if (native === undefined) throw new Error('these tests compare with node:crypto')
const bytesOf = (value: bigint, size: number) =>
  Uint8Array.from(
    value
      .toString(16)
      .padStart(2 * size, '0')
      .match(/../g) ?? [],
    (pair) => Number.parseInt(pair, 16),
  )

describe.each([
  ['P-256', p256, curveP256, sha256],
  ['P-384', p384, curveP384, sha384],
] as const)('ECDSA %s in portable code', (_, noble, curve, hash) => {
  const { size, n, p } = curve
  const verify: VerifySignature = (publicKey, message, signature) =>
    verifyEcdsa(curve, publicKey, message, signature)
  const options = { lowS: false, prehash: true, format: 'compact' } as const
  const byNoble: VerifySignature = (publicKey, message, signature) => {
    try {
      return noble.verify(signature, message, publicKey, options)
    } catch {
      return false
    }
  }
  const scalar = fc.bigInt({ min: 1n, max: n - 1n })
  const message = new TextEncoder().encode('message')
  const key = (d: bigint) => noble.getPublicKey(bytesOf(d, size), false)

  it('agrees with noble and with OpenSSL on signatures, valid, of high s, and changed', () => {
    fc.assert(
      fc.property(scalar, fc.uint8Array({ maxLength: 300 }), fc.nat(), (d, text, place) => {
        const publicKey = key(d)
        const signature = noble.sign(text, bytesOf(d, size), options)
        const high = signature.slice()
        high.set(bytesOf(n - bigEndian(signature.subarray(size)), size), size)
        const changed = signature.slice()
        changed[place % changed.length] = (changed[place % changed.length] ?? 0) ^ (1 << (place % 8))
        for (const [bytes, valid] of [
          [signature, true],
          [high, true],
          [changed, false],
        ] as const) {
          expect(verify(publicKey, text, bytes)).toBe(valid)
          expect(byNoble(publicKey, text, bytes)).toBe(valid)
          expect(native(publicKey, text, bytes)).toBe(valid)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('agrees for keys whose multiples meet the generator’s table: 1 to 70, and their negatives', () => {
    for (let d = 1n; d <= 70n; d += 1n) {
      for (const secret of [d, n - d]) {
        const signature = noble.sign(message, bytesOf(secret, size), options)
        expect(verify(key(secret), message, signature)).toBe(true)
      }
    }
  })

  it('refuses r or s of zero, of the order and beyond', () => {
    const signature = noble.sign(message, bytesOf(5n, size), options)
    for (const [half, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      for (const value of [0n, n, n + 1n, 2n ** BigInt(8 * size) - 1n]) {
        const bad = signature.slice()
        bad.set(bytesOf(value, size), half * size)
        expect([half, other, verify(key(5n), message, bad), native(key(5n), message, bad)]).toEqual([
          half,
          other,
          false,
          false,
        ])
      }
    }
  })

  it('accepts the one case in which the point’s x is not below the order (r + n)', () => {
    // A key for a chosen point: Q = (s R - e G) / r, so that any s verifies (x(R) - n is r).
    let x = n
    const point = () => {
      for (; ; x += 1n) {
        try {
          return noble.Point.fromAffine({
            x,
            y: noble.Point.Fp.sqrt(noble.Point.Fp.create(x ** 3n - 3n * x + curve.b)),
          })
        } catch {}
      }
    }
    const chosen = point()
    expect(x < p).toBe(true)
    const [r, s] = [x - n, 12345n]
    if (r === 0n) return
    const inverse = noble.Point.Fn.inv(r)
    const e = bigEndian(hash(message)) % n
    const q = chosen.multiply(s).subtract(noble.Point.BASE.multiply(e)).multiply(inverse)
    const publicKey = q.toBytes(false)
    const signature = concatBytes(bytesOf(r, size), bytesOf(s, size))
    expect(byNoble(publicKey, message, signature)).toBe(true)
    expect(native(publicKey, message, signature)).toBe(true)
    expect(verify(publicKey, message, signature)).toBe(true)
  })

  it('refuses a sum that is the point at infinity', () => {
    // u1 G + u2 Q = 0 for Q = d G exactly when e = -r d: choose d = -e / r.
    const e = bigEndian(hash(message)) % n
    const r = 7n
    const d = noble.Point.Fn.create(-e * noble.Point.Fn.inv(r))
    const signature = concatBytes(bytesOf(r, size), bytesOf(9n, size))
    expect(verify(key(d), message, signature)).toBe(false)
    expect(native(key(d), message, signature)).toBe(false)
  })

  it('refuses keys that are no point of the curve or of another form', () => {
    const signature = noble.sign(message, bytesOf(5n, size), options)
    const good = key(5n)
    const offCurve = good.slice()
    offCurve[size] = (offCurve[size] ?? 0) ^ 1
    const beyond = concatBytes(Uint8Array.of(4), bytesOf(p + 1n, size), good.subarray(size + 1))
    const compressed = noble.getPublicKey(bytesOf(5n, size), true)
    const zero = concatBytes(Uint8Array.of(4), new Uint8Array(2 * size))
    for (const bad of [offCurve, beyond, compressed, zero, new Uint8Array(), good.subarray(1)]) {
      expect(verify(bad, message, signature)).toBe(false)
      expect(native(bad, message, signature)).toBe(false)
    }
    expect(verify(good, message, signature.subarray(1))).toBe(false)
    expect(verify(good, message, concatBytes(signature, Uint8Array.of(0)))).toBe(false)
  })
})

describe('RSA in portable code', () => {
  const message = new TextEncoder().encode('message')
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const publicKey = new Uint8Array(pair.publicKey.export({ format: 'der', type: 'pkcs1' }))
  const padding = constants.RSA_PKCS1_PSS_PADDING
  const pss = (hash: string, saltLength: number) =>
    new Uint8Array(nodeSign(hash, message, { key: pair.privateKey, padding, saltLength }))

  it('verifies PSS with SHA-384 and a salt of 48 bytes, and nothing else', () => {
    const good = pss('sha384', 48)
    for (const verify of [verifyRsaPss384, verifyAmdSignature, native]) {
      expect(verify(publicKey, message, good)).toBe(true)
      expect(verify(publicKey, message, pss('sha384', 32))).toBe(false)
      expect(verify(publicKey, message, pss('sha256', 48))).toBe(false)
      expect(verify(publicKey, message.subarray(1), good)).toBe(false)
      expect(verify(publicKey, message, good.subarray(1))).toBe(false)
      expect(verify(publicKey, message, concatBytes(Uint8Array.of(0), good))).toBe(false)
      expect(verify(publicKey, message, new Uint8Array(256))).toBe(false)
      expect(verify(publicKey, message, new Uint8Array(256).fill(0xff))).toBe(false)
    }
  })

  it('refuses every flipped byte of a signature, as OpenSSL does', () => {
    const good = pss('sha384', 48)
    for (let i = 0; i < good.length; i += 5) {
      const bad = good.slice()
      bad[i] = (bad[i] ?? 0) ^ 0x10
      expect(verifyRsaPss384(publicKey, message, bad)).toBe(false)
    }
  })

  it('verifies PKCS #1 v1.5 with SHA-256 by the whole encoding', () => {
    const key = parseRsaPublicKey(publicKey)
    const good = new Uint8Array(nodeSign('sha256', message, pair.privateKey))
    expect(verifyRsaPkcs1Sha256(key, message, good)).toBe(true)
    expect(
      verifyRsaPkcs1Sha256(key, message, new Uint8Array(nodeSign('sha384', message, pair.privateKey))),
    ).toBe(false)
    expect(verifyRsaPkcs1Sha256(key, message, pss('sha384', 48))).toBe(false)
    expect(verifyRsaPkcs1Sha256(key, message.subarray(1), good)).toBe(false)
  })

  it('refuses small keys, small exponents and other structures', () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const three = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })
    for (const { publicKey: bad } of [small, three]) {
      expect(() => parseRsaPublicKey(new Uint8Array(bad.export({ format: 'der', type: 'pkcs1' })))).toThrow(
        /modulus of 2048/,
      )
    }
    expect(verifyRsaPss384(Uint8Array.of(0x30, 0), message, pss('sha384', 48))).toBe(false)
    expect(verifyRsaPss384(new Uint8Array(), message, pss('sha384', 48))).toBe(false)
  })
})

describe('the signature port', () => {
  it('takes the algorithm from the form of the key', () => {
    const point = (length: number) => concatBytes(Uint8Array.of(4), new Uint8Array(length - 1))
    expect([65, 97, 66].map((length) => keyAlgorithm(point(length)))).toEqual(['p256', 'p384', undefined])
    expect([keyAlgorithm(Uint8Array.of(0x30)), keyAlgorithm(new Uint8Array())]).toEqual(['rsa', undefined])
  })

  it('remembers answers about the very same arrays only', () => {
    let asked = 0
    const verify = rememberingSignatures((_, message) => {
      asked += 1
      return message.length > 0
    })
    const [key, message, signature] = [new Uint8Array(65), new Uint8Array(1), new Uint8Array(64)]
    expect([verify(key, message, signature), verify(key, message, signature), asked]).toEqual([true, true, 1])
    expect([verify(key, new Uint8Array(0), signature), asked]).toEqual([false, 2])
    expect([verify(key.slice(), message, signature), asked]).toEqual([true, 3])
  })
})
