import type { Backend } from '../aead/backend.js'
import type { Random } from '../encoding/bytes.js'
import { CryptoError } from '../errors.js'

/** A key pair of some KEM. */
export interface KeyPair {
  /** X25519: 32 bytes. X-Wing: 1,216 bytes. */
  readonly publicKey: Uint8Array
  /** 32 bytes, secret. */
  readonly privateKey: Uint8Array
}

/** What a sender's side of a KEM takes. */
export interface EncapsulateOptions {
  readonly publicKey: Uint8Array
  readonly random: Random
  readonly backend: Backend
  /** The sender's own private key: the recipient then knows who sent (auth mode). */
  readonly senderPrivateKey?: Uint8Array | undefined
}

/** What a recipient's side of a KEM takes. */
export interface DecapsulateOptions {
  readonly enc: Uint8Array
  readonly backend: Backend
  /** The key that must have sent (auth mode). */
  readonly senderPublicKey?: Uint8Array | undefined
}

/** A private key that was prepared once and is used often. */
export interface KemPrivateKey {
  readonly publicKey: Uint8Array
  /**
   * The shared secret, 32 bytes.
   *
   * @throws CryptoError `KEY_INVALID` for an encapsulated or sender's key that no honest sender makes
   */
  decapsulate(options: DecapsulateOptions): Promise<Uint8Array>
}

/** A key encapsulation mechanism of HPKE (RFC 9180 section 4). */
export interface Kem {
  /** As it stands in a stanza's `kem`. */
  readonly name: 'x25519' | 'xwing'
  /** In the registry of RFC 9180 section 7.1. */
  readonly id: number
  /** Bytes of an encapsulated key. */
  readonly encLength: number
  /** Bytes of a public key. */
  readonly publicKeyLength: number
  /**
   * Refuses what is no safe public key.
   *
   * @throws CryptoError `KEY_INVALID`
   */
  requirePublicKey(publicKey: unknown, place?: string): Uint8Array
  /**
   * The key pair for some key material of at least 32 secret bytes.
   *
   * @throws CryptoError `KEY_INVALID`
   */
  deriveKeyPair(material: Uint8Array): KeyPair
  /**
   * Makes a shared secret for a public key, and what its owner needs to make it too.
   *
   * @throws CryptoError `KEY_INVALID`, `RANDOM_INVALID`; `OPTION_INVALID` for auth mode where the KEM has none
   */
  encapsulate(
    options: EncapsulateOptions,
  ): Promise<{ readonly enc: Uint8Array; readonly sharedSecret: Uint8Array }>
  /**
   * Prepares a private key.
   *
   * @throws CryptoError `KEY_INVALID`
   */
  prepare(privateKey: Uint8Array): KemPrivateKey
}

/**
 * Refuses what is no KEM: nothing in its place must not pass as the default.
 *
 * @param kem - what the caller gave
 * @returns the KEM
 * @throws CryptoError `OPTION_INVALID`
 */
export function requireKem(kem: Kem): Kem {
  if (typeof (kem as Partial<Kem> | null)?.prepare === 'function') return kem
  throw new CryptoError('OPTION_INVALID', 'kem', 'expected x25519Kem or xwingKem')
}
