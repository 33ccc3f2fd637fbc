export {
  type SnpClaims,
  type SnpGuestPolicy,
  type SnpPlatformInfo,
  type SnpProduct,
  snpProducts,
} from './amd/claims.js'
export { snpCheckTitles } from './amd/parts.js'
export { parseSnpReport, type SnpReport, snpReportLength } from './amd/report.js'
export type { SnpTcb } from './amd/tcb-version.js'
export { type VekFacts, vekFacts } from './amd/vek-extensions.js'
export type { VerifySnpReportOptions } from './amd/verify.js'
export {
  type Deletion,
  type DeletionList,
  deletionKinds,
  deletionListSchema,
  deletionReasons,
  deletionsType,
  deletionsVersion,
  maximumDeletions,
} from './deletion/deletion-list.js'
export {
  type DeletionsVerdict,
  deletionCheckTitles,
  type VerifyDeletionsOptions,
  verifyDeletions,
} from './deletion/verify-deletions.js'
export { chainProblem, validityProblem } from './encoding/certificate-chain.js'
export { parseRevocationList, type RevocationList, revocationListProblem } from './encoding/crl.js'
export { type DerNode, derTag, maximumDerDepth, maximumDerElements, parseDer } from './encoding/der.js'
export { formatPemCertificates, maximumPemCertificates, parsePemCertificates } from './encoding/pem.js'
export { type Certificate, parseCertificate } from './encoding/x509.js'
export { AttestError, type AttestErrorCode, attestErrorCodes } from './errors.js'
export {
  evidenceCheckTitles,
  type GpuEvidence,
  type NodeEvidence,
  type NodeEvidenceVerdict,
  nodeEvidenceSchema,
  parseNodeEvidence,
  type SnpCollateral,
  type SnpNodeEvidence,
  type TdxNodeEvidence,
} from './evidence/node-evidence.js'
export { measurementDigest, nodeReportData, zeroNonce } from './evidence/report-data.js'
export {
  type EarClaims,
  type EarSubmodule,
  earClaims,
  earToken,
  type TrustworthinessVector,
} from './export/ear.js'
export {
  dsseEnvelope,
  type InTotoStatement,
  inTotoStatement,
  receiptPredicateType,
} from './export/in-toto.js'
export {
  type Collateral,
  collateralSchema,
  type IsvLevel,
  parseCollateral,
  type QeIdentity,
  type SignedDocument,
  type TcbInfo,
  type TcbLevel,
  type TdxModule,
} from './intel/collateral.js'
export { quoteCheckTitles } from './intel/parts.js'
export { type PckPlatform, pckPlatform } from './intel/pck-extension.js'
export type { PreparedCollateral } from './intel/prepared-collateral.js'
export { parseQeIdentity } from './intel/qe-identity.js'
export { intelQeVendorId, maximumQuoteLength, parseQuote, type Quote } from './intel/quote.js'
export type { SgxReport, TdReport } from './intel/report.js'
export { evaluateTcb, matchTcbLevel, type TcbEvaluation } from './intel/tcb.js'
export {
  parseTcbEvaluationDataNumbers,
  parseTcbInfo,
  type TcbEvaluationDataNumbers,
} from './intel/tcb-info.js'
export {
  convergeTcbStatus,
  relaunchTcbStatus,
  type TcbStatus,
  type VerdictTcbStatus,
  verdictTcbStatuses,
} from './intel/tcb-status.js'
export type { VerifyQuoteOptions } from './intel/verify.js'
export { type CollateralVerdict, collateralCheckTitles } from './intel/verify-collateral.js'
export { nativeSignatures } from './platform.js'
export { type Appraisal, appraise } from './policy/appraise.js'
export {
  type AttestationPolicy,
  attestationPolicyDigest,
  attestationPolicySchema,
  defaultAttestationPolicy,
  parseAttestationPolicy,
} from './policy/policy.js'
export { type BudgetRules, budgetProblem } from './receipt/budget.js'
export { isBundleFile, parseReceiptBundle, type ReceiptBundle } from './receipt/bundle.js'
export {
  commitResult,
  type ReadView,
  type ResultCommitment,
  readResultView,
} from './receipt/commit-views.js'
export {
  compareReceipts,
  type EquivocationProof,
  type ReceiptComparison,
  verifyEquivocation,
} from './receipt/compare.js'
export { chargedRefusals, type ReceiptDeployment } from './receipt/consistency.js'
export {
  discloseInput,
  disclosureProblem,
  type InputDisclosure,
  inputDisclosureSchema,
} from './receipt/disclosure.js'
export {
  type AppraisedGpus,
  type BudgetView,
  type DestroyedKey,
  type Receipt,
  type ReceiptBody,
  type ReceiptPool,
  type RecipientView,
  receiptBodySchema,
  receiptType,
  receiptVersion,
} from './receipt/receipt.js'
export type { ResultView } from './receipt/result-view.js'
export {
  type ReceiptVerdict,
  receiptCheckTitles,
  type VerifyReceiptOptions,
  verdictsRoot,
} from './receipt/verify.js'
export { viewOf } from './receipt/view-of.js'
export type { Schema } from './shape/shape.js'
export { verifyAmdSignature } from './signature/amd.js'
export { type VerifyP256, verifyP256 } from './signature/p256.js'
export type { VerifySignature } from './signature/port.js'
export { withWebCrypto } from './signature/web-crypto.js'
export { amdRootClaim, amdRootKeyDigests, type SnpProductLine } from './trust-anchor/amd.js'
export { intelRootKeyDigest, intelRootName, rootClaim } from './trust-anchor/intel.js'
export type { Check } from './verdict/check-list.js'
export type { Claims, Hex, IntelClaims, RootClaim, SgxClaims, TdxClaims, Verdict } from './verdict/verdict.js'
export {
  prepareCollateral,
  verifyCollateral,
  verifyNodeEvidence,
  verifyQuote,
  verifyReceipt,
  verifySnpReport,
} from './with-platform.js'
