import { concatBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { parseSnpReport } from '../amd/report.js'
import { parseCertificate } from '../encoding/x509.js'
import { AttestError } from '../errors.js'
import { makeCertificate, publicKeyOf } from '../simulator/test-pki.js'
import { simulator } from '../testing/fixture.js'
import { verifyCollateral, verifyQuote, verifySnpReport } from '../with-platform.js'
import { certificationText, pckChain } from './certificates.js'
import type { Collateral, QeIdentity, TdxModule } from './collateral.js'
import { enclaveIdentityProblem, tdxModuleProblem } from './enclave-identity.js'
import { pckPlatform } from './pck-extension.js'
import { parseQeIdentity } from './qe-identity.js'
import { maximumQuoteLength, parseQuote } from './quote.js'
import { parseTcbInfo } from './tcb-info.js'

const quote = simulator.quote({ reportData: new Uint8Array(64) })
const collateral: Collateral = simulator.collateral(new Date('2026-11-20T12:00:00Z'))
const failure = (ask: () => unknown) => {
  try {
    ask()
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? `${error.code} ${error.place}` : error
  }
}
const patched = (bytes: Uint8Array, at: number, ...octets: number[]) => {
  const copy = bytes.slice()
  copy.set(octets, at)
  return copy
}

describe('arguments of callers without types', () => {
  it('are typed errors, never a TypeError', () => {
    const odd = [undefined, null, '0x00', [1, 2], new ArrayBuffer(8), { length: 5000 }]
    const date = '2026-11-20T12:00:00Z' as unknown as Date
    for (const bytes of odd as unknown as Uint8Array[]) {
      expect(failure(() => parseQuote(bytes))).toBe('BAD_ARGUMENT quote')
      expect(failure(() => parseSnpReport(bytes))).toBe('BAD_ARGUMENT report')
    }
    for (const at of [date, null as unknown as Date, new Date(Number.NaN)]) {
      expect(failure(() => verifyQuote(quote, { collateral, at }))).toBe('BAD_ARGUMENT options.at')
      expect(failure(() => verifyCollateral(collateral, { at }))).toBe('BAD_ARGUMENT options.at')
      expect(failure(() => verifySnpReport(quote, { certificates: [], at }))).toBe('BAD_ARGUMENT options.at')
    }
  })

  it('the PEM text of a quote has no byte order mark', () => {
    const parsed = parseQuote(quote)
    expect(failure(() => pckChain(certificationText(parsed)))).toBe('ok')
    const marked = concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), parsed.certificationData)
    expect(failure(() => pckChain(certificationText({ ...parsed, certificationData: marked })))).toMatch(
      /BAD_PEM/,
    )
  })
})

describe('parseQuote', () => {
  it('splits the simulator’s quote into its fields', () => {
    const parsed = parseQuote(quote)
    expect(parsed).toMatchObject({
      version: 4,
      tee: 'tdx',
      bodyType: 2,
      attestationKeyType: 2,
      certificationType: 5,
    })
    expect(parsed.signed.length).toBe(48 + 584)
    expect(parsed.trailing.length).toBe(0)
    expect(parseQuote(concatBytes(quote, new Uint8Array(7))).trailing.length).toBe(7)
  })

  it('reads version 3 as SGX and version 5 by its body type', () => {
    const sgx = concatBytes(patched(quote.slice(0, 48), 0, 3, 0, 2, 0, 0, 0, 0, 0), new Uint8Array(384))
    const section = parseQuote(quote)
    const inner = concatBytes(
      section.qeReport.raw,
      section.qeReportSignature,
      Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 0),
    )
    const data = concatBytes(section.signature, section.attestationKey.subarray(1), inner)
    const size = Uint8Array.of(data.length & 0xff, data.length >> 8, 0, 0)
    expect(parseQuote(concatBytes(sgx, size, data))).toMatchObject({
      version: 3,
      tee: 'sgx',
      certificationType: 1,
    })
    const extended = simulator.quote({ reportData: new Uint8Array(64), version: 5, bodyType: 4 })
    expect(parseQuote(extended)).toMatchObject({ version: 5, bodyType: 4, report: { kind: 'td' } })
  })

  it.each([
    ['header.version', patched(quote, 0, 6)],
    ['header.teeType', patched(quote, 4, 0x42)],
    // Version 4 with the number of SGX: the body of a TD is no enclave's report.
    ['signatureData', patched(quote, 4, 0)],
    ['header.teeType', patched(quote, 0, 3)],
    ['signatureLength', quote.slice(0, 632)],
    ['signatureData', quote.slice(0, -1)],
    ['signatureData', patched(quote, 632, 0, 0)],
    ['signatureData.certificationType', patched(quote, 636 + 128, 5)],
    ['signatureData.certificationData', patched(quote, 636 + 130, 0xff, 0xff)],
  ])('names %s when it is wrong', (place, bytes) => {
    expect(failure(() => parseQuote(bytes))).toMatch(new RegExp(`^BAD_QUOTE quote\\.${place}`))
  })

  it('leaves no byte of the signature data unread', () => {
    const { certificationData } = parseQuote(quote)
    const number = (at: number) =>
      new DataView(quote.buffer, quote.byteOffset, quote.byteLength).getUint32(at, true)
    const longer = (at: number) => {
      const value = number(at) + 1
      return [value & 255, (value >> 8) & 255, (value >> 16) & 255] as const
    }
    const more = concatBytes(quote, Uint8Array.of(0))
    const outside = patched(more, 632, ...longer(632))
    expect(failure(() => parseQuote(outside))).toBe('BAD_QUOTE quote.signatureData')
    // The same byte inside the certification data, behind the certificates.
    const inside = patched(outside, 636 + 130, ...longer(636 + 130))
    expect(failure(() => parseQuote(inside))).toBe('BAD_QUOTE quote.signatureData')
    const at = quote.length - certificationData.length - 4
    expect(failure(() => parseQuote(patched(inside, at, ...longer(at))))).toBe('ok')
  })

  it('reads no quote that is longer than any', () => {
    const longest = new Uint8Array(maximumQuoteLength)
    longest.set(quote)
    expect(parseQuote(longest).trailing.length).toBe(maximumQuoteLength - quote.length)
    const longer = new Uint8Array(maximumQuoteLength + 1)
    longer.set(quote)
    expect(failure(() => parseQuote(longer))).toBe('BAD_QUOTE quote')
  })

  it('refuses version 5 bodies whose type and size contradict', () => {
    const five = simulator.quote({ reportData: new Uint8Array(64), version: 5, bodyType: 3 })
    expect(failure(() => parseQuote(patched(five, 48, 2)))).toBe('BAD_QUOTE quote.bodySize')
    expect(failure(() => parseQuote(patched(five, 48, 9)))).toBe('BAD_QUOTE quote.bodyType')
    expect(failure(() => parseQuote(patched(five, 48, 1, 0, 0x80, 0x01)))).toBe('BAD_QUOTE quote.bodyType')
  })
})

describe('pckPlatform', () => {
  it('reads FMSPC, PCE id and SVNs', () => {
    expect(pckPlatform(pckChain(certificationText(parseQuote(quote))).pck)).toMatchObject({
      fmspc: '51aa1a7ed000',
      pceId: '0000',
      pceSvn: 11,
      sgxComponents: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
    })
  })

  it('refuses a certificate without the SGX extension', () => {
    const privateKey = new Uint8Array(32).fill(1)
    const issuer = { commonName: 'x', privateKey }
    const plain = { commonName: 'x', publicKey: publicKeyOf(privateKey), issuer, notBefore: 0, notAfter: 1 }
    expect(failure(() => pckPlatform(parseCertificate(makeCertificate(plain))))).toBe(
      'BAD_CERTIFICATE pck.sgxExtension',
    )
  })
})

describe('collateral documents', () => {
  const parse = (text: string) => failure(() => parseTcbInfo(text))

  it('must be byte for byte as served', () => {
    expect(parse(collateral.tcbInfo)).toBe('ok')
    for (const text of [
      '',
      '{}',
      ` ${collateral.tcbInfo}`,
      `${collateral.tcbInfo}\n`,
      collateral.tcbInfo.replace(',"signature"', ', "signature"'),
      collateral.tcbInfo.slice(0, -3),
      collateral.qeIdentity,
    ]) {
      expect(parse(text)).toBe('BAD_COLLATERAL tcbInfo')
    }
  })

  it('are no longer than a megabyte', () => {
    const padded = (length: number) => {
      const fill = 'x'.repeat(length - collateral.tcbInfo.length - '"fill":"",'.length)
      return collateral.tcbInfo.replace('"fmspc"', `"fill":"${fill}","fmspc"`)
    }
    expect(padded(1 << 20)).toHaveLength(1 << 20)
    expect(parse(padded(1 << 20))).toBe('ok')
    expect(parse(padded((1 << 20) + 1))).toBe('BAD_COLLATERAL tcbInfo')
  })

  it('for TDX name the TDX components of every level', () => {
    // A level that names none would be reached by every TDX module.
    const text = collateral.tcbInfo.replaceAll('"tdxtcbcomponents"', '"tdxcomponents"')
    expect(text).not.toBe(collateral.tcbInfo)
    expect(parse(text)).toMatch(/tcbLevels\.0\.tcb\.tdxtcbcomponents$/)
  })

  it('name the field that is missing or wrong', () => {
    expect(parse(collateral.tcbInfo.replace('"fmspc"', '"fmspd"'))).toBe('BAD_COLLATERAL tcbInfo.fmspc')
    expect(parse(collateral.tcbInfo.replace('"pcesvn":11', '"pcesvn":-1'))).toContain(
      'tcbLevels.0.tcb.pcesvn',
    )
    expect(parse(collateral.tcbInfo.replace('"UpToDate"', '"Fine"'))).toContain('tcbStatus')
    expect(parse(collateral.tcbInfo.replace('"version":3', '"version":4'))).toContain('version')
    expect(parse(collateral.tcbInfo.replace('"tdxModule"', '"other"'))).toBe(
      'BAD_COLLATERAL tcbInfo.tdxModule',
    )
    const identity = collateral.qeIdentity.replace('"isvprodid":2', '"isvprodid":"2"')
    expect(failure(() => parseQeIdentity(identity))).toBe('BAD_COLLATERAL enclaveIdentity.isvprodid')
  })
})

describe('enclave and module identities', () => {
  const { qeReport, report } = parseQuote(quote)
  const identity: QeIdentity = parseQeIdentity(collateral.qeIdentity).value
  const enclave = (change: Partial<QeIdentity>) =>
    enclaveIdentityProblem(qeReport, { ...identity, ...change })

  it('compare MISCSELECT and ATTRIBUTES under their masks, MRSIGNER and product', () => {
    expect(enclave({})).toBeUndefined()
    expect(enclave({ miscSelect: '00000001' })).toContain('MISCSELECT')
    expect(enclave({ attributes: '13000000000000000000000000000000' })).toContain('ATTRIBUTES')
    expect(enclave({ mrSigner: '00'.repeat(32) })).toContain('signer')
    expect(enclave({ isvProdId: 1 })).toContain('product')
    // Bits outside the mask do not count: the report has XFRM 7, the identity masks it out.
    expect(enclave({ attributesMask: 'ff'.repeat(16), attributes: identity.attributes })).toContain(
      'ATTRIBUTES',
    )
  })

  it('want the module’s signer and attributes, and the attributes zero', () => {
    if (report.kind !== 'td') throw new Error('the fixture is a TD')
    const module: TdxModule = {
      id: 'TDX_01',
      mrSigner: '00'.repeat(48),
      attributes: '00'.repeat(8),
      attributesMask: 'ff'.repeat(8),
      levels: [],
    }
    const problem = (change: Partial<TdxModule>, seamAttributes = report.seamAttributes) =>
      tdxModuleProblem({ ...report, seamAttributes }, { ...module, ...change })
    expect(problem({})).toBeUndefined()
    expect(problem({ mrSigner: '01'.repeat(48) })).toContain('signer')
    expect(problem({ attributes: '0100000000000000' })).toContain('attributes')
    const set = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)
    expect(problem({}, set)).toContain('attributes')
    expect(problem({ attributesMask: '00'.repeat(8) }, set)).toContain('attributes set')
    expect(tdxModuleProblem(report, undefined)).toContain('no TDX module')
  })
})
