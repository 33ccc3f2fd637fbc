import { sha3_256, shake256 } from '@noble/hashes/sha3.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import type { Backend } from '../aead/backend.js'
import { concatBytes, drawRandom, requireBytes } from '../encoding/bytes.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import type { Kem, KeyPair } from '../hpke/kem.js'
import { requireMaterial } from '../hpke/x25519-kem.js'
import {
  generatedAgreement,
  type KeyAgreement,
  keyAgreement,
  publicKeyOf,
  requirePublicKey,
} from '../recipient/x25519.js'

// draft-connolly-cfrg-xwing-kem: the label is the six ASCII characters of the X-wing fighter.
const label = /* @__PURE__ */ new Uint8Array([0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c])
const latticeKeyLength = 1184
const latticeCiphertextLength = 1088
const publicKeyLength = latticeKeyLength + 32
const encLength = latticeCiphertextLength + 32

interface ExpandedKey {
  readonly latticeSecret: Uint8Array
  readonly curveSecret: Uint8Array
  readonly publicKey: Uint8Array
}

function expand(privateKey: Uint8Array): ExpandedKey {
  const expanded = shake256(requireBytes(privateKey, 32, 'privateKey'), { dkLen: 96 })
  const lattice = ml_kem768.keygen(expanded.slice(0, 64))
  const curveSecret = expanded.slice(64)
  const publicKey = concatBytes(lattice.publicKey, publicKeyOf(curveSecret))
  return { latticeSecret: lattice.secretKey, curveSecret, publicKey }
}

function combine(
  latticeSecret: Uint8Array,
  curveSecret: Uint8Array,
  curveEnc: Uint8Array,
  curveKey: Uint8Array,
): Uint8Array {
  return sha3_256(concatBytes(latticeSecret, curveSecret, curveEnc, curveKey, label))
}

function requireXwingKey(publicKey: unknown, place = 'publicKey'): Uint8Array {
  const bytes = requireBytes(publicKey, publicKeyLength, place)
  requirePublicKey(bytes.slice(latticeKeyLength), place)
  try {
    // FIPS 203 section 7.2: a coefficient that is not reduced is no encapsulation key.
    ml_kem768.prepare(bytes.slice(0, latticeKeyLength)).clean()
  } catch {
    throw new CryptoError('KEY_INVALID', place, 'not an ML-KEM-768 key: a coefficient is out of range')
  }
  return bytes
}

function noSender(sender: unknown): void {
  if (sender !== undefined) {
    throw new CryptoError(
      'OPTION_INVALID',
      'kem',
      'X-Wing does not authenticate a sender; use X25519 for that',
    )
  }
}

/**
 * X-Wing, `0x647a`: ML-KEM-768 (FIPS 203) and X25519 in one KEM that holds as long as either holds
 * (draft-connolly-cfrg-xwing-kem). Private keys are the draft's seeds of 32 bytes. One step is stricter than the
 * draft: an X25519 part of low order is refused.
 */
export const xwingKem: Kem = {
  name: 'xwing',
  id: 0x647a,
  encLength,
  publicKeyLength,
  requirePublicKey: requireXwingKey,
  deriveKeyPair(material): KeyPair {
    requireMaterial(material)
    // draft-connolly-cfrg-xwing-kem section 5.6: DeriveKeyPair(ikm) = GenerateKeyPairDerand(SHAKE256(ikm, 32 bytes)).
    const privateKey = shake256(material, { dkLen: 32 })
    return { publicKey: expand(privateKey).publicKey, privateKey }
  },
  async encapsulate(options) {
    const { publicKey, random, backend, senderPrivateKey } = requireOptions(options)
    noSender(senderPrivateKey)
    const key = new Uint8Array(requireXwingKey(publicKey))
    const generated = await generatedAgreement(random, backend)
    // The draft's eseed: first what ML-KEM draws, then the curve's ephemeral key.
    const seed = drawRandom(random, generated === undefined ? 64 : 32)
    const curveKey = key.slice(latticeKeyLength)
    const ephemeral = generated ?? keyAgreement(seed.slice(32), backend)
    const [curveSecret, curveEnc] = await Promise.all([ephemeral.agree(curveKey), ephemeral.publicKey()])
    const lattice = ml_kem768.encapsulate(key.slice(0, latticeKeyLength), seed.slice(0, 32))
    return {
      enc: concatBytes(lattice.cipherText, curveEnc),
      sharedSecret: combine(lattice.sharedSecret, curveSecret, curveEnc, curveKey),
    }
  },
  prepare(privateKey) {
    const { latticeSecret, curveSecret, publicKey } = expand(privateKey)
    const curve = new Map<Backend, KeyAgreement>()
    const curveKey = publicKey.slice(latticeKeyLength)
    const lattice = ml_kem768.prepare(publicKey.slice(0, latticeKeyLength))
    return {
      publicKey,
      async decapsulate(options) {
        const { enc, backend, senderPublicKey } = requireOptions(options)
        noSender(senderPublicKey)
        const bytes = new Uint8Array(requireBytes(enc, encLength, 'enc'))
        const curveEnc = bytes.slice(latticeCiphertextLength)
        const own = curve.get(backend) ?? keyAgreement(curveSecret, backend)
        curve.set(backend, own)
        const agreed = await own.agree(curveEnc)
        const decapsulated = lattice.decapsulate(bytes.slice(0, latticeCiphertextLength), latticeSecret)
        return combine(decapsulated, agreed, curveEnc, curveKey)
      },
    }
  },
}
