import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { type AeadName, aeadSizes, aeadTagLength, importAeadKey } from '../aead/aead.js'
import type { Backend } from '../aead/backend.js'
import { bigEndian, concatBytes, drawRandom, type Random, requireBytes } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'
import { type KeyAgreement, keyAgreement, publicKeyOf, requirePublicKey } from './x25519.js'

const encoder = new TextEncoder()
const none = new Uint8Array()

// RFC 9180 section 7: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, and the AEADs that it names.
const kemId = 0x0020
const kdfId = 0x0001
const aeadIds = { 'aes-128-gcm': 0x0001, 'aes-256-gcm': 0x0002, 'chacha20-poly1305': 0x0003 } as const
/** AEADs of RFC 9180 section 7.3; Sealpool's formats use `aes-256-gcm`. */
export type HpkeAead = keyof typeof aeadIds & AeadName
const kemSuite = concatBytes(encoder.encode('KEM'), bigEndian(kemId, 2))
const modeBase = 0

/** Length in bytes of the encapsulated key that precedes an HPKE ciphertext. */
export const encapsulatedKeyLength = 32

/** An X25519 key pair. */
export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 32 bytes, secret. */
  readonly privateKey: Uint8Array
}

function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, input: Uint8Array): Uint8Array {
  return extract(sha256, concatBytes(encoder.encode('HPKE-v1'), suite, encoder.encode(label), input), salt)
}

function labeledExpand(
  suite: Uint8Array,
  key: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const labeled = concatBytes(
    bigEndian(length, 2),
    encoder.encode('HPKE-v1'),
    suite,
    encoder.encode(label),
    info,
  )
  return expand(sha256, key, labeled, length)
}

/**
 * The private key for some key material (DeriveKeyPair, RFC 9180 section 7.1.3).
 *
 * @param material - at least 32 secret bytes
 * @returns 32 bytes
 * @throws CryptoError `KEY_INVALID` when the material is shorter
 */
export function derivePrivateKey(material: Uint8Array): Uint8Array {
  if (!(material instanceof Uint8Array) || material.length < 32) {
    throw new CryptoError('KEY_INVALID', 'material', 'key material has at least 32 bytes')
  }
  return labeledExpand(kemSuite, labeledExtract(kemSuite, none, 'dkp_prk', material), 'sk', none, 32)
}

/**
 * The key pair for some key material (DeriveKeyPair, RFC 9180 section 7.1.3).
 *
 * @param material - at least 32 secret bytes
 * @returns the X25519 key pair
 * @throws CryptoError `KEY_INVALID` when the material is shorter
 */
export function deriveKeyPair(material: Uint8Array): KeyPair {
  const privateKey = derivePrivateKey(material)
  return { publicKey: publicKeyOf(privateKey), privateKey }
}

function kemSharedSecret(agreed: Uint8Array, enc: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const key = labeledExtract(kemSuite, none, 'eae_prk', agreed)
  return labeledExpand(kemSuite, key, 'shared_secret', concatBytes(enc, publicKey), 32)
}

/** What both sides derive (RFC 9180 section 5.1). */
interface HpkeSchedule {
  readonly key: Uint8Array
  readonly baseNonce: Uint8Array
  readonly exporterSecret: Uint8Array
}

/**
 * The key schedule in base mode (RFC 9180 section 5.1).
 *
 * @param sharedSecret - from the KEM, 32 bytes
 * @param info - bound by both sides
 * @param aead - cipher
 * @returns key, nonce and exporter secret
 */
export function hpkeSchedule(sharedSecret: Uint8Array, info: Uint8Array, aead: HpkeAead): HpkeSchedule {
  const suite = concatBytes(
    encoder.encode('HPKE'),
    bigEndian(kemId, 2),
    bigEndian(kdfId, 2),
    bigEndian(aeadIds[aead], 2),
  )
  const context = concatBytes(
    new Uint8Array([modeBase]),
    labeledExtract(suite, none, 'psk_id_hash', none),
    labeledExtract(suite, none, 'info_hash', info),
  )
  const secret = labeledExtract(suite, sharedSecret, 'secret', none)
  return {
    key: labeledExpand(suite, secret, 'key', context, aeadSizes[aead].key),
    baseNonce: labeledExpand(suite, secret, 'base_nonce', context, aeadSizes[aead].nonce),
    exporterSecret: labeledExpand(suite, secret, 'exp', context, 32),
  }
}

/**
 * The sender's side of the KEM with a given ephemeral key (Encap, RFC 9180 section 4.1).
 *
 * @param publicKey - the recipient's, 32 bytes
 * @param ephemeral - a fresh private key, 32 bytes, used once
 * @param backend - where to compute
 * @returns the encapsulated key and the shared secret
 * @throws CryptoError `KEY_INVALID` for a public key of low order
 */
export async function encapsulate(
  publicKey: Uint8Array,
  ephemeral: Uint8Array,
  backend: Backend,
): Promise<{ readonly enc: Uint8Array; readonly sharedSecret: Uint8Array }> {
  const agreement = keyAgreement(ephemeral, backend)
  const agreed = await agreement.agree(publicKey)
  const enc = await agreement.publicKey()
  return { enc, sharedSecret: kemSharedSecret(agreed, enc, publicKey) }
}

/**
 * The recipient's side of the KEM (Decap, RFC 9180 section 4.1).
 *
 * @param enc - the encapsulated key, 32 bytes
 * @param agreement - the recipient's private key
 * @param publicKey - the recipient's public key
 * @returns the shared secret
 * @throws CryptoError `KEY_INVALID` when `enc` has low order
 */
export async function decapsulate(
  enc: Uint8Array,
  agreement: KeyAgreement,
  publicKey: Uint8Array,
): Promise<Uint8Array> {
  return kemSharedSecret(await agreement.agree(enc), enc, publicKey)
}

/** What {@link hpkeSeal} takes. */
export interface HpkeSealOptions {
  /** The recipient's X25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** What the message is for; both sides must give the same. */
  readonly info: Uint8Array
  /** Associated data, authenticated and not sent. */
  readonly aad: Uint8Array
  readonly plaintext: Uint8Array
  readonly random: Random
  readonly backend?: Backend | undefined
}

/**
 * Seals one message to a public key (single-shot base mode, RFC 9180 section 6.1, AES-256-GCM). Anyone can seal:
 * the sender is not authenticated.
 *
 * @param options - see {@link HpkeSealOptions}
 * @returns encapsulated key (32 bytes), then ciphertext (plaintext + 16 bytes)
 * @throws CryptoError `KEY_INVALID`, `RANDOM_INVALID`, `NATIVE_CRYPTO_MISSING`
 */
export async function hpkeSeal(options: HpkeSealOptions): Promise<Uint8Array> {
  const { publicKey, info, aad, plaintext, random, backend = 'auto' } = options
  requirePublicKey(publicKey)
  const ephemeral = derivePrivateKey(drawRandom(random, 32))
  const { enc, sharedSecret } = await encapsulate(publicKey, ephemeral, backend)
  const schedule = hpkeSchedule(sharedSecret, info, 'aes-256-gcm')
  const key = await importAeadKey('aes-256-gcm', schedule.key, backend)
  return concatBytes(enc, await key.seal(schedule.baseNonce, plaintext, aad))
}

/** What {@link hpkeOpen} takes. */
export interface HpkeOpenOptions {
  /** The recipient's X25519 private key, 32 bytes. */
  readonly privateKey: Uint8Array
  readonly info: Uint8Array
  readonly aad: Uint8Array
  /** What {@link hpkeSeal} gave. */
  readonly message: Uint8Array
  readonly backend?: Backend | undefined
}

/**
 * Opens what {@link hpkeSeal} sealed.
 *
 * @param options - see {@link HpkeOpenOptions}
 * @returns the plaintext
 * @throws CryptoError `HPKE_OPEN_REFUSED` when key, info, associated data or message do not belong together;
 *   `KEY_INVALID` for a private key of the wrong length
 */
export async function hpkeOpen(options: HpkeOpenOptions): Promise<Uint8Array> {
  const { privateKey, info, aad, message, backend = 'auto' } = options
  requireBytes(privateKey, 32, 'privateKey')
  return hpkeOpenWith({
    agreement: keyAgreement(privateKey, backend),
    publicKey: publicKeyOf(privateKey),
    info,
    aad,
    message,
    backend,
  })
}

/**
 * {@link hpkeOpen} with a private key that was prepared once for many messages.
 *
 * @param options - as in {@link hpkeOpen}, with the prepared key and its public key
 * @returns the plaintext
 * @throws CryptoError `HPKE_OPEN_REFUSED`
 */
export async function hpkeOpenWith(options: {
  readonly agreement: KeyAgreement
  readonly publicKey: Uint8Array
  readonly info: Uint8Array
  readonly aad: Uint8Array
  readonly message: Uint8Array
  readonly backend: Backend
}): Promise<Uint8Array> {
  const { agreement, publicKey, info, aad, message, backend } = options
  const refused = () =>
    new CryptoError(
      'HPKE_OPEN_REFUSED',
      'message',
      'the message is not authentic for this key, info and data',
    )
  if (!(message instanceof Uint8Array) || message.length < encapsulatedKeyLength + aeadTagLength)
    throw refused()
  const enc = message.slice(0, encapsulatedKeyLength)
  let sharedSecret: Uint8Array
  try {
    sharedSecret = await decapsulate(enc, agreement, publicKey)
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'KEY_INVALID') throw refused()
    throw error
  }
  const schedule = hpkeSchedule(sharedSecret, info, 'aes-256-gcm')
  const key = await importAeadKey('aes-256-gcm', schedule.key, backend)
  const plaintext = await key.open(schedule.baseNonce, message.slice(encapsulatedKeyLength), aad)
  if (plaintext === undefined) throw refused()
  return plaintext
}
