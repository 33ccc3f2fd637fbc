import { digestOf } from '../canonical-json/canonical-bytes.js'
import type { JsonObject, JsonValue } from '../canonical-json/canonicalize.js'
import { type Digest, digestToBytes } from '../digest/digest.js'
import { bigEndian, concatBytes, type Random } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { addressOf } from '../statement/signature.js'
import type { SignedStatement } from '../statement/statement.js'
import { discreteLogProofLength, proveDiscreteLog, verifyDiscreteLog } from './discrete-log-proof.js'
import { exactFields } from './exact-fields.js'
import {
  type GroupElement,
  generator,
  hashParts,
  parsePoint,
  pointBytes,
  pointHex,
  randomScalar,
  scalarBytes,
} from './group.js'
import { signMessage } from './message.js'
import { commitPolynomial, evaluatePolynomial, randomPolynomial } from './polynomial.js'
import {
  knownPoint,
  parseThresholdKey,
  parseThresholdSession,
  requireSecret,
  type ThresholdSession,
  thresholdSessionDigest,
} from './session.js'
import type { ThresholdShare } from './share.js'

/** What one dealer publishes, read from its message. */
export interface Deal {
  /** Commitments to the coefficients of the dealer's polynomial, the constant one first. */
  readonly commitments: readonly GroupElement[]
  /** The dealer's point for this session's key agreements. */
  readonly ephemeral: GroupElement
  /** For each member, its share under a pad that only dealer and member can make. */
  readonly shares: readonly Uint8Array[]
}

/** The two messages of a dealer: the commitment is published first, the deal when everybody's commitment is. */
export interface DealtShares {
  readonly commitment: SignedStatement
  readonly deal: SignedStatement
}

/**
 * Deals shares: of a secret drawn here (a new key), or of the dealer's share of the previous key (resharing).
 * Publish `commitment`, wait until the round of commitments is closed, then publish `deal`: so nobody can choose its
 * part of the key after having seen the others'.
 *
 * Store both messages durably before you publish the first. The secrets are drawn anew in every call: a dealer that loses its
 * deal after its commitment is out has to let the session end without it, for a second commitment or deal is equivocation.
 *
 * @param options - `session`; `signingKey`: 32 bytes, of a member of the session (new key) or of a holder of the
 *   previous key (resharing), whose `share` is then needed; `random`: source of random bytes
 * @returns both messages; the drawn secrets are not kept, since a member opens its own part from its own deal
 * @throws CryptoError `SESSION_INVALID` (also when the signer has no part in it, or the share is not of the previous
 *   key), `KEY_INVALID`, `RANDOM_INVALID`
 */
export function dealShares(options: {
  readonly session: ThresholdSession
  readonly signingKey: Uint8Array
  readonly random: Random
  readonly share?: ThresholdShare | undefined
}): DealtShares {
  requireOptions(options)
  const { signingKey, random, share } = options
  const session = parseThresholdSession(options.session)
  const id = thresholdSessionDigest(session)
  const address = addressOf(signingKey)
  const dealer = dealersOf(session).findIndex((member) => member.address === address) + 1
  if (dealer === 0) {
    throw new CryptoError('SESSION_INVALID', 'signingKey', 'the signer has nothing to deal in this session')
  }
  const coefficients = randomPolynomial(secretOf(session, dealer, share, random), session.threshold, random)
  const ephemeralSecret = randomScalar(random)
  const ephemeral = generator().multiply(ephemeralSecret)
  const [constant] = coefficients as readonly [bigint]
  const commitments = commitPolynomial(coefficients)
  const proofOf = (secret: bigint, image: GroupElement, use: string) =>
    proveDiscreteLog({
      secret,
      pairs: [{ base: generator(), image }],
      context: proofContext(id, dealer, use),
      random,
    })
  const body: JsonObject = {
    dealer,
    commitments: commitments.map(pointHex),
    proof: encodeHex(proofOf(constant, commitments[0] as GroupElement, 'constant')),
    ephemeralKey: pointHex(ephemeral),
    ephemeralProof: encodeHex(proofOf(ephemeralSecret, ephemeral, 'ephemeral')),
    shares: session.members.map((member, place) => {
      const agreement = knownPoint(member.encryptionKey).multiply(ephemeralSecret)
      const value = scalarBytes(evaluatePolynomial(coefficients, place + 1))
      return encodeHex(applyPad(value, { id, dealer, member: place + 1, ephemeral, agreement }))
    }),
  }
  const sign = (type: 'sealpool/threshold-commitment' | 'sealpool/threshold-deal', signed: JsonObject) =>
    signMessage({ session, id, type, body: signed, signingKey })
  return {
    commitment: sign('sealpool/threshold-commitment', { dealer, deal: digestOf(body) }),
    deal: sign('sealpool/threshold-deal', body),
  }
}

/**
 * Who deals: the members make a new key, the holders of the previous one hand theirs on.
 *
 * @param session - a checked session
 * @returns the dealers in the order of their indices
 */
export function dealersOf(session: ThresholdSession): readonly { readonly address: string }[] {
  return session.previous === null ? session.members : session.previous.members
}

/**
 * Reads a deal and checks all of it that everybody can check.
 *
 * @param body - of a dealer's message
 * @param options - the checked `session`, its digest `id`, and the index of the `dealer` who signed it
 * @returns the deal, or its fault where it has the form that the session asks for
 * @throws CryptoError `TRANSCRIPT_INVALID` where it has not
 */
export function readDeal(
  body: JsonValue,
  options: { readonly session: ThresholdSession; readonly id: Digest; readonly dealer: number },
): Deal | 'PROOF_REFUSED' | 'NOT_PREVIOUS_SHARE' {
  const { session, id, dealer } = options
  const code = 'TRANSCRIPT_INVALID'
  const names = ['dealer', 'commitments', 'proof', 'ephemeralKey', 'ephemeralProof', 'shares']
  const reader = exactFields(body, names, code, '$')
  reader.whole('dealer', dealer, dealer)
  const { threshold, members, previous } = session
  const commitments = reader
    .list('commitments', threshold, threshold)
    .map((point, index) => parsePoint(point, code, `$.commitments[${index}]`))
  const ephemeral = parsePoint(reader.fields['ephemeralKey'], code, '$.ephemeralKey')
  const shares = reader.list('shares', members.length, members.length).map((share, index) => {
    return exactFields({ share }, ['share'], code, `$.shares[${index}]`).bytes('share', 32)
  })
  const proof = reader.bytes('proof', discreteLogProofLength)
  const ephemeralProof = reader.bytes('ephemeralProof', discreteLogProofLength)
  const holds = (given: Uint8Array, image: GroupElement, use: string) =>
    verifyDiscreteLog({
      pairs: [{ base: generator(), image }],
      context: proofContext(id, dealer, use),
      proof: given,
    })
  const [constant] = commitments as [GroupElement, ...GroupElement[]]
  if (!holds(proof, constant, 'constant')) return 'PROOF_REFUSED'
  // Without this proof a dealer could show another dealer's point as its own, and a complaint against it would lay
  // open the accuser's share of that other dealer.
  if (!holds(ephemeralProof, ephemeral, 'ephemeral')) return 'PROOF_REFUSED'
  const held = previous?.members[dealer - 1]?.verificationKey
  if (held !== undefined && held !== pointHex(constant)) return 'NOT_PREVIOUS_SHARE'
  return { commitments, ephemeral, shares }
}

/**
 * Lays the pad of one dealer and one member over a share, or takes it off. The share needs no tag: the dealer's
 * commitments tell whether it is right.
 *
 * @param share - 32 bytes, plain or padded
 * @param options - session digest `id`, indices of `dealer` and `member`, the dealer's `ephemeral` point, and the
 *   `agreement` of the two
 * @returns 32 bytes
 */
export function applyPad(
  share: Uint8Array,
  options: {
    readonly id: Digest
    readonly dealer: number
    readonly member: number
    readonly ephemeral: GroupElement
    readonly agreement: GroupElement
  },
): Uint8Array {
  const { id, dealer, member, ephemeral, agreement } = options
  const indices = concatBytes(bigEndian(dealer, 2), bigEndian(member, 2))
  const pad = hashParts('pad', digestToBytes(id), indices, pointBytes(ephemeral), pointBytes(agreement))
  return share.map((byte, index) => byte ^ (pad[index] ?? 0))
}

/**
 * What a proof of a session is bound to.
 *
 * @param id - the session's digest
 * @param signer - index of the one who proves
 * @param use - what the proof is for
 * @returns 32 bytes
 */
export function proofContext(id: Digest, signer: number, use: string): Uint8Array {
  return hashParts(`proof/${use}`, digestToBytes(id), bigEndian(signer, 2))
}

function secretOf(
  session: ThresholdSession,
  dealer: number,
  share: ThresholdShare | undefined,
  random: Random,
): bigint {
  if (session.previous === null) {
    if (share === undefined) return randomScalar(random)
    throw new CryptoError('SESSION_INVALID', 'share', 'a session for a new key takes no share; leave it out')
  }
  if (share === undefined) {
    throw new CryptoError(
      'SESSION_INVALID',
      'share',
      'resharing needs the dealer’s share of the previous key',
    )
  }
  const secret = requireSecret(share.secret, 'share.secret')
  const held = session.previous.members[dealer - 1]?.verificationKey
  const key = parseThresholdKey(share.key) as unknown as JsonValue
  const same = digestOf(key) === digestOf(session.previous as unknown as JsonValue)
  if (!same || pointHex(generator().multiply(secret)) !== held) {
    throw new CryptoError(
      'SESSION_INVALID',
      'share',
      'the share is not the dealer’s share of the previous key',
    )
  }
  return secret
}
