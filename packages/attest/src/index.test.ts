import { describe, expect, it } from 'vitest'
import * as cli from './cli/index.js'
import { AttestError, attestErrorCodes } from './errors.js'
import * as attest from './index.js'
import * as simulator from './simulator/index.js'

describe('what the package offers', () => {
  it('has exactly these names', () => {
    expect(Object.keys(attest).sort()).toMatchInlineSnapshot(`
      [
        "AttestError",
        "amdRootClaim",
        "amdRootKeyDigests",
        "appraise",
        "attestErrorCodes",
        "attestationPolicyDigest",
        "attestationPolicySchema",
        "budgetProblem",
        "chainProblem",
        "chargedRefusals",
        "collateralCheckTitles",
        "collateralSchema",
        "commitResult",
        "compareReceipts",
        "convergeTcbStatus",
        "defaultAttestationPolicy",
        "deletionCheckTitles",
        "deletionKinds",
        "deletionListSchema",
        "deletionReasons",
        "deletionsType",
        "deletionsVersion",
        "derTag",
        "discloseInput",
        "disclosureProblem",
        "dsseEnvelope",
        "earClaims",
        "earToken",
        "evaluateTcb",
        "evidenceCheckTitles",
        "formatPemCertificates",
        "inTotoStatement",
        "inputDisclosureSchema",
        "intelQeVendorId",
        "intelRootKeyDigest",
        "intelRootName",
        "isBundleFile",
        "matchTcbLevel",
        "maximumDeletions",
        "maximumDerDepth",
        "maximumDerElements",
        "maximumPemCertificates",
        "maximumQuoteLength",
        "measurementDigest",
        "nativeSignatures",
        "nodeEvidenceSchema",
        "nodeReportData",
        "parseAttestationPolicy",
        "parseCertificate",
        "parseCollateral",
        "parseDer",
        "parseNodeEvidence",
        "parsePemCertificates",
        "parseQeIdentity",
        "parseQuote",
        "parseReceiptBundle",
        "parseRevocationList",
        "parseSnpReport",
        "parseTcbEvaluationDataNumbers",
        "parseTcbInfo",
        "pckPlatform",
        "prepareCollateral",
        "quoteCheckTitles",
        "readResultView",
        "receiptBodySchema",
        "receiptCheckTitles",
        "receiptPredicateType",
        "receiptType",
        "receiptVersion",
        "relaunchTcbStatus",
        "revocationListProblem",
        "rootClaim",
        "snpCheckTitles",
        "snpProducts",
        "snpReportLength",
        "validityProblem",
        "vekFacts",
        "verdictTcbStatuses",
        "verdictsRoot",
        "verifyAmdSignature",
        "verifyCollateral",
        "verifyDeletions",
        "verifyEquivocation",
        "verifyNodeEvidence",
        "verifyP256",
        "verifyQuote",
        "verifyReceipt",
        "verifySnpReport",
        "viewOf",
        "withWebCrypto",
        "zeroNonce",
      ]
    `)
    expect(Object.keys(simulator).sort()).toMatchInlineSnapshot(`
      [
        "createAmdSimulator",
        "createGpuSimulator",
        "createSimulator",
        "exportSimulator",
        "importSimulator",
        "simulatedDstackLog",
        "simulatedGpuModel",
        "simulatedMrTd",
        "simulatorRootName",
      ]
    `)
    expect(Object.keys(cli).sort()).toMatchInlineSnapshot(`
      [
        "UnreadableError",
        "readReceiptBundle",
        "runVerifyCli",
      ]
    `)
  })

  it('has one error class whose codes are distinct and whose place is shown', () => {
    expect(new Set(attestErrorCodes).size).toBe(attestErrorCodes.length)
    const error = new AttestError('BAD_QUOTE', 'quote.header', 'Too short')
    expect([error.name, error.code, error.place, error.message]).toEqual([
      'AttestError',
      'BAD_QUOTE',
      'quote.header',
      'Too short (at quote.header)',
    ])
  })
})
