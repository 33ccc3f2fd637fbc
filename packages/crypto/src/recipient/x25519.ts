import { pow } from '@noble/curves/abstract/modular.js'
import { montgomery } from '@noble/curves/abstract/montgomery.js'
import { bytesToNumberLE } from '@noble/curves/utils.js'
import { type Backend, subtleFor } from '../aead/backend.js'
import { type Digest, sha256Digest } from '../digest/digest.js'
import {
  concatBytes,
  equalBytes,
  type Random,
  requireBytes,
  requireNonZero,
  unshared,
} from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'

/** One side of a key agreement; the private key stays inside. */
export interface KeyAgreement {
  /** The public key, 32 bytes. */
  publicKey(): Promise<Uint8Array>
  /** The shared secret with a public key, 32 bytes, never all zero. */
  agree(publicKey: Uint8Array): Promise<Uint8Array>
}

// noble's ladder alone: its faster base multiplication would bring the Edwards curve into every bundle that seals.
const prime = /* @__PURE__ */ (() => 2n ** 255n - 19n)()
const x25519 = /* @__PURE__ */ (() =>
  montgomery({
    P: prime,
    type: 'x25519',
    powPminus2: (x) => pow(x, prime - 2n, prime),
    adjustScalarBytes(bytes: Uint8Array) {
      // RFC 7748 section 5, decodeScalar25519.
      bytes[0] = (bytes[0] ?? 0) & 248
      bytes[31] = ((bytes[31] ?? 0) & 127) | 64
      return bytes
    },
  }))()

const basePoint = /* @__PURE__ */ Uint8Array.of(9, ...new Uint8Array(31))

/**
 * Whether a point of the curve or of its twist has an order that divides 8 (https://cr.yp.to/ecdh.html#validate): doubled three
 * times, in the projective u coordinates of RFC 7748, it is the neutral element.
 */
function hasLowOrder(u: bigint): boolean {
  let [x, z] = [u, 1n]
  for (let doublings = 0; doublings < 3; doublings++) {
    const [squares, product] = [x * x + z * z, x * z]
    x = (x * x - z * z) ** 2n % prime
    z = (4n * product * (squares + 486662n * product)) % prime
  }
  return z === 0n
}

/**
 * Refuses public keys with which every private key agrees on the same, known secret.
 *
 * @param publicKey - 32 bytes
 * @param place - named in the error
 * @returns the key
 * @throws CryptoError `KEY_INVALID` for a wrong length, a point of low order, or one that is not reduced
 */
export function requirePublicKey(publicKey: unknown, place = 'publicKey'): Uint8Array {
  const bytes = requireBytes(publicKey, 32, place)
  const u = bytesToNumberLE(bytes)
  // Every honest key is reduced. RFC 7748 lets a reader reduce others too; one form per key keeps ids unambiguous.
  if (u >= prime) {
    throw new CryptoError('KEY_INVALID', place, 'expected a key below 2^255 - 19')
  }
  if (hasLowOrder(u)) {
    throw new CryptoError('KEY_INVALID', place, 'a key of low order; ask for another')
  }
  return bytes
}

/**
 * The X25519 public key of a private key (RFC 7748), computed at once and in JavaScript.
 *
 * @param privateKey - 32 bytes
 * @returns 32 bytes
 * @throws CryptoError `KEY_INVALID`
 */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return x25519.getPublicKey(requireBytes(privateKey, 32, 'privateKey'))
}

/**
 * The id by which sealed files and the chain name an X25519 public key.
 *
 * @param publicKey - 32 bytes
 * @returns its SHA-256
 * @throws CryptoError `KEY_INVALID`
 */
export function keyIdOf(publicKey: Uint8Array): Digest {
  return keyIdOfKey(requireBytes(publicKey, 32, 'publicKey'))
}

/**
 * The id of a public key of any KEM.
 *
 * @param publicKey - as the KEM writes it
 * @returns its SHA-256
 */
export function keyIdOfKey(publicKey: Uint8Array): Digest {
  return sha256Digest(publicKey)
}

/**
 * Refuses a shared secret of zeros, as RFC 9180 section 7.1.4 asks. {@link requirePublicKey} already refuses every
 * public key that gives one; this holds even if a platform computed another curve.
 *
 * @param secret - what the key agreement gave
 * @returns the secret
 * @throws CryptoError `KEY_INVALID`
 */
export function requireSharedSecret(secret: Uint8Array): Uint8Array {
  return requireNonZero(secret, 'KEY_INVALID', 'publicKey')
}

/**
 * Prepares a private key for key agreement: natively when the platform's WebCrypto computes X25519, else with noble.
 *
 * @param privateKey - 32 bytes
 * @param backend - where to compute
 * @returns the key's operations
 * @throws CryptoError `KEY_INVALID`; from `agree` also for a public key of low order
 */
export function keyAgreement(privateKey: Uint8Array, backend: Backend = 'auto'): KeyAgreement {
  const own = new Uint8Array(requireBytes(privateKey, 32, 'privateKey'))
  let imported: Promise<NativeKey | undefined> | undefined
  const native = () => {
    imported ??= importNative(own, backend)
    return imported
  }
  return {
    async publicKey() {
      const key = await native()
      return key === undefined ? publicKeyOf(own) : key(basePoint)
    },
    async agree(publicKey) {
      requirePublicKey(publicKey)
      const key = await native()
      const secret = key === undefined ? x25519.getSharedSecret(own, publicKey) : await key(publicKey)
      return requireSharedSecret(secret)
    },
  }
}

/**
 * A fresh key pair made by the platform, when source and backend allow it.
 *
 * @param random - a source that may make key pairs itself
 * @param backend - where to compute
 * @returns the pair's operations; undefined when the caller has to draw bytes
 * @throws CryptoError from `agree`: `KEY_INVALID`
 */
export async function generatedAgreement(
  random: Random,
  backend: Backend,
): Promise<KeyAgreement | undefined> {
  const generate = random.generateX25519
  const subtle = generate === undefined ? undefined : subtleFor(backend)
  if (generate === undefined || subtle === undefined || !(await hasNativeX25519(subtle))) return undefined
  const pair = await generate()
  return {
    publicKey: async () => new Uint8Array(await subtle.exportKey('raw', pair.publicKey)),
    async agree(publicKey) {
      requirePublicKey(publicKey)
      return requireSharedSecret(await deriveWith(subtle, pair.privateKey, publicKey))
    },
  }
}

async function deriveWith(subtle: SubtleCrypto, key: CryptoKey, publicKey: Uint8Array): Promise<Uint8Array> {
  const peer = await subtle.importKey('raw', unshared(publicKey), 'X25519', false, [])
  return new Uint8Array(await subtle.deriveBits({ name: 'X25519', public: peer }, key, 256))
}

type NativeKey = (publicKey: Uint8Array) => Promise<Uint8Array>

async function importNative(privateKey: Uint8Array, backend: Backend): Promise<NativeKey | undefined> {
  const subtle = subtleFor(backend)
  if (subtle === undefined) return undefined
  if (!(await hasNativeX25519(subtle))) {
    if (backend === 'auto') return undefined
    throw new CryptoError('NATIVE_CRYPTO_MISSING', 'backend', 'there is no X25519 here; use auto')
  }
  return nativeKey(subtle, privateKey)
}

// RFC 8410: version, algorithm 1.3.101.110 (X25519), then the private key in two nested octet strings.
const pkcs8Prefix = /* @__PURE__ */ new Uint8Array([
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
])

async function nativeKey(subtle: SubtleCrypto, privateKey: Uint8Array): Promise<NativeKey> {
  const pkcs8 = concatBytes(pkcs8Prefix, privateKey)
  const key = await subtle
    .importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits'])
    .finally(() => pkcs8.fill(0))
  return (publicKey) => deriveWith(subtle, key, publicKey)
}

let known: Promise<boolean> | undefined

function hasNativeX25519(subtle: SubtleCrypto): Promise<boolean> {
  known ??= checkNativeX25519(subtle)
  return known
}

async function checkNativeX25519(subtle: SubtleCrypto): Promise<boolean> {
  try {
    // Against noble, which the tests hold against RFC 7748.
    const probe = new Uint8Array(32).fill(7)
    const key = await nativeKey(subtle, probe)
    return equalBytes(await key(basePoint), publicKeyOf(probe))
  } catch {
    return false
  }
}
