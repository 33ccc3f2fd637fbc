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
        "appraise",
        "attestErrorCodes",
        "attestationPolicyDigest",
        "attestationPolicySchema",
        "budgetProblem",
        "chainProblem",
        "chargedRefusals",
        "collateralSchema",
        "convergeTcbStatus",
        "defaultAttestationPolicy",
        "derTag",
        "evaluateTcb",
        "evidenceCheckTitles",
        "formatPemCertificates",
        "intelQeVendorId",
        "intelRootKeyDigest",
        "intelRootName",
        "isBundleFile",
        "matchTcbLevel",
        "maximumDerDepth",
        "maximumDerElements",
        "maximumPemCertificates",
        "maximumQuoteLength",
        "measurementDigest",
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
        "parseTcbInfo",
        "pckPlatform",
        "quoteCheckTitles",
        "receiptBodySchema",
        "receiptCheckTitles",
        "receiptType",
        "receiptVersion",
        "relaunchTcbStatus",
        "revocationListProblem",
        "rootClaim",
        "validityProblem",
        "verdictTcbStatuses",
        "verdictsRoot",
        "verifyNodeEvidence",
        "verifyP256",
        "verifyQuote",
        "verifyReceipt",
        "zeroNonce",
      ]
    `)
    expect(Object.keys(simulator).sort()).toMatchInlineSnapshot(`
      [
        "createSimulator",
        "exportSimulator",
        "importSimulator",
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
