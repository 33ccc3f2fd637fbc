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

describe('the header of an HCL report', () => {
  const { hclReport } = evidence
  const place = (bytes: Uint8Array) => {
    try {
      parseHclReport(bytes)
      return 'ok'
    } catch (error) {
      return error instanceof AttestError ? error.place : error
    }
  }
  const patched = (at: number, ...octets: number[]) => {
    const copy = hclReport.slice()
    copy.set(octets, at)
    return copy
  }
  const whole = (runtime: string) => azureEvidence({ runtimeText: runtime }).hclReport

  it.each<[string, Uint8Array, RegExp]>([
    ['signature', patched(0, 0x49), /\.header$/],
    ['kind of report', patched(1224, 3), /\.reportType$/],
    ['kind of report in another octet', patched(1225, 1), /\.reportType$/],
    ['hash', patched(1228, 2), /\.hashType$/],
    ['length of the runtime data', patched(1232, 0xff, 0xff), /\.runtimeData$/],
    ['length of all', concatBytes(hclReport, new Uint8Array(1 << 16)), /hclReport$|^azure/],
    ['runtime data that are no JSON', whole('{'), /\.runtimeData$/],
    ['runtime data that are null', whole('null'), /\.keys$/],
    ['runtime data that are a text', whole('"keys"'), /\.keys$/],
    ['runtime data without keys', whole('{}'), /\.keys$/],
    ['keys that are no list', whole('{"keys":{}}'), /\.keys$/],
    ['keys that are none', whole('{"keys":[null,7,"HCLAkPub",{}]}'), /\.keys$/],
  ])('has its place: %s', (_, bytes, expected) => {
    expect(place(bytes)).toMatch(expected)
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
