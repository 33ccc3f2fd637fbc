import { sha256, sha384 } from './sha2.js'

/**
 * A short Weierstrass curve y² = x³ + ax + b of prime order (SEC 2, NIST SP 800-186), a being -3 or 0. The readings below verify
 * signatures over public data only; nothing here is constant-time and nothing may ever hold a private key.
 */
export interface VerificationCurve {
  /** Length of a coordinate in bytes. */
  readonly size: number
  readonly p: bigint
  readonly n: bigint
  readonly a: -3n | 0n
  readonly b: bigint
  readonly generator: Affine
  /** Odd multiples of the generator, made at first use. */
  odd?: readonly Affine[]
}

/** A curve with the hash that its signatures are made over. */
export interface SignatureCurve extends VerificationCurve {
  readonly hash: (message: Uint8Array) => Uint8Array
}

/** A point that is not the one at infinity. */
export interface Affine {
  readonly x: bigint
  readonly y: bigint
}

/** Jacobian coordinates: x = X/Z², y = Y/Z³; Z = 0 is the point at infinity. */
export type Point = [bigint, bigint, bigint]

/** NIST P-256 with SHA-256. */
export const curveP256: SignatureCurve = {
  size: 32,
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  a: -3n,
  b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  generator: {
    x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  },
  hash: sha256,
}

/** NIST P-384 with SHA-384. */
export const curveP384: SignatureCurve = {
  size: 48,
  p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
  n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  a: -3n,
  b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  generator: {
    x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
    y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
  },
  hash: sha384,
}

/** Window of the generator's table and of the public key's: 2^(w-2) odd multiples each. */
const generatorWindow = 8
const keyWindow = 5

/** Big-endian bytes as a number. */
export function bigEndian(bytes: Uint8Array): bigint {
  let hex = '0x0'
  for (const octet of bytes) hex += octet.toString(16).padStart(2, '0')
  return BigInt(hex)
}

/** The inverse of a nonzero number modulo a prime (extended Euclid). */
export function invert(value: bigint, modulus: bigint): bigint {
  let [a, b] = [((value % modulus) + modulus) % modulus, modulus]
  let [u, v] = [1n, 0n]
  while (a !== 0n) {
    const quotient = b / a
    ;[b, a] = [a, b - quotient * a]
    ;[v, u] = [u, v - quotient * u]
  }
  return ((v % modulus) + modulus) % modulus
}

// Doubling and mixed addition (Bernstein and Lange, Explicit-Formulas Database: dbl-2001-b, which factors 3x² + az⁴ for a = -3; madd).
function double([x, y, z]: Point, { a, p }: VerificationCurve): Point {
  if (z === 0n) return [x, y, z]
  const delta = a === 0n ? 0n : (z * z) % p
  const gamma = (y * y) % p
  const beta = (x * gamma) % p
  const alpha = (3n * (x - delta) * (x + delta)) % p
  const x3 = (alpha * alpha - 8n * beta) % p
  return [x3, (alpha * (4n * beta - x3) - 8n * gamma * gamma) % p, (2n * y * z) % p]
}

function add([x, y, z]: Point, q: Affine, curve: VerificationCurve): Point {
  const { p } = curve
  if (z === 0n) return [q.x, q.y, 1n]
  const zz = (z * z) % p
  const h = (q.x * zz - x) % p
  const r = (q.y * ((zz * z) % p) - y) % p
  if (h === 0n) return r === 0n ? double([x, y, z], curve) : [1n, 1n, 0n]
  const hh = (h * h) % p
  const hhh = (h * hh) % p
  const v = (x * hh) % p
  const x3 = (r * r - hhh - 2n * v) % p
  return [x3, (r * (v - x3) - y * hhh) % p, (z * h) % p]
}

/** q, 3q, 5q, ... as affine points, with one inversion for all. */
function oddMultiples(q: Affine, window: number, curve: VerificationCurve): Affine[] {
  const count = 1 << (window - 2)
  const twice = toAffine([double([q.x, q.y, 1n], curve)], curve.p)[0] ?? q
  const points: Point[] = [[q.x, q.y, 1n]]
  for (let i = 1; i < count; i += 1) points.push(add(points[i - 1] ?? [1n, 1n, 0n], twice, curve))
  return toAffine(points, curve.p)
}

/**
 * Points in affine coordinates, with one inversion for all.
 *
 * @param points none of them at infinity
 * @param p the field's prime
 * @returns coordinates between 1 - p and p - 1, congruent to the right ones
 */
export function toAffine(points: readonly Point[], p: bigint): Affine[] {
  const products: bigint[] = []
  let product = 1n
  for (const [, , z] of points) {
    products.push(product)
    product = (product * z) % p
  }
  let inverse = invert(product, p)
  const out: Affine[] = []
  for (let i = points.length - 1; i >= 0; i -= 1) {
    const [x, y, z] = points[i] ?? [0n, 0n, 1n]
    const zi = (inverse * (products[i] ?? 1n)) % p
    inverse = (inverse * z) % p
    const zi2 = (zi * zi) % p
    out[i] = { x: (x * zi2) % p, y: (((y * zi2) % p) * zi) % p }
  }
  return out
}

/** Width-w non-adjacent form, least significant digit first: odd digits below 2^(w-1) in size, zeros between. */
function nonAdjacentForm(scalar: bigint, window: number): Int8Array {
  const bits = scalar.toString(2)
  const digits = new Int8Array(bits.length + 1)
  const source = new Uint8Array(bits.length + window + 1)
  for (let i = 0; i < bits.length; i += 1) source[i] = bits.charCodeAt(bits.length - 1 - i) & 1
  for (let i = 0; i <= bits.length; i += 1) {
    if (source[i] === 0) continue
    let value = 0
    for (let j = 0; j < window; j += 1) value |= (source[i + j] ?? 0) << j
    const digit = value >= 1 << (window - 1) ? value - (1 << window) : value
    digits[i] = digit
    for (let j = 0; j < window; j += 1) source[i + j] = 0
    // A negative digit borrows from the bits above the window.
    for (let j = i + window; digit < 0 && j < source.length; j += 1) {
      source[j] = (source[j] ?? 0) ^ 1
      if (source[j] === 1) break
    }
  }
  return digits
}

/**
 * The point u·G + v·Q, both products at once.
 *
 * @param curve whose generator G is
 * @param u below the order
 * @param q a point of the curve
 * @param v below the order
 * @returns in Jacobian coordinates
 */
export function linearCombination(curve: VerificationCurve, u: bigint, q: Affine, v: bigint): Point {
  const { p, generator } = curve
  curve.odd ??= oddMultiples(generator, generatorWindow, curve)
  const [ofG, ofQ] = [nonAdjacentForm(u, generatorWindow), nonAdjacentForm(v, keyWindow)]
  const tables = [
    [ofG, curve.odd],
    [ofQ, oddMultiples(q, keyWindow, curve)],
  ] as const
  let sum: Point = [1n, 1n, 0n]
  for (let i = Math.max(ofG.length, ofQ.length) - 1; i >= 0; i -= 1) {
    sum = double(sum, curve)
    for (const [digits, table] of tables) {
      const digit = digits[i] ?? 0
      const point = table[Math.abs(digit) >> 1]
      if (digit !== 0 && point !== undefined) {
        sum = add(sum, digit > 0 ? point : { x: point.x, y: p - point.y }, curve)
      }
    }
  }
  return sum
}

/**
 * Verifies an ECDSA signature (FIPS 186-5, 6.4.2). High-s signatures are valid: neither Intel's, AMD's nor X.509's ECDSA has a
 * low-s rule.
 *
 * @param curve {@link curveP256} or {@link curveP384}
 * @param publicKey uncompressed SEC1 point: 04 || x || y
 * @param message the signed bytes (not their hash)
 * @param signature r || s, big-endian, each as long as a coordinate
 * @returns true only for a valid signature by a point on the curve; never throws
 */
export function verifyEcdsa(
  curve: SignatureCurve,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { size, p, n, a, b } = curve
  if (publicKey.length !== 2 * size + 1 || publicKey[0] !== 4 || signature.length !== 2 * size) return false
  const q = { x: bigEndian(publicKey.subarray(1, size + 1)), y: bigEndian(publicKey.subarray(size + 1)) }
  const [r, s] = [bigEndian(signature.subarray(0, size)), bigEndian(signature.subarray(size))]
  if (r === 0n || s === 0n || r >= n || s >= n || q.x >= p || q.y >= p) return false
  if ((q.y * q.y - (q.x * q.x * q.x + a * q.x + b)) % p !== 0n) return false
  const inverse = invert(s, n)
  const [x, , z] = linearCombination(
    curve,
    (bigEndian(curve.hash(message)) * inverse) % n,
    q,
    (r * inverse) % n,
  )
  if (z === 0n) return false
  // x(R) mod n = r without an inversion: x(R) is r or, when that is below p, r + n.
  const zz = (z * z) % p
  return (r * zz - x) % p === 0n || (r + n < p && ((r + n) * zz - x) % p === 0n)
}
