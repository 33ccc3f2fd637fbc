import { digestToBytes } from '../digest/digest.js'
import { bigEndian, type Random } from '../encoding/bytes.js'
import { encodeHex, type Hex } from '../encoding/hex.js'
import { requireOptions } from '../encoding/options.js'
import { isWhole } from '../encoding/whole-number.js'
import { CryptoError } from '../errors.js'
import { discreteLogProofLength, proveDiscreteLog, verifyDiscreteLog } from './discrete-log-proof.js'
import { checkEnvelope, openChecked } from './envelope.js'
import { exactFields } from './exact-fields.js'
import { type GroupElement, generator, hashParts, parsePoint, pointBytes, pointHex } from './group.js'
import { interpolateAtZero } from './polynomial.js'
import { knownPoint, parseThresholdKey, requireSecret, type ThresholdKey } from './session.js'
import type { ThresholdShare } from './share.js'

/** One member's part of an opening, with the proof that it was made with the member's share. JSON throughout. */
export interface PartialDecryption {
  /** The member's place in the key's list, from 1. */
  readonly member: number
  readonly point: Hex
  /** Challenge and response, 64 bytes. */
  readonly proof: Hex
}

/** An envelope with the label under which it is to be opened. */
export interface LabelledEnvelope {
  readonly envelope: Uint8Array
  readonly label: Uint8Array
}

/**
 * A member's part of opening an envelope. What the label asks for (approval, deadline, enough inputs) must be
 * checked before: whoever holds as many parts as the threshold reads the content. To let one recipient alone read
 * it, seal the part to that recipient with `hpkeSeal`.
 *
 * @param options - the member's `share`; `envelope` and the expected `label`; `random`: source of random bytes
 * @returns the part; it says nothing about the share
 * @throws CryptoError `ENVELOPE_REFUSED` (malformed, altered, other key or label), `SHARE_INVALID` (the share is not
 *   the one of its key), `SESSION_INVALID`, `RANDOM_INVALID`
 */
export function decryptPartially(
  options: LabelledEnvelope & { readonly share: ThresholdShare; readonly random: Random },
): PartialDecryption {
  requireOptions(options)
  const { share, envelope, label, random } = options
  const key = parseThresholdKey(requireOptions(share, 'share').key)
  const { point, ciphertext } = checkEnvelope({ publicKey: key.publicKey, label, envelope })
  return decryptPointPartially({
    share: { ...share, key },
    point,
    context: envelopeContext(label, ciphertext),
    random,
  })
}

/**
 * Checks one member's part. Everybody can, with public values alone.
 *
 * @param options - the committee's `key`; `envelope` and `label`; `partial`: of unknown origin
 * @returns whether it is that member's honest part
 * @throws CryptoError `ENVELOPE_REFUSED`, `SESSION_INVALID`, `OPTION_INVALID`
 */
export function verifyPartialDecryption(
  options: LabelledEnvelope & { readonly key: ThresholdKey; readonly partial: unknown },
): boolean {
  const { envelope, label, partial } = requireOptions(options)
  const key = parseThresholdKey(options.key)
  const { point, ciphertext } = checkEnvelope({ publicKey: key.publicKey, label, envelope })
  return readPartial(partial, { key, point, context: envelopeContext(label, ciphertext) }) !== undefined
}

/**
 * Opens an envelope from the members' parts. Wrong parts are left out and named, as long as enough good ones remain.
 *
 * @param options - the committee's `key`; `envelope` and `label`; `partials`: of unknown origin, in any order; of each
 *   member four are looked at and further ones count as wrong, so let nobody else send in a member's name
 * @returns the `plaintext`, and the places of the `wrong` parts in the list
 * @throws CryptoError `SHARES_MISSING` with too few good parts: the message names the places of the wrong ones;
 *   `ENVELOPE_REFUSED`, `SESSION_INVALID`
 */
export function combinePartialDecryptions(
  options: LabelledEnvelope & { readonly key: ThresholdKey; readonly partials: readonly unknown[] },
): { readonly plaintext: Uint8Array; readonly wrong: readonly number[] } {
  requireOptions(options)
  const { envelope, label, partials } = options
  const key = parseThresholdKey(options.key)
  const opened = checkEnvelope({ publicKey: key.publicKey, label, envelope })
  const context = envelopeContext(label, opened.ciphertext)
  const { agreement, wrong } = combineParts(partials, { key, point: opened.point, context })
  return { plaintext: openChecked(agreement, { publicKey: key.publicKey, label, envelope: opened }), wrong }
}

/** How many parts in one member's name are checked; further ones count as wrong unseen. */
const maximumTries = 4

/** What a part is made of: the committee's key, the point to which the secret is applied, what the proof is bound to. */
export interface PartClaim {
  readonly key: ThresholdKey
  readonly point: GroupElement
  readonly context: Uint8Array
}

/**
 * A member's part for any point: the share times the point, with proof.
 *
 * @param options - the `share`, the `point`, the `context` of the proof, and `random`
 * @returns the part
 * @throws CryptoError `SHARE_INVALID`, `KEY_INVALID`, `RANDOM_INVALID`
 */
export function decryptPointPartially(options: {
  readonly share: ThresholdShare
  readonly point: GroupElement
  readonly context: Uint8Array
  readonly random: Random
}): PartialDecryption {
  const { share, point, context, random } = options
  const secret = requireSecret(share.secret, 'share.secret')
  const own = generator().multiply(secret)
  if (!isWhole(share.index, 1) || share.key.members[share.index - 1]?.verificationKey !== pointHex(own)) {
    throw new CryptoError('SHARE_INVALID', 'share', 'the share is not the one of this member of its key')
  }
  const image = point.multiply(secret)
  const pairs = [
    { base: generator(), image: own },
    { base: point, image },
  ]
  const bound = partContext(share.key, share.index, context)
  const proof = proveDiscreteLog({ secret, pairs, context: bound, random })
  return { member: share.index, point: pointHex(image), proof: encodeHex(proof) }
}

/**
 * Reads a part and checks its proof.
 *
 * @param value - of unknown origin
 * @param claim - what it should be a part of
 * @returns member and point, or nothing when it is not that member's honest part
 */
export function readPartial(
  value: unknown,
  claim: PartClaim,
): { readonly index: number; readonly point: GroupElement } | undefined {
  try {
    const reader = exactFields(value, ['member', 'point', 'proof'], 'SHARE_INVALID', '$')
    const index = reader.whole('member', 1, claim.key.members.length)
    const image = parsePoint(reader.fields['point'], 'SHARE_INVALID', '$.point')
    const own = knownPoint(claim.key.members[index - 1]?.verificationKey ?? '0x')
    const pairs = [
      { base: generator(), image: own },
      { base: claim.point, image },
    ]
    const context = partContext(claim.key, index, claim.context)
    const proof = reader.bytes('proof', discreteLogProofLength)
    return verifyDiscreteLog({ pairs, context, proof }) ? { index, point: image } : undefined
  } catch (error) {
    if (error instanceof CryptoError) return undefined
    throw error
  }
}

/**
 * Combines parts to the key's secret times the point.
 *
 * @param partials - of unknown origin; a member's second part counts no more than its first, and of each member four are
 *   looked at: let nobody else send in a member's name
 * @param claim - what they should be parts of
 * @returns the point, and the places of wrong parts in the list
 * @throws CryptoError `SHARES_MISSING`
 */
export function combineParts(
  partials: readonly unknown[],
  claim: PartClaim,
): { readonly agreement: GroupElement; readonly wrong: readonly number[] } {
  if (!Array.isArray(partials)) throw new CryptoError('SHARES_MISSING', 'partials', 'expected an array')
  const good = new Map<number, GroupElement>()
  const wrong: number[] = []
  const tries = new Map<number, number>()
  const { threshold } = claim.key
  partials.forEach((partial, place) => {
    const named = (partial as { readonly member?: unknown } | null | undefined)?.member
    const member = typeof named === 'number' ? named : 0
    const tried = tries.get(member) ?? 0
    tries.set(member, tried + 1)
    // Parts are not signed: anybody can send thousands in a member's name.
    const read = tried < maximumTries ? readPartial(partial, claim) : undefined
    if (read === undefined) wrong.push(place)
    else good.set(read.index, read.point)
  })
  if (good.size < threshold) {
    const named = wrong.length === 0 ? 'none is wrong' : `wrong at the places ${wrong.join(', ')}`
    const message = `${good.size} good parts of ${threshold} needed (${named}); ask other members`
    throw new CryptoError('SHARES_MISSING', 'partials', message)
  }
  const points = [...good].slice(0, threshold).map(([index, point]) => ({ index, point }))
  return { agreement: interpolateAtZero(points), wrong }
}

/**
 * What the proof of a part of an envelope is bound to.
 *
 * @param label - the envelope's label
 * @param ciphertext - the envelope's ciphertext
 * @returns 32 bytes
 */
export function envelopeContext(label: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return hashParts('partial', label, ciphertext)
}

/**
 * What the proof of a member's part is bound to in the end: session, key, member, and what the part is of.
 *
 * @param key - the committee's key
 * @param member - the member's index
 * @param context - what the part is of
 * @returns 32 bytes
 */
export function partContext(key: ThresholdKey, member: number, context: Uint8Array): Uint8Array {
  return hashParts(
    'part',
    digestToBytes(key.session),
    pointBytes(knownPoint(key.publicKey)),
    bigEndian(member, 2),
    context,
  )
}
