import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, drawRandom, isBytes, type Random } from '../encoding/bytes.js'
import type { Hex } from '../encoding/hex.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { discreteLogProofLength, proveDiscreteLog, verifyDiscreteLog } from './discrete-log-proof.js'
import {
  type GroupElement,
  generator,
  groupOrder,
  hashParts,
  hashToScalar,
  parsePoint,
  pointBytes,
  pointOf,
  secondGenerator,
} from './group.js'

const pointLength = 33
const tagLength = 16
const headLength = 2 * pointLength + discreteLogProofLength

/** Bytes by which an envelope is longer than what is in it. */
export const envelopeOverhead = headLength + tagLength

/** Most bytes of one envelope's content; larger things are sealed under a key that is in the envelope. */
export const maximumEnvelopeContent = 65_536

/** An envelope's parts, once it is known to be well made. */
export interface OpenedEnvelope {
  /** The point of which members make their partial decryptions. */
  readonly point: GroupElement
  readonly ciphertext: Uint8Array
}

/**
 * Seals a small message (a file key, mostly) to a committee: TDH2 of Shoup and Gennaro ("Securing Threshold
 * Cryptosystems against Chosen Ciphertext Attack", 1998, section 4) over secp256k1, with ChaCha20-Poly1305 under
 * HKDF-SHA-256 as the cipher. The proof inside binds message and label, so nobody can put the label of one envelope
 * on another and have members decrypt it under a wrong policy.
 *
 * Layout: `R` (33 bytes), `R̄` (33), challenge (32), response (32), ciphertext with tag.
 *
 * @param options - `publicKey`: the committee's point; `label`: public bytes that say under which conditions members
 *   may decrypt; `plaintext`: at most 65,536 bytes; `random`: source of random bytes
 * @returns the envelope, 146 bytes longer than the plaintext
 * @throws CryptoError `KEY_INVALID`, `OPTION_INVALID` (too large, or no bytes), `RANDOM_INVALID`
 */
export function sealEnvelope(options: {
  readonly publicKey: Hex
  readonly label: Uint8Array
  readonly plaintext: Uint8Array
  readonly random: Random
}): Uint8Array {
  requireOptions(options)
  const { label, plaintext, random } = options
  requireLabel(label)
  const publicKey = parsePoint(options.publicKey, 'KEY_INVALID', 'publicKey')
  if (!isBytes(plaintext) || plaintext.length > maximumEnvelopeContent) {
    const message = `an envelope holds ${maximumEnvelopeContent} bytes at most; seal a file key in it`
    throw new CryptoError('OPTION_INVALID', 'plaintext', message)
  }
  // Hashed with what is sealed: a source that repeats itself (a cloned machine) gives no two contents one key and nonce.
  const drawn = drawRandom(random, 48)
  const hash = hashToScalar('envelope-secret', drawn, pointBytes(publicKey), label, plaintext)
  const secret = 1n + (hash % (groupOrder() - 1n))
  const point = generator().multiply(secret)
  const twin = secondGenerator().multiply(secret)
  const key = envelopeKey(publicKey.multiply(secret), { publicKey, point, label })
  const ciphertext = cipher(key).encrypt(plaintext)
  const proof = proveDiscreteLog({
    secret,
    pairs: pairsOf(point, twin),
    context: contextOf(publicKey, label, ciphertext),
    random,
  })
  return concatBytes(pointBytes(point), pointBytes(twin), proof, ciphertext)
}

/**
 * Checks, without any secret, that an envelope is well made for this key and this label. Members do so before they
 * give anything away.
 *
 * @param options - `publicKey`: the committee's point; `label`: the expected label; `envelope`: of unknown origin
 * @returns its parts
 * @throws CryptoError `KEY_INVALID`; `OPTION_INVALID` for a label that is no bytes; `ENVELOPE_REFUSED` when it is malformed, altered, for another key or under
 *   another label
 */
export function checkEnvelope(options: {
  readonly publicKey: Hex
  readonly label: Uint8Array
  readonly envelope: Uint8Array
}): OpenedEnvelope {
  requireOptions(options)
  const { label, envelope } = options
  requireLabel(label)
  const publicKey = parsePoint(options.publicKey, 'KEY_INVALID', 'publicKey')
  const refuse = (why: string) => new CryptoError('ENVELOPE_REFUSED', 'envelope', why)
  if (!isBytes(envelope) || envelope.length < envelopeOverhead) throw refuse('too short')
  if (envelope.length > envelopeOverhead + maximumEnvelopeContent) throw refuse('too long')
  const point = pointOf(envelope.subarray(0, pointLength))
  const twin = pointOf(envelope.subarray(pointLength, 2 * pointLength))
  if (point === undefined || twin === undefined) throw refuse('it holds no points of secp256k1')
  const proof = envelope.subarray(2 * pointLength, headLength)
  // Not `slice`, which of a Buffer is a view of what the caller may change.
  const ciphertext = new Uint8Array(envelope.subarray(headLength))
  const context = contextOf(publicKey, label, ciphertext)
  if (!verifyDiscreteLog({ pairs: pairsOf(point, twin), context, proof })) {
    throw refuse('it was altered, or is for another key or under another label')
  }
  return { point, ciphertext }
}

/**
 * Opens an envelope with what the members' partial decryptions combine to.
 *
 * @param agreement - the key's secret times the envelope's point
 * @param options - the committee's `publicKey`, the `label` and the checked `envelope`
 * @returns the plaintext
 * @throws CryptoError `ENVELOPE_REFUSED` when its maker sealed it under no key that the proof covers
 */
export function openChecked(
  agreement: GroupElement,
  options: { readonly publicKey: Hex; readonly label: Uint8Array; readonly envelope: OpenedEnvelope },
): Uint8Array {
  const { label, envelope } = options
  const publicKey = parsePoint(options.publicKey, 'KEY_INVALID', 'publicKey')
  const key = envelopeKey(agreement, { publicKey, point: envelope.point, label })
  try {
    return cipher(key).decrypt(envelope.ciphertext)
  } catch {
    throw new CryptoError('ENVELOPE_REFUSED', 'envelope', 'its content does not open: its maker made it so')
  }
}

function requireLabel(label: unknown): void {
  if (isBytes(label)) return
  throw new CryptoError('OPTION_INVALID', 'label', 'a label is a Uint8Array')
}

/** A fresh key for each envelope: the nonce may be constant. */
function cipher(key: Uint8Array) {
  return chacha20poly1305(key, new Uint8Array(12))
}

function envelopeKey(
  agreement: GroupElement,
  bound: { readonly publicKey: GroupElement; readonly point: GroupElement; readonly label: Uint8Array },
): Uint8Array {
  const info = hashParts('envelope-key', pointBytes(bound.publicKey), pointBytes(bound.point), bound.label)
  return hkdf(sha256, pointBytes(agreement), undefined, info, 32)
}

function contextOf(publicKey: GroupElement, label: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return hashParts('envelope', pointBytes(publicKey), label, ciphertext)
}

function pairsOf(point: GroupElement, twin: GroupElement) {
  return [
    { base: generator(), image: point },
    { base: secondGenerator(), image: twin },
  ]
}
