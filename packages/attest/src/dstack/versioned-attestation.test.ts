import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { parseQuote } from '../intel/quote.js'
import { attestData, readAttestData } from '../testing/attest-data.js'
import { verifyDstackEventLog } from './event-log.js'
import { mrConfigDigest } from './mr-config.js'
import { parseDstackAttestation } from './versioned-attestation.js'

const utf8 = (text: string) => new TextEncoder().encode(text)
const short = (bytes: Uint8Array) => concatBytes(Uint8Array.of(bytes.length << 2), bytes)
const reportData = new Uint8Array(64).fill(9)
const tail = concatBytes(
  Uint8Array.of(4),
  short(utf8('a')),
  short(Uint8Array.of(1)),
  reportData,
  short(utf8('{}')),
)
const nitro = concatBytes(Uint8Array.of(0, 2), short(Uint8Array.of(7, 8)), tail)

const code = (bytes: Uint8Array) => {
  try {
    parseDstackAttestation(bytes)
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? error.code : error
  }
}

describe('parseDstackAttestation', () => {
  it('reads each kind of evidence', () => {
    const rest = { runtimeEvents: [{ event: 'a', payload: Uint8Array.of(1) }], reportData, config: '{}' }
    expect(parseDstackAttestation(nitro)).toEqual({
      evidence: { platform: 'nitro', document: Uint8Array.of(7, 8) },
      ...rest,
    })
    const event = concatBytes(
      Uint8Array.of(3, 0, 0, 0, 1, 0, 0, 8),
      short(Uint8Array.of(0xaa)),
      short(utf8('app-id')),
      short(Uint8Array.of(0xbb)),
    )
    const tdx = concatBytes(Uint8Array.of(0, 0), short(Uint8Array.of(1)), Uint8Array.of(4), event, tail)
    expect(parseDstackAttestation(tdx)).toEqual({
      evidence: {
        platform: 'tdx',
        quote: Uint8Array.of(1),
        eventLog: [{ imr: 3, event_type: 0x08000001, digest: 'aa', event: 'app-id', event_payload: 'bb' }],
      },
      ...rest,
    })
    const snp = concatBytes(
      Uint8Array.of(0, 3),
      short(Uint8Array.of(1)),
      Uint8Array.of(4),
      short(Uint8Array.of(2)),
      short(utf8('{}')),
      tail,
    )
    expect(parseDstackAttestation(snp).evidence).toEqual({
      platform: 'sev-snp',
      report: Uint8Array.of(1),
      certificates: [Uint8Array.of(2)],
      mrConfig: '{}',
    })
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['another version', concatBytes(Uint8Array.of(0x85), nitro.subarray(1))],
    ['another platform', concatBytes(Uint8Array.of(0, 1), nitro.subarray(2))],
    ['bytes that are left over', concatBytes(nitro, Uint8Array.of(0))],
    ['a cut', nitro.subarray(0, -1)],
    ['a length that is not shortest', concatBytes(Uint8Array.of(0, 2, 9, 0, 7, 8), tail)],
    ['a long length that is not shortest', concatBytes(Uint8Array.of(0, 2, 10, 0, 0, 0, 7, 8), tail)],
    ['a length of many bytes', concatBytes(Uint8Array.of(0, 2, 3, 2, 0, 0, 0, 7, 8), tail)],
    ['a length beyond the end', Uint8Array.of(0, 2, 254, 255, 255, 255)],
    ['a list of many entries', concatBytes(Uint8Array.of(0, 3, 0), Uint8Array.of(2, 0, 4, 0), tail)],
    ['text that is not UTF-8', concatBytes(nitro.subarray(0, -2), Uint8Array.of(0xff, 0xff))],
    ['too much', new Uint8Array((10 << 20) + 1)],
  ])('refuses %s', (_, bytes) => {
    expect(code(bytes)).toBe('BAD_EVIDENCE')
  })

  it('gives a value or a typed error for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(0, 2, 3), (bytes, kind) => {
        expect(code(concatBytes(Uint8Array.of(0, kind), bytes))).toMatch(/^(ok|BAD_EVIDENCE)$/)
      }),
    )
  })
})

const json = (path: string) => JSON.parse(new TextDecoder().decode(readAttestData(path)))
const folder = 'Dstack-TEE__dstack/dstack'

describe.skipIf(attestData === undefined)('parseDstackAttestation with real containers', () => {
  it('gives the quote and the log that stand beside it', () => {
    const { attestation } = json(`${folder}/verifier/fixtures/tdx-lite-attestation.json`)
    const { evidence, config } = parseDstackAttestation(hexToBytes(attestation))
    const beside = json('dstack-vectors/dstack-tdx-lite.json')
    if (evidence.platform !== 'tdx') throw new Error('not TDX')
    expect(bytesToHex(evidence.quote)).toBe(beside.quote)
    // The container leaves out what the firmware's own log holds, but for the ACPI tables.
    const kept = beside.event_log.filter(
      ({ imr, event }: { imr: number; event: string }) => imr === 3 || event !== '',
    )
    expect(evidence.eventLog.map(({ event, event_payload }) => [event, event_payload])).toEqual(
      kept.map(({ event, event_payload }: { event: string; event_payload: string }) => [
        event,
        event_payload,
      ]),
    )
    expect(config).toBe(beside.vm_config)
    const { report } = parseQuote(evidence.quote)
    if (report.kind !== 'td') throw new Error('not a TD')
    const [a, b, c, d] = report.rtmrs.map((value) => `0x${bytesToHex(value)}` as const)
    if (!(a && b && c && d)) throw new Error('no registers')
    const { checks } = verifyDstackEventLog({ eventLog: evidence.eventLog, claims: { rtmrs: [a, b, c, d] } })
    expect(checks.find(({ id }) => id === 'rtmr3')?.result).toBe('pass')
  })

  it('gives a report whose HOST_DATA names the document', () => {
    const { attestation } = json(`${folder}/verifier/fixtures/sev-snp-attestation.json`)
    const { evidence } = parseDstackAttestation(hexToBytes(attestation))
    if (evidence.platform !== 'sev-snp') throw new Error('not SEV-SNP')
    expect(evidence.certificates.length).toBeGreaterThan(0)
    expect(`0x${bytesToHex(evidence.report.subarray(0xc0, 0xe0))}`).toBe(mrConfigDigest(evidence.mrConfig))
  })

  it.each([
    ['dstack-attest/tests/sev_snp_attestation.bin', 'sev-snp'],
    ['dstack-attest/tests/nitro_attestation.bin', 'nitro'],
    ['dstack-attest/tests/nitro_attestation_dbg.bin', 'nitro'],
    ['guest-agent/fixtures/attestation.bin', 'tdx'],
  ])('reads %s whole', (path, platform) => {
    expect(parseDstackAttestation(readAttestData(`${folder}/${path}`)).evidence.platform).toBe(platform)
  })
})
