/**
 * Define and run a proof of contribution: what a contribution is worth, judged by approved code without any authority.
 *
 * @module
 */
export { type Agreement, agreeOnVerdict } from './agreement/agree-on-verdict.js'
export { type AgreedEntry, agreedEntry } from './agreement/agreed-entry.js'
export { checkDispute, type Dispute, type DisputeEvidence } from './agreement/dispute.js'
export { type PaidVerdict, payVerdict, type VerdictPayment } from './agreement/pay-verdict.js'
export { planRescoring, type RescoringPlan, type RescoringScope } from './agreement/plan-rescoring.js'
export { type RescoringRecord, type RescoringRule, rescore } from './agreement/rescore.js'
export { verifyIssuerSignature } from './authenticity/issuer-signature.js'
export {
  type ClaimComparison,
  type ColumnKind,
  compareClaim,
  type DatasetClaim,
  type DatasetFacts,
  type DatasetFactsOptions,
  datasetFacts,
} from './dataset-facts/dataset-facts.js'
export {
  type ExpectedDatasetFacts,
  signDatasetFacts,
  type VerifiedDatasetFacts,
  verifyDatasetFacts,
} from './dataset-facts/dataset-facts-statement.js'
export * from './define/index.js'
export { PocError, type PocErrorCode } from './errors.js'
export {
  DEFAULT_FARMING_RULE,
  type FarmingHistory,
  type FarmingRule,
  type FarmingValue,
  marginalValue,
} from './farming/marginal-value.js'
export { payDifference } from './farming/pay-difference.js'
export { selectForAudit } from './farming/select-audit.js'
export { fromResultsJson, type ResultsJson, toResultsJson } from './interop/results-json.js'
export { bundlePythonProof, type PythonProof, runPythonProof } from './interop/run-python-proof.js'
export { accountPseudonym } from './ownership/account-pseudonym.js'
export { type AccountDecision, type AccountRule, decideAccount } from './ownership/account-rule.js'
export {
  accountAnswer,
  type BindingChallenge,
  type BindingVerdict,
  bindingTypedData,
  makeBindingChallenge,
  verifyBinding,
} from './ownership/binding-challenge.js'
export {
  type LeftContribution,
  RESCORING_ENTRIES,
  type RescoredContribution,
  type Rescoring,
  type RescoringReward,
  rescoringDifference,
} from './rescoring/rescoring.js'
export {
  type ExpectedRescoring,
  type RescoringStatement,
  rescoringStatement,
  type VerifiedRescoring,
  verifyRescoring,
} from './rescoring/rescoring-statement.js'
export { describePoc, type PocCode } from './run/describe-poc.js'
export type { AccountPort, ContributionContent, UniquenessPort } from './run/examine.js'
export { type RunPocOptions, runPoc } from './run/run-poc.js'
export { type VerifiedContribution, verifyContribution } from './run/verify-contribution.js'
export { contentFingerprint } from './uniqueness/content-fingerprint.js'
export { type ContentItems, contentItems, type ItemSource, itemsOf } from './uniqueness/content-items.js'
export { type ContentSketch, contentSketch } from './uniqueness/content-sketch.js'
export { type ContributedFile, contributionFingerprint } from './uniqueness/contribution-fingerprint.js'
export { type ContributionSize, contributionSize } from './uniqueness/contribution-size.js'
export { courseSketch } from './uniqueness/course-novelty.js'
export {
  decodeNearDuplicateIndex,
  decodeRowIndex,
  type EncodedIndex,
  encodeIndex,
  openIndex,
  sealIndex,
} from './uniqueness/index-file.js'
export {
  createNearDuplicateIndex,
  NEAR_ENTRY_BYTES,
  type NearDuplicateIndex,
  type Nearest,
} from './uniqueness/near-duplicate-index.js'
export { novelty } from './uniqueness/novelty.js'
export { createRowIndex, type RowFile, type RowIndex } from './uniqueness/row-index.js'
export type { UnnamedRows } from './uniqueness/unnamed-rows.js'
export { FULL_SCORE, scoreUnits } from './verdict/score-units.js'
export { type JudgedPart, type PocVerdict, parsePocVerdict, verdictDigest } from './verdict/verdict.js'
export { type JudgedBy, verdictInputs } from './verdict/verdict-inputs.js'
export {
  type ExpectedVerdict,
  signVerdict,
  type VerdictContext,
  type VerifiedVerdict,
  verdictToInToto,
  verifyVerdict,
} from './verdict/verdict-statement.js'
