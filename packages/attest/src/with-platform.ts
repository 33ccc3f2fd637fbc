import type { SnpClaims } from './amd/claims.js'
import { verifySnpReport as snpReport, type VerifySnpReportOptions } from './amd/verify.js'
import {
  type AzureEvidence,
  type AzureVerdict,
  verifyAzureEvidence as azureEvidence,
  type VerifyAzureOptions,
} from './azure/verify.js'
import {
  type DstackCertificateVerdict,
  verifyDstackCertificate as dstackCertificate,
  type VerifyDstackCertificateOptions,
} from './dstack/certificate.js'
import {
  type DstackSnpVerdict,
  verifyDstackSnpAttestation as dstackSnpAttestation,
  type VerifyDstackSnpOptions,
} from './dstack/snp-attestation.js'
import {
  type GpuEvidence,
  type NodeEvidenceVerdict,
  verifyNodeEvidence as nodeEvidence,
} from './evidence/node-evidence.js'
import type { GuestGpuRules } from './gpu/appraise-guest-gpus.js'
import { type NodeGpuAppraisal, appraiseNodeGpus as nodeGpus } from './gpu/appraise-node-gpus.js'
import type { Collateral } from './intel/collateral.js'
import { type PreparedCollateral, prepareCollateral as prepare } from './intel/prepared-collateral.js'
import { verifyQuote as dcapQuote, type VerifyQuoteOptions } from './intel/verify.js'
import { type CollateralVerdict, verifyCollateral as collateralItself } from './intel/verify-collateral.js'
import { type NitroVerdict, verifyNitroDocument as nitroDocument } from './nitro/verify.js'
import { type NvidiaTokenVerdict, verifyNvidiaToken as nvidiaToken } from './nvidia/token.js'
import { type NvidiaVerdict, verifyNvidiaReport as nvidiaReport } from './nvidia/verify.js'
import { withPlatformSignatures } from './platform.js'
import { type ReceiptVerdict, verifyReceipt as receipt, type VerifyReceiptOptions } from './receipt/verify.js'
import type { VerifySignature } from './signature/port.js'
import type { Verdict } from './verdict/verdict.js'

// The public faces of the verifiers: the same functions with the platform's own signatures where it has them.

/**
 * Verifies a DCAP quote of TDX or SGX: one call makes every check of Intel's quote verification library, and the verdict lists
 * each with its answer. It says what is proved, not whether that is good enough: give the verdict to `appraise`.
 *
 * @param bytes the quote; not retained
 * @param options collateral, time and trust
 * @returns the verdict; `ok` only when every check passed
 * @throws AttestError `BAD_QUOTE` when the bytes are not a quote at all, `BAD_ARGUMENT` when `at` is not a valid date
 * @see Intel SGX DCAP Quote Verification Library; Intel TDX DCAP quoting library API (quote version 4 and 5)
 *
 * @example
 * ```ts no-run
 * const verdict = verifyQuote(quote, { collateral, at: new Date() })
 * if (!verdict.ok) for (const check of verdict.checks) console.log(check.result, check.title, check.detail)
 * ```
 */
export function verifyQuote(bytes: Uint8Array, options: VerifyQuoteOptions): Verdict {
  return dcapQuote(bytes, withPlatformSignatures(options))
}

/**
 * Reads collateral and checks all its signatures once, so that every further quote costs three signature checks (PCK
 * certificate, quoting enclave's report, quote). Nothing about time is decided here: each `verifyQuote` asks again whether
 * certificates, lists and documents are current at its own moment. A signature that does not hold is not an error here: it
 * is remembered, and fails the check of every quote.
 *
 * @param collateral as Intel serves it
 * @param options how signatures are verified
 * @param options.verifySignature another implementation of ECDSA P-256
 * @returns a handle for `verifyQuote`; it is never stale by itself
 * @throws AttestError `BAD_COLLATERAL`, `BAD_PEM`, `BAD_CERTIFICATE`, `BAD_CRL`, `BAD_DER` when a part cannot be read
 *
 * @example
 * ```ts no-run
 * const prepared = prepareCollateral(collateral)
 * for (const quote of quotes) console.log(verifyQuote(quote, { collateral: prepared, at: new Date() }).ok)
 * ```
 */
export function prepareCollateral(
  collateral: Collateral,
  options: { readonly verifySignature?: VerifySignature } = {},
): PreparedCollateral {
  return prepare(collateral, withPlatformSignatures(options))
}

/**
 * Verifies collateral by itself, for example before it is kept for later; a quote's verification asks all of this again.
 *
 * @param collateral as Intel serves it
 * @param options time and trust
 * @param options.at the moment for which the answer holds
 * @param options.trustedRoots besides Intel's, as for `verifyQuote`
 * @returns the checks, whether a vendor's root stands behind it, what it is about, and when a part goes stale
 * @throws AttestError `BAD_COLLATERAL`, `BAD_PEM`, `BAD_CERTIFICATE`, `BAD_CRL`, `BAD_DER` when it cannot be read
 */
export function verifyCollateral(
  collateral: Collateral,
  options: Parameters<typeof collateralItself>[1],
): CollateralVerdict {
  return collateralItself(collateral, withPlatformSignatures(options))
}

/**
 * Verifies an SEV-SNP attestation report of version 2 to 5, by VCEK or VLEK, of Milan, Genoa (with Bergamo and Siena) and
 * Turin. AMD revokes intermediate keys (ASK, ASVK) and never single chips, so the list is held against the intermediate's
 * serial number: that of every VCEK and VLEK is zero. AMD publishes no TCB statuses: `tcbStatus` is null, and the policy's
 * `minimumTcb` decides.
 *
 * @param bytes the report, 1184 bytes; not retained
 * @param options certificates, revocation list, time and trust
 * @returns the verdict; `ok` only when every check passed
 * @throws AttestError `BAD_REPORT` when the bytes are no report at all, `BAD_ARGUMENT` when `at` is not a valid date
 * @see AMD 56860, SEV-SNP firmware ABI specification; AMD 57230, VCEK certificate and KDS interface specification
 *
 * @example
 * ```ts no-run
 * const verdict = verifySnpReport(report, { certificates: [vcek, ask, ark], crl, at: new Date() })
 * if (!verdict.ok) for (const check of verdict.checks) console.log(check.result, check.title, check.detail)
 * ```
 */
export function verifySnpReport(
  bytes: Uint8Array,
  options: VerifySnpReportOptions,
): Verdict & { readonly claims: SnpClaims } {
  return snpReport(bytes, withPlatformSignatures(options))
}

/**
 * Verifies what a node shows of itself: the quote, that it vouches for the node's keys, and that the policy allows it.
 *
 * @param options the evidence, the policy and the moment
 * @param options.evidence any JSON value
 * @param options.policy which evidence is good enough
 * @param options.at the moment for which the answer holds
 * @param options.nonce 32 bytes that the caller asked the node to include; without it the evidence may be old
 * @returns verdict, appraisal, keys, and every check
 * @throws AttestError `BAD_EVIDENCE` or `BAD_QUOTE` when there is nothing to judge, `BAD_POLICY` when the policy is none
 */
export function verifyNodeEvidence(options: Parameters<typeof nodeEvidence>[0]): NodeEvidenceVerdict {
  return nodeEvidence(withPlatformSignatures(options))
}

/**
 * Judges what a node shows of its GPUs: the event log against the registers of the node's own verified quote, NVIDIA's token by the
 * service's keys and by the nonce that follows from that quote, and both by a platform policy.
 *
 * @param options what is shown, beside what, by which rules, and the moment
 * @param options.shown `gpu` of {@link NodeEvidenceVerdict}; null: the node shows none, which is `not-proved`
 * @param options.hardware `verdict` of the same {@link NodeEvidenceVerdict}, which must be ok: verify the evidence first
 * @param options.policy with `dstack`, `nvidiaToken` and `gpu`
 * @param options.keys of NVIDIA's service, as its JWKS lists them
 * @param options.at the moment for which the answer holds
 * @returns the answer with all reasons, worst first, what was recorded of the GPUs, and what such evidence cannot prove at all
 * @throws AttestError `BAD_EVIDENCE`, `BAD_EVENT_LOG` when what is shown cannot be read; `BAD_POLICY`, `BAD_ARGUMENT`
 *
 * @example
 * ```ts no-run
 * const { verdict: hardware, gpu: shown } = verifyNodeEvidence({ evidence, policy, at, nonce })
 * const { answer, reasons, mode, limits } = appraiseNodeGpus({ shown, hardware, policy: platformPolicy, keys, at })
 * ```
 */
export function appraiseNodeGpus(
  options: GuestGpuRules & {
    readonly shown: GpuEvidence | null
    readonly hardware: Verdict
    readonly at: Date
  },
): NodeGpuAppraisal {
  return nodeGpus(withPlatformSignatures<Parameters<typeof nodeGpus>[0]>(options))
}

/**
 * Follows a receipt's whole chain of trust, offline: quote, key set, signature, policies, manifest, plan, code, inputs'
 * verdicts, budget, result. Anything that is not given is `not-checked` and makes the verdict not ok, except parts that do
 * not exist for a refusal.
 *
 * @param options the receipt, what it speaks about, whom the verifier trusts, and the moment of the question
 * @returns a verdict with every link; bad documents make it not ok and never throw
 *
 * @example
 * ```ts no-run
 * const verdict = verifyReceipt({ receipt, evidence, policies, manifest, plan, result, sealedResult, verdicts, deployment, trust, at })
 * console.log(verdict.ok, verdict.simulated)
 * ```
 */
export function verifyReceipt(options: VerifyReceiptOptions): ReceiptVerdict {
  return receipt(withPlatformSignatures(options))
}

/**
 * Verifies an Azure confidential VM: hardware evidence, runtime data, vTPM key, TPM quote and registers, link by link. The
 * vTPM is software of Azure's paravisor, which the hardware measures: what the registers say is worth as much as that
 * measurement, so appraise it as well.
 *
 * @param evidence HCL report, TPM quote, and for TDX the quote
 * @param options nonce, and how the hardware evidence is verified
 * @returns every check, and the registers that the TPM quote selects
 * @throws AttestError `BAD_EVIDENCE` when HCL report or TPM quote cannot be read; `BAD_REPORT`, `BAD_QUOTE`
 */
export function verifyAzureEvidence(evidence: AzureEvidence, options: VerifyAzureOptions): AzureVerdict {
  return azureEvidence(evidence, {
    ...options,
    ...(options.snp === undefined ? {} : { snp: withPlatformSignatures(options.snp) }),
    ...(options.tdx === undefined ? {} : { tdx: withPlatformSignatures(options.tdx) }),
  })
}

/**
 * Verifies an AWS Nitro attestation document: COSE_Sign1 with ES384, chain to AWS's pinned root, dates, freshness, nonce. AWS
 * publishes no revocation list for these certificates, which live for hours.
 *
 * @param bytes the document
 * @param options moment, age, nonce and debug
 * @param options.at the moment for which the answer holds
 * @param options.maximumAgeSeconds how old the document may be; 300 when absent
 * @param options.nonce that was asked for; without it the document may have been made for anyone
 * @param options.allowDebug whether an enclave in debug mode passes; absent: it fails
 * @returns every check, and what the document says
 * @throws AttestError `BAD_EVIDENCE`, `BAD_CERTIFICATE`, `BAD_DER` when it cannot be read; `BAD_ARGUMENT`
 * @see AWS Nitro Enclaves, attestation process documentation
 */
export function verifyNitroDocument(
  bytes: Uint8Array,
  options: Parameters<typeof nitroDocument>[1],
): NitroVerdict {
  return nitroDocument(bytes, withPlatformSignatures(options))
}

/**
 * Verifies an NVIDIA GPU's or switch's SPDM measurements as far as that can be done offline. What it does not prove, and
 * says so: that the device's certificate was not revoked, that firmware and driver are ones NVIDIA stands by, that the GPU is
 * attached to the machine that talks to you, or that confidential computing mode is on. Bind the nonce to the CPU's evidence.
 *
 * @param report GET_MEASUREMENTS request (37 bytes) and response, one after the other
 * @param options certificates, moment, nonce, and what NVIDIA says
 * @param options.certificates PEM of the device's chain, leaf first, root last
 * @param options.nonce 32 bytes that were asked for
 * @param options.revocation port to what NVIDIA's OCSP responder says; without it `not-revoked` is `not-checked`
 * @param options.referenceMeasurements values of NVIDIA's reference manifests; without them `measurements` is `not-checked`
 * @param options.measuredBlocks indexes of the blocks that must be as published; all that the device measured when absent
 * @returns every check, and the measurement blocks
 * @throws AttestError `BAD_EVIDENCE`, `BAD_PEM`, `BAD_CERTIFICATE`, `BAD_DER` when it cannot be read; `BAD_ARGUMENT`
 * @see DMTF DSP0274, SPDM 1.1; NVIDIA attestation SDK
 */
export function verifyNvidiaReport(
  report: Uint8Array,
  options: Parameters<typeof nvidiaReport>[1],
): NvidiaVerdict {
  return nvidiaReport(report, withPlatformSignatures(options))
}

/**
 * Verifies a token of NVIDIA's remote attestation service (NRAS): an EAT (RFC 9711) with a detached token for each device, by
 * the service's keys, which the caller has to fetch from NVIDIA (`/.well-known/jwks.json`) over a channel that it trusts.
 *
 * It proves what the service said, and nothing of the hardware by itself: that the evidence was NVIDIA's to judge, that its
 * judgement is right, that the GPU is attached to the machine that talks to you, or that confidential computing mode is on (no
 * claim tells), rests on NVIDIA's word. Bind the nonce to the CPU's evidence. A digest in `submods` is taken over the text of
 * the device's token; no real token with its keys was at hand to hold that against, so this is written from the documentation.
 *
 * @param bundle parsed JSON: `[["JWT", token], { "GPU-0": token, ... }]`
 * @param options keys, moment and nonce
 * @param options.keys of the service, as its JWKS lists them; none leaves `signatures` not checked
 * @param options.at the moment for which the answer holds
 * @param options.nonce that was asked for; without it `nonce` is not checked
 * @returns every check, and what the service says of each device
 * @throws AttestError `BAD_EVIDENCE` when it is no such bundle; `BAD_ARGUMENT` when `at` is not a valid date
 * @see RFC 9711, entity attestation token; RFC 7515, JSON web signature; NVIDIA attestation, claims guide
 */
export function verifyNvidiaToken(
  bundle: unknown,
  options: Parameters<typeof nvidiaToken>[1],
): NvidiaTokenVerdict {
  return nvidiaToken(bundle, withPlatformSignatures(options))
}

/**
 * Verifies an RA-TLS certificate of dstack in one call: its quote, that the quote vouches for the certificate's key, its dates,
 * its event log against the quote's registers, and the app's compose text. Who issued the certificate is not asked: the quote
 * vouches for the key, and nobody else has to. Whether this app on this platform is good is `appraisePlatform`'s question.
 *
 * @param der the certificate
 * @param options collateral and trust as for `verifyQuote`, compose text, and the event log where the certificate has none
 * @returns every check, the facts of the log, the verdict on the quote, and the key
 * @throws AttestError `BAD_CERTIFICATE`, `BAD_DER`, `BAD_QUOTE`, `BAD_EVENT_LOG` when a part cannot be read, `BAD_EVIDENCE` when
 *   the certificate carries no quote, `BAD_ARGUMENT` when `at` is not a valid date
 */
export function verifyDstackCertificate(
  der: Uint8Array,
  options: VerifyDstackCertificateOptions,
): DstackCertificateVerdict {
  return dstackCertificate(der, withPlatformSignatures(options))
}

/**
 * Verifies dstack's container of evidence of an SEV-SNP guest in one call: the report by AMD's certificates, that it was made for
 * what was asked, and the app by the configuration document that the report's host data name. The image is the report's
 * measurement: the hardware's policy names it. Events in the container are not looked at, since nothing vouches for them.
 *
 * @param container as the guest agent packs it (version 0)
 * @param options trust as for `verifySnpReport`, what was asked for, and the compose text
 * @returns every check, what the document says of the app, and the verdict on the report
 * @throws AttestError `BAD_EVIDENCE` when it is no such container, or of another platform; `BAD_REPORT`, `BAD_PEM` when a part cannot
 *   be read; `BAD_ARGUMENT`
 * @see Dstack-TEE/dstack, dstack-attest and MrConfig version 3
 */
export function verifyDstackSnpAttestation(
  container: Uint8Array,
  options: VerifyDstackSnpOptions,
): DstackSnpVerdict {
  return dstackSnpAttestation(container, withPlatformSignatures(options))
}
