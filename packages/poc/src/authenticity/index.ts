/**
 * Verifying where an export comes from, offline and with given keys.
 *
 * @module
 */

export type { Jwk } from '../signature/public-key.js'
export type { SignatureAlgorithm } from '../signature/verify-signature.js'
export { type C2paFinding, verifyC2pa } from './c2pa/verify-c2pa.js'
export { type StatusFinding, verifyStatus } from './credential/token-status.js'
export {
  type CredentialFinding,
  type CredentialKey,
  verifyCredentialJwt,
  verifyDataIntegrity,
} from './credential/verify-credential.js'
export { type ExpectedBinding, type SdJwtFinding, verifySdJwt } from './credential/verify-sd-jwt.js'
export { type DeviceSource, verifyDeviceRecords } from './device/verify-device-records.js'
export { authenticMailbox } from './dkim/authentic-mailbox.js'
export { splitMailbox } from './dkim/mbox.js'
export { type DkimKey, verifyDkim } from './dkim/verify-dkim.js'
export type { AuthenticityCheck, AuthenticityFinding, SourceKind } from './finding.js'
export { type JwsExpectation, type JwsFinding, type TrustedKey, verifyJws } from './jose/verify-jws.js'
export {
  type OAuthPort,
  type OAuthRequest,
  type OAuthResponse,
  oauthReadBack,
  type ReadBack,
  type ReadBackAnswer,
  type ReadBackFailure,
  type ReadBackOptions,
} from './oauth/oauth-read-back.js'
export type { EqualValues, OAuthSource } from './oauth/oauth-source.js'
export { formatReadBackFile, parseReadBackFile, type ReadBackFile } from './oauth/read-back-file.js'
export { type ReadBackFinding, verifyReadBack } from './oauth/verify-read-back.js'
export { verifyPlatformSignature } from './platform/verify-platform-signature.js'
export { type ReclaimSource, verifyReclaim } from './reclaim/verify-reclaim.js'
export type { AuthenticitySource } from './source.js'
export { inspectPresentation } from './tlsnotary/inspect-presentation.js'
export { DEFAULT_VERIFICATION_BUDGET, type VerificationBudget } from './verification-budget.js'
export { type SourceToVerify, verifySource } from './verify-source.js'
