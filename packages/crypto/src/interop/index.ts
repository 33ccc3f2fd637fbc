import type { Random } from '../encoding/bytes.js'
import { requireOptions } from '../encoding/options.js'
import { platformRandom } from '../platform.js'
import { sealAge as sealAgeWith } from './age.js'
import { sealEcies as sealEciesWith } from './ecies.js'

export {
  decodeAgeIdentity,
  decodeAgeRecipient,
  encodeAgeIdentity,
  encodeAgeRecipient,
  openAge,
} from './age.js'
export { openEcies } from './ecies.js'
export { type OpenPgpModule, openPasswordFile, scopePassword, sealPasswordFile } from './openpgp.js'

/**
 * Seals bytes as an age file (age-encryption.org/v1) for X25519 recipients. It has no context: what binds a sealed file
 * to pool, policy and epoch is lost.
 *
 * @param plaintext - any bytes
 * @param options - `recipients`: 1 to 100, `age1...`; `random` is the platform's by default
 * @returns a binary age file
 * @throws CryptoError `RECIPIENT_INVALID`, `KEY_INVALID`, `RANDOM_INVALID`
 * @example
 * ```ts
 * import { derivePoolKey } from '@sealpool/crypto'
 * import { encodeAgeIdentity, encodeAgeRecipient, openAge, sealAge } from '@sealpool/crypto/interop'
 * const key = derivePoolKey({
 *   root: new Uint8Array(32).fill(1),
 *   chainId: 1,
 *   pool: `0x${'ab'.repeat(20)}`,
 *   policyDigest: `sha256:${'cd'.repeat(32)}`,
 *   epoch: 1,
 * })
 * const file = await sealAge(new TextEncoder().encode('hello age'), {
 *   recipients: [encodeAgeRecipient(key.publicKey)],
 * })
 * const opened = await openAge(file, { identities: [encodeAgeIdentity(key.privateKey)] })
 * console.log(new TextDecoder().decode(opened)) // hello age
 * ```
 */
export async function sealAge(
  plaintext: Uint8Array,
  options: { readonly recipients: readonly string[]; readonly random?: Random | undefined },
): Promise<Uint8Array> {
  return sealAgeWith(plaintext, { ...requireOptions(options), random: options.random ?? platformRandom })
}

/**
 * Seals a message in eccrypto's form of ECIES, for programs that read no other.
 *
 * @param options - `publicKey`: secp256k1, 33 or 65 bytes; `plaintext`; `random` is the platform's by default
 * @returns `iv (16) || ephemeral key (65) || ciphertext || MAC (32)`
 * @throws CryptoError `KEY_INVALID` (publicKey), `RANDOM_INVALID`
 */
export async function sealEcies(options: {
  readonly publicKey: Uint8Array
  readonly plaintext: Uint8Array
  readonly random?: Random | undefined
}): Promise<Uint8Array> {
  return sealEciesWith({ ...requireOptions(options), random: options.random ?? platformRandom })
}
