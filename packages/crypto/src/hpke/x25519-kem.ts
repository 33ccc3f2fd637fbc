import type { Backend } from '../aead/backend.js'
import { concatBytes, drawRandom, isBytes, requireBytes, requireNonZero } from '../encoding/bytes.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import {
  generatedAgreement,
  type KeyAgreement,
  keyAgreement,
  publicKeyOf,
  requirePublicKey,
} from '../recipient/x25519.js'
import type { Kem, KeyPair } from './kem.js'
import { kemSuiteOf, labeledExpand, labeledExtract } from './labeled.js'

const none = /* @__PURE__ */ new Uint8Array()
const kemId = 0x0020
const kemSuite = /* @__PURE__ */ kemSuiteOf(kemId)

/** Length in bytes of the encapsulated key of DHKEM(X25519). */
export const encapsulatedKeyLength = 32

/**
 * The private key for some key material (DeriveKeyPair, RFC 9180 section 7.1.3).
 *
 * @param material - at least 32 secret bytes
 * @returns 32 bytes
 * @throws CryptoError `KEY_INVALID` when the material is shorter
 */
export function derivePrivateKey(material: Uint8Array): Uint8Array {
  requireMaterial(material)
  return labeledExpand(kemSuite, labeledExtract(kemSuite, none, 'dkp_prk', material), 'sk', none, 32)
}

/**
 * The X25519 key pair for some key material (DeriveKeyPair, RFC 9180 section 7.1.3).
 *
 * @param material - at least 32 secret bytes
 * @returns the X25519 key pair
 * @throws CryptoError `KEY_INVALID` when the material is shorter
 */
export function deriveKeyPair(material: Uint8Array): KeyPair {
  const privateKey = derivePrivateKey(material)
  return { publicKey: publicKeyOf(privateKey), privateKey }
}

/**
 * Refuses key material that is too short to make a key of.
 *
 * @param material - what the caller gave
 * @throws CryptoError `KEY_INVALID` below 32 bytes
 */
export function requireMaterial(material: Uint8Array): void {
  if (!isBytes(material) || material.length < 32) {
    throw new CryptoError('KEY_INVALID', 'material', 'expected at least 32 bytes')
  }
}

/** Of an agreement, which is overwritten: nothing else is made of it. */
function sharedSecretOf(agreed: Uint8Array, ...context: readonly Uint8Array[]): Uint8Array {
  const key = labeledExtract(kemSuite, none, 'eae_prk', agreed)
  const secret = labeledExpand(kemSuite, key, 'shared_secret', concatBytes(...context), 32)
  for (const bytes of [key, agreed]) bytes.fill(0)
  return secret
}

/** DHKEM(X25519, HKDF-SHA256), `0x0020`, base and auth mode (RFC 9180 section 4.1). */
export const x25519Kem: Kem = {
  name: 'x25519',
  id: kemId,
  encLength: encapsulatedKeyLength,
  publicKeyLength: 32,
  requirePublicKey,
  deriveKeyPair,
  async encapsulate(options) {
    const { random, backend, senderPrivateKey } = requireOptions(options)
    // Copies: the caller may wipe what it gave as soon as the call returns.
    const publicKey = new Uint8Array(requirePublicKey(options.publicKey))
    const sender = senderPrivateKey === undefined ? undefined : keyAgreement(senderPrivateKey, backend)
    if (senderPrivateKey) requireNonZero(senderPrivateKey, 'KEY_INVALID', 'senderPrivateKey')
    const agreement =
      (await generatedAgreement(random, backend)) ??
      keyAgreement(derivePrivateKey(drawRandom(random, 32)), backend)
    const [agreed, enc] = await Promise.all([agreement.agree(publicKey), agreement.publicKey()])
    if (sender === undefined) return { enc, sharedSecret: sharedSecretOf(agreed, enc, publicKey) }
    const [own, senderKey] = await Promise.all([sender.agree(publicKey), sender.publicKey()])
    return { enc, sharedSecret: sharedSecretOf(concatBytes(agreed, own), enc, publicKey, senderKey) }
  },
  prepare(privateKey) {
    const secret = new Uint8Array(requireBytes(privateKey, 32, 'privateKey'))
    // Imported once for each backend that is asked for.
    const keys = new Map<Backend, KeyAgreement>()
    let known: Uint8Array | undefined
    return {
      get publicKey() {
        known ??= publicKeyOf(secret)
        return known
      },
      async decapsulate(options) {
        const { backend, senderPublicKey } = requireOptions(options)
        const enc = new Uint8Array(requirePublicKey(options.enc, 'enc'))
        const peer =
          senderPublicKey === undefined
            ? undefined
            : new Uint8Array(requirePublicKey(senderPublicKey, 'senderPublicKey'))
        const key = keys.get(backend) ?? keyAgreement(secret, backend)
        keys.set(backend, key)
        const [agreed, publicKey] = await Promise.all([key.agree(enc), known ?? key.publicKey()])
        known ??= publicKey
        if (peer === undefined) return sharedSecretOf(agreed, enc, publicKey)
        const own = await key.agree(peer)
        return sharedSecretOf(concatBytes(agreed, own), enc, publicKey, peer)
      },
    }
  },
}
