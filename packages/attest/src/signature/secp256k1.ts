import {
  type Affine,
  bigEndian,
  invert,
  linearCombination,
  toAffine,
  type VerificationCurve,
} from './ecdsa.js'

/** secp256k1 (SEC 2, 2.4.1), Ethereum's curve. */
export const curveSecp256k1: VerificationCurve = {
  size: 32,
  p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn,
  n: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  a: 0n,
  b: 7n,
  generator: {
    x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
    y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
  },
}

/** The point with this x whose y is odd or even; undefined when the curve has none. */
function pointAt(x: bigint, odd: boolean): Affine | undefined {
  const { p, b } = curveSecp256k1
  const square = (x * x * x + b) % p
  // p is 3 modulo 4, so a square's root is its power (p + 1) / 4.
  let [y, power] = [1n, square]
  for (let e = (p + 1n) / 4n; e > 0n; e >>= 1n) {
    if (e & 1n) y = (y * power) % p
    power = (power * power) % p
  }
  if ((y * y) % p !== square) return undefined
  return { x, y: (y & 1n) === (odd ? 1n : 0n) ? y : p - y }
}

/**
 * The public key that made a signature (SEC 1, 4.1.6), in the form that Ethereum allows: `s` in the lower half of the order
 * (EIP-2), `v` 27 or 28. For public data only, like all of these curves; held against noble's secp256k1 by its tests, in a
 * fortieth of its size.
 *
 * @param digest the 32 bytes that were signed
 * @param signature `r || s || v`, 65 bytes
 * @returns x and y, 64 bytes; undefined when no key fits or the signature has another form
 */
export function recoverPublicKey(digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
  const { p, n } = curveSecp256k1
  const [r, s] = [bigEndian(signature.subarray(0, 32)), bigEndian(signature.subarray(32, 64))]
  const v = signature[64]
  if (digest.length !== 32 || signature.length !== 65 || (v !== 27 && v !== 28)) return undefined
  if (r === 0n || r >= n || s === 0n || s > n / 2n) return undefined
  const point = pointAt(r, v === 28)
  if (point === undefined) return undefined
  const inverse = invert(r, n)
  const u = (n - (bigEndian(digest) % n)) * inverse
  const key = linearCombination(curveSecp256k1, u % n, point, (s * inverse) % n)
  if (key[2] === 0n) return undefined
  const [{ x, y } = point] = toAffine([key], p)
  const hex = (value: bigint) => (((value % p) + p) % p).toString(16).padStart(64, '0')
  return Uint8Array.from((hex(x) + hex(y)).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
