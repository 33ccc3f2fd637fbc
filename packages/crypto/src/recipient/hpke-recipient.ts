import type { Backend } from '../aead/backend.js'
import { CryptoError } from '../errors.js'
import {
  type Identity,
  type Recipient,
  type StanzaLabel,
  x25519Identity,
  x25519Recipient,
} from './recipient.js'
import { type KeyAgreement, keyAgreement, keyIdOf, publicKeyOf, requirePublicKey } from './x25519.js'

/**
 * A recipient known by an X25519 public key: a pool's key of one epoch, a consumer's result key.
 *
 * @param options - `publicKey`: 32 bytes; `keyId`: 1 to 128 printable ASCII characters, by default the key's SHA-256
 * @returns the recipient
 * @throws CryptoError `KEY_INVALID` for a wrong length or a point of low order; `RECIPIENT_INVALID` (keyId)
 */
export function hpkeRecipient(options: {
  readonly publicKey: Uint8Array
  readonly keyId?: string | undefined
}): Recipient {
  const publicKey = requirePublicKey(options.publicKey)
  return x25519Recipient(labelOf(options.keyId ?? keyIdOf(publicKey)), publicKey)
}

/**
 * The identity that opens what was sealed to {@link hpkeRecipient} with the matching public key.
 *
 * @param options - `privateKey`: 32 bytes; `keyId`: as given to the recipient, by default the public key's SHA-256
 * @returns the identity
 * @throws CryptoError `KEY_INVALID`, `RECIPIENT_INVALID`
 */
export function hpkeIdentity(options: {
  readonly privateKey: Uint8Array
  readonly keyId?: string | undefined
}): Identity {
  const publicKey = publicKeyOf(options.privateKey)
  return x25519Identity(labelOf(options.keyId ?? keyIdOf(publicKey)), {
    publicKey,
    agreement: agreementsOf(options.privateKey),
  })
}

/**
 * Prepares a private key once for each backend that is asked for.
 *
 * @param privateKey - 32 bytes
 * @returns the prepared key for a backend
 */
export function agreementsOf(privateKey: Uint8Array): (backend: Backend) => KeyAgreement {
  const prepared = new Map<Backend, KeyAgreement>()
  const key = privateKey.slice()
  return (backend) => {
    const agreement = prepared.get(backend) ?? keyAgreement(key, backend)
    prepared.set(backend, agreement)
    return agreement
  }
}

function labelOf(keyId: string): StanzaLabel {
  if (typeof keyId !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(keyId)) {
    throw new CryptoError('RECIPIENT_INVALID', 'keyId', 'a key id is 1 to 128 printable ASCII characters')
  }
  return { type: 'hpke', kem: 'x25519', keyId }
}
