import { requireBytes } from '../encoding/bytes.js'
import { requireOptions } from '../encoding/options.js'
import { type Kem, requireKem } from '../hpke/kem.js'
import { x25519Kem } from '../hpke/x25519-kem.js'
import { type Identity, kemIdentity, kemRecipient, type Recipient, requireKeyId } from './recipient.js'
import { keyIdOfKey } from './x25519.js'

/**
 * A recipient known by a public key: a pool's key of one epoch, a consumer's result key.
 *
 * @param options - `publicKey`: 32 bytes for X25519; `keyId`: 1 to 128 printable ASCII characters, by default the
 *   key's SHA-256; `kem`: `x25519Kem` by default, `xwingKem` of `@sealpool/crypto/post-quantum` for files that must
 *   stay closed for decades
 * @returns the recipient
 * @throws CryptoError `KEY_INVALID` for a wrong length, a point of low order or a key that is not reduced;
 *   `RECIPIENT_INVALID` (keyId)
 */
export function hpkeRecipient(options: {
  readonly publicKey: Uint8Array
  readonly keyId?: string | undefined
  readonly kem?: Kem | undefined
}): Recipient {
  requireOptions(options)
  const { kem = x25519Kem } = options
  requireKem(kem)
  const publicKey = kem.requirePublicKey(options.publicKey)
  const keyId = requireKeyId(options.keyId ?? keyIdOfKey(publicKey))
  return kemRecipient({ type: 'hpke', kem: kem.name, keyId }, kem, publicKey)
}

/**
 * The identity that opens what was sealed to {@link hpkeRecipient} with the matching public key.
 *
 * @param options - `privateKey`: 32 bytes; `keyId`: as given to the recipient, by default the public key's SHA-256;
 *   `kem`: as given to the recipient
 * @returns the identity
 * @throws CryptoError `KEY_INVALID`, `RECIPIENT_INVALID`
 */
export function hpkeIdentity(options: {
  readonly privateKey: Uint8Array
  readonly keyId?: string | undefined
  readonly kem?: Kem | undefined
}): Identity {
  requireOptions(options)
  const { kem = x25519Kem } = options
  requireKem(kem)
  const key = kem.prepare(new Uint8Array(requireBytes(options.privateKey, 32, 'privateKey')))
  const keyId = requireKeyId(options.keyId ?? keyIdOfKey(key.publicKey))
  return kemIdentity({ type: 'hpke', kem: kem.name, keyId }, kem, key)
}
