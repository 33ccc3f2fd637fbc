/**
 * Evidence of platforms that stand on top of TDX and SEV-SNP: dstack, Azure's paravisor and vTPM, event logs of the firmware,
 * AWS Nitro and NVIDIA.
 *
 * @module
 */
export { type HclReport, parseHclReport } from '../azure/hcl-report.js'
export { parseTpmQuote, type TpmQuote } from '../azure/tpm-quote.js'
export {
  type AzureEvidence,
  type AzureVerdict,
  azureCheckTitles,
  type VerifyAzureOptions,
} from '../azure/verify.js'
export {
  type DstackCertificateVerdict,
  dstackCertificateCheckTitles,
  type VerifyDstackCertificateOptions,
} from '../dstack/certificate.js'
export {
  composeHash,
  type DstackEvent,
  type DstackFacts,
  type DstackVerdict,
  dstackCheckTitles,
  dstackEventLogSchema,
  dstackRuntimeEventType,
  verifyDstackEventLog,
} from '../dstack/event-log.js'
export {
  type DstackImageMeasurement,
  type DstackImageVerdict,
  dstackImageCheckTitles,
  dstackImageRegisters,
  parseDstackImageMeasurement,
  verifyDstackImage,
} from '../dstack/measurement-document.js'
export { dstackKeyProviders, type MrConfig, mrConfigDigest, mrConfigId } from '../dstack/mr-config.js'
export { parseRaTlsCertificate, type RaTlsCertificate } from '../dstack/ra-tls.js'
export {
  type DstackSnpVerdict,
  dstackSnpCheckTitles,
  type VerifyDstackSnpOptions,
} from '../dstack/snp-attestation.js'
export { type DstackAttestation, parseDstackAttestation } from '../dstack/versioned-attestation.js'
export {
  type FirmwareEvent,
  firmwareCheckTitles,
  parseFirmwareEventLog,
  verifyFirmwareEventLog,
} from '../event-log/ccel.js'
export { replayRegister } from '../event-log/replay.js'
export type { GuestGpuRules } from '../gpu/appraise-guest-gpus.js'
export {
  type NodeGpuAppraisal,
  parseNodeGpuPolicy,
} from '../gpu/appraise-node-gpus.js'
export { type GpuLimit, gpuLimitNames, gpuLimits, gpuLimitTexts } from '../gpu/gpu-limits.js'
export {
  type GpuMode,
  gpuModeEvent,
  gpuModeEventName,
  gpuModeSchema,
  gpuNonce,
  parseGpuMode,
} from '../gpu/gpu-mode.js'
export {
  type NitroClaims,
  type NitroVerdict,
  nitroCheckTitles,
  nitroRootDigest,
} from '../nitro/verify.js'
export {
  type NvidiaServiceKey,
  type NvidiaTokenDevice,
  type NvidiaTokenVerdict,
  nvidiaTokenCheckTitles,
  nvidiaTokenIssuer,
} from '../nvidia/token.js'
export {
  type NvidiaReferenceMeasurements,
  type NvidiaRevocation,
  type NvidiaRevocationAnswer,
  type NvidiaVerdict,
  nvidiaCheckTitles,
  nvidiaRootDigest,
} from '../nvidia/verify.js'
export {
  appraisePlatform,
  type PlatformAppraisal,
  type PlatformVerdicts,
} from '../policy/appraise-platform.js'
export {
  type AzureRules,
  type DstackApp,
  type DstackKeyProvider,
  type DstackRules,
  type GpuRules,
  type NitroRules,
  type NvidiaRules,
  type NvidiaTokenRules,
  type PlatformImage,
  type PlatformPolicy,
  type PlatformRegisters,
  parsePlatformPolicy,
  platformPolicyDigest,
  platformPolicySchema,
} from '../policy/platform-policy.js'
export {
  appraiseNodeGpus,
  verifyAzureEvidence,
  verifyDstackCertificate,
  verifyDstackSnpAttestation,
  verifyNitroDocument,
  verifyNvidiaReport,
  verifyNvidiaToken,
} from '../with-platform.js'
