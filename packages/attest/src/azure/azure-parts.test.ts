import { concatBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { at, simulator } from '../testing/fixture.js'
import { azureEvidence } from '../testing/platform-fixture.js'
import { parseHclReport } from './hcl-report.js'
import { parseTpmQuote } from './tpm-quote.js'
import { verifyAzureEvidence } from './verify.js'

const evidence = azureEvidence()
const { message } = evidence.tpmQuote
const code = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? error.code : error
  }
}
/** A copy in memory of its own, so that a read beyond its end finds nothing. */
const cut = (bytes: Uint8Array, length: number) => bytes.slice(0, length)

describe('a vTPM quote', () => {
  it('is whole: no byte is missing, and none is left over', () => {
    expect(code(() => parseTpmQuote(message))).toBe('ok')
    for (let length = 0; length < message.length; length += 1)
      expect([length, code(() => parseTpmQuote(cut(message, length)))]).toEqual([length, 'BAD_EVIDENCE'])
    for (const more of [1, 2, 100])
      expect(code(() => parseTpmQuote(concatBytes(message, new Uint8Array(more))))).toBe('BAD_EVIDENCE')
  })
})

describe('an HCL report', () => {
  it('is refused wherever it is cut', () => {
    const { hclReport } = evidence
    expect(code(() => parseHclReport(hclReport))).toBe('ok')
    for (let length = 0; length < hclReport.length; length += length > 1180 ? 1 : 37)
      expect([length, code(() => parseHclReport(cut(hclReport, length)))]).toEqual([length, 'BAD_EVIDENCE'])
  })
})

describe('evidence of a TDX machine', () => {
  it('needs its TD quote', () => {
    const { quote: _, ...without } = azureEvidence({ tee: 'tdx' })
    const tdx = { collateral: simulator.collateral(at), at }
    expect(code(() => verifyAzureEvidence(without, { tdx }))).toBe('BAD_EVIDENCE')
    expect(verifyAzureEvidence(without, {}).hardware).toBeNull()
  })
})
