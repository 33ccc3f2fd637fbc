/**
 * Sums and histograms of which nobody ever sees a single answer: answers are encrypted to a committee's threshold
 * key with proofs that they are within bounds, added up under encryption, and only the total is decrypted.
 * @module
 */
export { type ClaimDecryption, claimInputs, claimQuorum } from './claim.js'
export { combineInputs, type EncryptedTotals, type RefusedInput } from './combine.js'
export {
  type AggregatePart,
  type AggregateResult,
  combineAggregateParts,
  decryptTotalsPartially,
} from './decrypt.js'
export {
  type AggregateDefinition,
  type AggregateMeasure,
  aggregateDigest,
  parseAggregateDefinition,
} from './definition.js'
export { encryptInput } from './input.js'
export {
  type AggregateTranscript,
  type TranscriptStep,
  type TranscriptVerdict,
  verifyTranscript,
} from './verify-transcript.js'
