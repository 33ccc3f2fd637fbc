/**
 * Keys that no single machine has: distributed key generation with public complaints, resharing and proactive
 * refresh, and TDH2 envelopes that any t of n members open together.
 * @module
 */
export {
  type CollectPartialDecryptions,
  committeeIdentity,
  committeeLabel,
  committeeRecipient,
} from './committee-recipient.js'
export { complain } from './complaint.js'
export { concludeSession, openShare, type SessionOutcome, type SessionTranscript } from './conclude.js'
export { type DealtShares, dealShares } from './deal.js'
export { checkEnvelope, envelopeOverhead, maximumEnvelopeContent, sealEnvelope } from './envelope.js'
export type { FaultyMember, SessionFault } from './judge-dealers.js'
export {
  type AffinePoint,
  type CompressedPoint,
  type DiscreteLogArguments,
  partialDecryptionOnChain,
} from './on-chain-witness.js'
export {
  combinePartialDecryptions,
  decryptPartially,
  type LabelledEnvelope,
  type PartialDecryption,
  verifyPartialDecryption,
} from './partial-decryption.js'
export {
  type CommitteeMember,
  type KeyHolder,
  maximumMembers,
  memberPublicKey,
  parseThresholdKey,
  parseThresholdSession,
  type ThresholdKey,
  type ThresholdSession,
  thresholdSessionDigest,
} from './session.js'
export type { ThresholdShare } from './share.js'
