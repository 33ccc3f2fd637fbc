import { cbc } from '@noble/ciphers/aes.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { type Backend, subtleFor } from '../aead/backend.js'
import {
  concatBytes,
  drawRandom,
  equalBytes,
  isBytes,
  type Random,
  requireBytes,
  unshared,
} from '../encoding/bytes.js'
import { ownBytes, requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'

// The layout of eccrypto: initialisation vector, uncompressed ephemeral key, ciphertext, MAC.
const ivLength = 16
const ephemeralLength = 65
const macLength = 32
const blockLength = 16
const shortest = ivLength + ephemeralLength + blockLength + macLength

/**
 * Opens a message in eccrypto's form of ECIES, in which existing data networks wrap file keys: secp256k1, SHA-512 of the
 * shared x coordinate, AES-256-CBC, HMAC-SHA-256. The MAC is checked, in constant time, before anything is decrypted.
 *
 * @param options - `privateKey`: secp256k1, 32 bytes; `message`: `iv (16) || ephemeral key (65) || ciphertext || MAC (32)`
 * @returns the plaintext
 * @throws CryptoError `ECIES_REFUSED` when message and key do not belong together; `KEY_INVALID` (privateKey)
 */
export async function openEcies(options: {
  readonly privateKey: Uint8Array
  readonly message: Uint8Array
  readonly backend?: Backend | undefined
}): Promise<Uint8Array> {
  requireOptions(options)
  const { backend = 'auto' } = options
  const privateKey = requireScalar(options.privateKey)
  if (!isBytes(options.message) || options.message.length < shortest) throw refused()
  const message = new Uint8Array(options.message)
  const [iv, ephemeral, ciphertext, mac] = [
    message.slice(0, ivLength),
    message.slice(ivLength, ivLength + ephemeralLength),
    message.slice(ivLength + ephemeralLength, -macLength),
    message.slice(-macLength),
  ]
  const { cipherKey, macKey } = keysOf(privateKey, ephemeral, refused)
  const expected = hmac(sha256, macKey, concatBytes(iv, ephemeral, ciphertext))
  if (!equalBytes(mac, expected)) throw refused()
  try {
    return await decrypt(cipherKey, iv, ciphertext, backend)
  } catch (error) {
    if (error instanceof CryptoError) throw error
    throw refused()
  }
}

/**
 * Seals a message in eccrypto's form of ECIES, for programs that read no other.
 *
 * @param options - `publicKey`: secp256k1, 33 or 65 bytes; `plaintext`; `random`
 * @returns `iv (16) || ephemeral key (65) || ciphertext || MAC (32)`
 * @throws CryptoError `KEY_INVALID` (publicKey), `RANDOM_INVALID`, `OPTION_INVALID` (plaintext)
 */
export async function sealEcies(options: {
  readonly publicKey: Uint8Array
  readonly plaintext: Uint8Array
  readonly random: Random
  readonly backend?: Backend | undefined
}): Promise<Uint8Array> {
  requireOptions(options)
  const { publicKey, random, backend = 'auto' } = options
  const wrongKey = () =>
    new CryptoError('KEY_INVALID', 'publicKey', 'expected a point of secp256k1 in 33 or 65 bytes')
  if (!isBytes(publicKey)) throw wrongKey()
  const { plaintext } = ownBytes(options, ['plaintext'])
  const ephemeralKey = drawScalar(random)
  const ephemeral = secp256k1.getPublicKey(ephemeralKey, false)
  const { cipherKey, macKey } = keysOf(ephemeralKey, publicKey, wrongKey)
  const iv = drawRandom(random, ivLength)
  const ciphertext = await encrypt(cipherKey, iv, plaintext, backend)
  return concatBytes(iv, ephemeral, ciphertext, hmac(sha256, macKey, concatBytes(iv, ephemeral, ciphertext)))
}

function keysOf(privateKey: Uint8Array, publicKey: Uint8Array, refuse: () => CryptoError) {
  let shared: Uint8Array
  try {
    shared = secp256k1.getSharedSecret(privateKey, publicKey, true)
  } catch {
    throw refuse()
  }
  const hash = sha512(shared.slice(1))
  return { cipherKey: hash.slice(0, 32), macKey: hash.slice(32) }
}

function requireScalar(privateKey: Uint8Array): Uint8Array {
  requireBytes(privateKey, 32, 'privateKey')
  if (!secp256k1.utils.isValidSecretKey(privateKey)) {
    throw new CryptoError('KEY_INVALID', 'privateKey', 'not a secp256k1 private key')
  }
  return privateKey
}

function drawScalar(random: Random): Uint8Array {
  // A draw is no scalar with probability 2^-128; a source that gives none twice is broken.
  for (let turn = 0; turn < 2; turn++) {
    const scalar = drawRandom(random, 32)
    if (secp256k1.utils.isValidSecretKey(scalar)) return scalar
  }
  throw new CryptoError('RANDOM_INVALID', 'random', 'the source gives no secp256k1 scalars')
}

async function encrypt(
  key: Uint8Array,
  iv: Uint8Array,
  plaintext: Uint8Array,
  backend: Backend,
): Promise<Uint8Array> {
  const subtle = subtleFor(backend)
  if (subtle === undefined) return cbc(key, iv).encrypt(plaintext)
  const imported = await subtle.importKey('raw', unshared(key), 'AES-CBC', false, ['encrypt'])
  return new Uint8Array(
    await subtle.encrypt({ name: 'AES-CBC', iv: unshared(iv) }, imported, unshared(plaintext)),
  )
}

async function decrypt(
  key: Uint8Array,
  iv: Uint8Array,
  ciphertext: Uint8Array,
  backend: Backend,
): Promise<Uint8Array> {
  const subtle = subtleFor(backend)
  if (subtle === undefined) return cbc(key, iv).decrypt(ciphertext)
  const imported = await subtle.importKey('raw', unshared(key), 'AES-CBC', false, ['decrypt'])
  return new Uint8Array(
    await subtle.decrypt({ name: 'AES-CBC', iv: unshared(iv) }, imported, unshared(ciphertext)),
  )
}

function refused(): CryptoError {
  return new CryptoError('ECIES_REFUSED', 'message', 'the message is not authentic for this key')
}
