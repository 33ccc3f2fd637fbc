import { requireOptions } from '../encoding/options.js'
import type { KeyPair } from '../hpke/kem.js'
import { hpkeIdentity, hpkeRecipient } from '../recipient/hpke-recipient.js'
import type { Identity, Recipient } from '../recipient/recipient.js'
import { xwingKem } from './xwing-kem.js'

/**
 * The X-Wing key pair for some key material (DeriveKeyPair of draft-connolly-cfrg-xwing-kem).
 *
 * @param material - at least 32 secret bytes
 * @returns public key of 1,216 bytes, private key (the draft's seed) of 32
 * @throws CryptoError `KEY_INVALID` when the material is shorter
 */
export function deriveXwingKeyPair(material: Uint8Array): KeyPair {
  return xwingKem.deriveKeyPair(material)
}

/**
 * A recipient known by an X-Wing public key: what is sealed to it stays sealed even if X25519 falls to a quantum
 * computer, or ML-KEM-768 to a new attack.
 *
 * @param options - `publicKey`: 1,216 bytes; `keyId`: 1 to 128 printable ASCII characters, by default the key's
 *   SHA-256
 * @returns the recipient
 * @throws CryptoError `KEY_INVALID`, `RECIPIENT_INVALID` (keyId)
 * @example
 * ```ts
 * import { openBytes, platformRandom, sealBytes } from '@sealpool/crypto'
 * import { deriveXwingKeyPair, xwingIdentity, xwingRecipient } from '@sealpool/crypto/post-quantum'
 * const key = deriveXwingKeyPair(platformRandom(32))
 * const sealed = await sealBytes(new TextEncoder().encode('for decades'), {
 *   recipients: [xwingRecipient(key)],
 *   context: {
 *     chainId: 1,
 *     pool: `0x${'ab'.repeat(20)}`,
 *     policyDigest: `sha256:${'cd'.repeat(32)}`,
 *     epoch: 1,
 *     mediaType: 'text/plain',
 *   },
 * })
 * const opened = await openBytes(sealed, { identities: [xwingIdentity(key)] })
 * console.log(new TextDecoder().decode(opened.plaintext)) // for decades
 * ```
 */
export function xwingRecipient(options: {
  readonly publicKey: Uint8Array
  readonly keyId?: string | undefined
}): Recipient {
  return hpkeRecipient({ ...requireOptions(options), kem: xwingKem })
}

/**
 * The identity that opens what was sealed to {@link xwingRecipient} with the matching public key.
 *
 * @param options - `privateKey`: 32 bytes; `keyId`: as given to the recipient, by default the public key's SHA-256
 * @returns the identity
 * @throws CryptoError `KEY_INVALID`, `RECIPIENT_INVALID`
 */
export function xwingIdentity(options: {
  readonly privateKey: Uint8Array
  readonly keyId?: string | undefined
}): Identity {
  return hpkeIdentity({ ...requireOptions(options), kem: xwingKem })
}
