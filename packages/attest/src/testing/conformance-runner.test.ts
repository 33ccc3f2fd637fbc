import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as crypto from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import * as attest from '../index.js'
import * as measurement from '../measurement/index.js'
import * as platforms from '../platform-evidence/index.js'
import { verifyQuote } from '../with-platform.js'
import { evidence, quote, simulator } from './fixture.js'
import { compose, dstackLog } from './platform-fixture.js'

const attestComposeHash = platforms.composeHash(compose).slice(2)
const root = fileURLToPath(new URL('../../../../', import.meta.url))
const load = (path: string) => import(pathToFileURL(resolve(root, 'conformance/attest', path)).href)

/** Runs the conformance cases on files of our own. */
async function runOn(given: Record<string, unknown>) {
  const { runCases } = (await load('cases.mjs')) as { runCases: (options: object) => object }
  const { fileSource } = (await load('files.mjs')) as { fileSource: (...ports: unknown[]) => object }
  const encoded = new Map(
    Object.entries(given).map(([path, value]) => [
      path,
      value instanceof Uint8Array ? value : new TextEncoder().encode(JSON.stringify(value)),
    ]),
  )
  const list = (folder: string) =>
    [...encoded.keys()]
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => path.slice(folder.length + 1))
  const lines: string[] = []
  const library = {
    ...attest,
    ...measurement,
    ...platforms,
    encodeHex: crypto.encodeHex,
    sha256Digest: crypto.sha256Digest,
  }
  const files = fileSource((path: string) => encoded.get(path), list)
  const sums = runCases({ files, library, print: (line: string) => lines.push(line) })
  return { ...sums, lines }
}

const collateralFiles = {
  'tcb.json': new TextEncoder().encode(evidence.collateral.tcbInfo),
  'qe.json': new TextEncoder().encode(evidence.collateral.qeIdentity),
  'root.crl': crypto.decodeHex(evidence.collateral.rootCaCrl),
  'pck.crl': crypto.decodeHex(evidence.collateral.pckCrl),
}
const chains = [evidence.collateral.tcbInfoIssuerChain, evidence.collateral.pckCrlIssuerChain]
const certificates = Object.fromEntries(
  chains.flatMap((pem) => attest.parsePemCertificates(pem)).map((der, i) => [`_certs/intel/${i}.der`, der]),
)
const dcap = {
  quote: 'quote.bin',
  tcbInfo: 'tcb.json',
  qeIdentity: 'qe.json',
  rootCaCrl: 'root.crl',
  pckCrl: 'pck.crl',
  at: '2026-11-20T12:00:00Z',
  expect: 'UpToDate',
}

describe('the conformance runner', () => {
  it('counts a case that it cannot run as a difference, and runs all others', async () => {
    const { agree, differ, lines } = (await runOn({
      ...collateralFiles,
      'short.bin': new Uint8Array(20),
      'quote.bin': quote,
      'cases-dcap.json': [
        { ...dcap, quote: 'nothing.bin' },
        { ...dcap, quote: 'short.bin' },
        { ...dcap, quote: 'short.bin', quoteSig: false },
        { ...dcap, tcbInfo: 'nothing.json' },
        {},
      ],
      'index.json': [
        { kind: 'snp-report', path: 'nothing.report' },
        { kind: 'quote', path: 'nothing.quote' },
        { kind: 'cert', path: 'nothing.der' },
        { kind: 'crl', path: 'nothing.crl' },
        { kind: 'tcbInfo', path: 'nothing.json' },
      ],
      'files.json': [{ path: 'nothing.ccel', what: 'CCEL' }],
      'azure-vtpm-expected.json': [{ file: 'nothing.json' }],
      'dstack-vectors/a.json': { expected: {}, quote: '0x00', event_log: [] },
      'dstack-vectors/b.json': { expected: {} },
      'virtee__sev-snp-measure/vectors.json': {
        generated: [
          { mode: 'NEW', vmm_type: 'QEMU' },
          { mode: 'SEV_SNP', vmm_type: 'krun', ovmf_file: 'nothing.fd' },
        ],
      },
    })) as { agree: number; differ: number; lines: string[] }
    expect({ agree, differ, lines }).toMatchObject({ agree: 1, differ: 15 })
    const all = lines.join('\n')
    expect(all).toMatch(/DCAP quote that cannot be read: 1 agree, 1 differ/)
    expect(all).toMatch(/dstack event log: 0 agree, 2 differ/)
  })

  it('demands that a case whose facts speak against it fails in the named check', async () => {
    const one = async (change: object) => {
      const { lines } = await runOn({
        ...collateralFiles,
        ...certificates,
        'quote.bin': quote,
        'short.bin': new Uint8Array(20),
        'cases-dcap.json': [{ ...dcap, ...change }],
      })
      return lines.filter((line) => /^DCAP (?:TDX|quote)/.test(line)).join()
    }
    // The simulator's root is no vendor's: what the facts of such a quote say is that its root is another than Intel's.
    expect(await one({ chainRoot: 'Simulator' })).toBe('DCAP TDX v4: 1 agree, 0 differ')
    expect(await one({})).toBe('DCAP TDX v4: 0 agree, 1 differ')
    expect(await one({ chainRoot: 'Simulator', qeSig: false })).toBe('DCAP TDX v4: 0 agree, 1 differ')
    expect(await one({ chainRoot: null })).toBe('DCAP TDX v4: 0 agree, 1 differ')
    expect(await one({ quote: 'short.bin', quoteSig: null })).toBe(
      'DCAP quote that cannot be read: 1 agree, 0 differ',
    )
    expect(await one({ quote: 'short.bin' })).toBe('DCAP quote that cannot be read: 0 agree, 1 differ')
    expect(await one({ chainRoot: 'Simulator', quoteSig: false })).toBe('DCAP TDX v4: 0 agree, 1 differ')
  })

  it('reads evidence that is kept as hex, base64 or PEM text, and cases without optional fields', async () => {
    const text = (value: string) => new TextEncoder().encode(value)
    const hex = crypto.encodeHex
    const pem = (label: string, bytes: Uint8Array) =>
      text(`-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64')}\n-----END ${label}-----\n`)
    const { at: _, ...timeless } = dcap
    const { lines } = await runOn({
      ...collateralFiles,
      'root.crl': text(hex(collateralFiles['root.crl']).slice(2)),
      'pck.crl': pem('X509 CRL', collateralFiles['pck.crl']),
      ...Object.fromEntries(
        Object.entries(certificates).map(([path, der]) => [
          path.replace('.der', '.pem'),
          pem('CERTIFICATE', der),
        ]),
      ),
      'quote.bin': quote,
      'quote.hex': text(`${hex(quote)}\n`),
      'quote.b64': text(Buffer.from(quote).toString('base64')),
      'cases-dcap.json': [
        { ...dcap, chainRoot: 'Simulator' },
        { ...dcap, chainRoot: 'Simulator', quote: 'quote.hex' },
        { ...dcap, chainRoot: 'Simulator', quote: 'quote.b64' },
        { ...timeless, chainRoot: 'Simulator', atUnix: Date.parse(dcap.at) / 1000 },
      ],
      'index.json': [
        { kind: 'quote', path: 'quote.hex', facts: { chain: false } },
        { kind: 'quote', path: 'quote.b64', facts: { chain: false } },
      ],
    })
    expect(lines).toContain('DCAP TDX v4: 4 agree, 0 differ')
    expect(lines).toContain('quote fields: 2 agree, 0 differ')
    expect(lines).toContain('quote signature: 2 agree, 0 differ')
  })

  it('names kinds and statuses that it does not know, and counts them as differences', async () => {
    const { differ, lines } = (await runOn({
      ...collateralFiles,
      ...certificates,
      'quote.bin': quote,
      'index.json': [{ kind: 'cca-token', path: 'a.cbor' }],
      'files.json': [{ kind: 'csv-report', path: 'b.bin' }],
      'cases-dcap.json': [
        { ...dcap, chainRoot: 'Simulator', expect: 'Splendid' },
        { ...dcap, expect: 'Splendid' },
      ],
    })) as { differ: number; lines: string[] }
    expect(differ).toBe(3)
    expect(lines).toContain('not read: cca-token: 0 agree, 1 differ')
    expect(lines).toContain('not read: csv-report: 0 agree, 1 differ')
    expect(lines.join('\n')).toMatch(/not read: the status Splendid is not known/)
  })

  it('holds the parts of a status, its date and debug against what the case tells', async () => {
    const parts = { platform: 'UpToDate', qe: 'UpToDate', module: 'UpToDate', svn2: null, debug: false }
    const one = async (change: object) => {
      const { lines } = await runOn({
        ...collateralFiles,
        ...certificates,
        'quote.bin': quote,
        'cases-dcap.json': [{ ...dcap, chainRoot: 'Simulator', ...parts, ...change }],
      })
      return lines.filter((line) => line.includes('status parts')).join()
    }
    const agrees = 'DCAP status parts: 1 agree, 0 differ'
    expect(await one({})).toBe(agrees)
    const date = verifyQuote(quote, {
      collateral: evidence.collateral,
      at: new Date(dcap.at),
      trustedRoots: [simulator.rootDigest],
    })
    expect(await one({ tcbDate: date.tcbDate })).toBe(agrees)
    // A platform that reaches no level has no parts.
    expect(await one({ platform: null, qe: null, module: null })).toBe(agrees)
    for (const [field, value] of [
      ['platform', 'OutOfDate'],
      ['qe', null],
      ['qe', 'OutOfDate'],
      ['module', null],
      ['svn2', 'UpToDate'],
      ['debug', true],
    ] as const)
      expect(await one({ [field]: value }), field).toMatch(/0 agree, 1 differ/)
  })

  it('holds a dstack log’s hash against the compose text, also where the log is none of a whole boot', async () => {
    const whole = dstackLog.filter(({ imr }) => imr === 3)
    const one = async (log: readonly object[], app_compose: string | undefined, expected: object) => {
      const rtmrs = [0, 1, 2, 3].map((imr) =>
        platforms.replayRegister(
          (log as typeof dstackLog)
            .filter((event) => event.imr === imr)
            .map(({ digest }) => crypto.decodeHex(`0x${digest}`)),
        ),
      )
      const { lines } = await runOn({
        'dstack-vectors/a.json': {
          quote: crypto.encodeHex(simulator.quote({ reportData: new Uint8Array(64), rtmrs })),
          event_log: log,
          app_compose,
          expected: {
            rtmrReplay: { rtmr0: true, rtmr1: true, rtmr2: true, rtmr3: true },
            eventDigestMismatches: [],
            composeHashEvent: attestComposeHash,
            ...expected,
          },
        },
      })
      return lines.filter((line) => line.startsWith('dstack compose')).join()
    }
    const agrees = 'dstack compose hash: 1 agree, 0 differ'
    const early = whole.filter(({ event }) => event !== 'system-ready')
    for (const log of [whole, early]) {
      expect(await one(log, compose, { composeHashOk: true })).toBe(agrees)
      expect(await one(log, '{}', { composeHashOk: false })).toBe(agrees)
      expect(await one(log, undefined, { composeHashOk: null })).toBe(agrees)
      expect(await one(log, '{}', { composeHashOk: true })).not.toBe(agrees)
      expect(await one(log, compose, { composeHashOk: false })).not.toBe(agrees)
      expect(await one(log, compose, { composeHashOk: true, composeHashEvent: '00' })).not.toBe(agrees)
    }
  })

  it('takes Intel’s words for evidence that reaches no status to ask for the check that must fail', async () => {
    const one = async (expect: string, bytes: Uint8Array) => {
      const { lines } = await runOn({
        ...collateralFiles,
        ...certificates,
        'quote.bin': bytes,
        'cases-dcap.json': [{ ...dcap, expect }],
      })
      return lines.filter((line) => line.startsWith('DCAP TDX')).join()
    }
    const forged = quote.slice()
    forged[200] = (forged[200] ?? 0) ^ 1
    expect(await one('STATUS_INVALID_QUOTE_SIGNATURE', forged)).toBe('DCAP TDX v4: 1 agree, 0 differ')
    for (const word of ['STATUS_INVALID_QUOTE_SIGNATURE', 'STATUS_TDX_MODULE_MISMATCH', 'TCB_INFO_MISMATCH'])
      expect([word, await one(word, quote)]).toEqual([word, 'DCAP TDX v4: 0 agree, 1 differ'])
    expect(await one('STATUS_TDX_MODULE_MISMATCH', forged)).toBe('DCAP TDX v4: 0 agree, 1 differ')
    const seam = simulator.quote({ reportData: new Uint8Array(64), defect: 'unknown-module' })
    expect(await one('STATUS_TDX_MODULE_MISMATCH', seam)).toBe('DCAP TDX v4: 1 agree, 0 differ')
  })

  it('knows statuses in the words of Intel’s libraries', async () => {
    const { statusOf } = (await load('dcap.mjs')) as { statusOf: (text: string) => string | undefined }
    const words: Record<string, string> = {
      UpToDate: 'UpToDate',
      OK: 'UpToDate',
      SGX_QL_QV_RESULT_OK: 'UpToDate',
      TCB_OUT_OF_DATE: 'OutOfDate',
      STATUS_TCB_OUT_OF_DATE: 'OutOfDate',
      'Out of date': 'OutOfDate',
      SGX_QL_QV_RESULT_SW_HARDENING_NEEDED: 'SWHardeningNeeded',
      SGX_QL_QV_RESULT_CONFIG_NEEDED: 'ConfigurationNeeded',
      SGX_QL_QV_RESULT_OUT_OF_DATE_CONFIG_NEEDED: 'OutOfDateConfigurationNeeded',
      SGX_QL_QV_RESULT_CONFIG_AND_SW_HARDENING_NEEDED: 'ConfigurationAndSWHardeningNeeded',
      TCB_REVOKED: 'Revoked',
      TCB_NOT_SUPPORTED: 'TCB_NOT_SUPPORTED',
      TDX_TCB_NOT_SUPPORTED: 'TCB_NOT_SUPPORTED',
      SGX_QL_TCB_NOT_SUPPORTED: 'TCB_NOT_SUPPORTED',
      STATUS_TCB_NOT_SUPPORTED: 'TCB_NOT_SUPPORTED',
      TEE_QV_RESULT_TD_RELAUNCH_ADVISED: 'TD_RELAUNCH_ADVISED',
      STATUS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED: 'TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED',
    }
    for (const [word, status] of Object.entries(words)) expect([word, statusOf(word)]).toEqual([word, status])
    for (const word of ['', 'Splendid', 'UpToDateX'])
      expect([word, statusOf(word)]).toEqual([word, undefined])
  })

  it('loses to an unreadable certificate or list no cases but those that need it', async () => {
    const text = (value: string) => new TextEncoder().encode(value)
    const { differ, lines } = (await runOn({
      ...collateralFiles,
      ...certificates,
      '_certs/intel/zz_bad.der': text('garbage'),
      '_certs/intel/notes.txt': text('notes'),
      '_certs/amd/zz.der': text('garbage'),
      '_crls/ARK-Turin.der': text('garbage'),
      'quote.bin': quote,
      'cases-dcap.json': [{ ...dcap, chainRoot: 'Simulator' }],
    })) as { differ: number; lines: string[] }
    expect(lines).toContain('DCAP TDX v4: 1 agree, 0 differ')
    expect(lines.join()).toMatch(/fake Intel root refused: [1-9] agree, 0 differ/)
    expect(lines).toContain('certificate file: 0 agree, 3 differ')
    expect(lines).toContain('revocation list file: 0 agree, 1 differ')
    expect(differ).toBe(4)
  })

  it('tells Intel’s root by its key, and reads every certificate of a PEM', async () => {
    const pem = Object.values(certificates)
      .map(
        (der) =>
          `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----`,
      )
      .join('\n')
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----'
    const { lines } = await runOn({
      ...collateralFiles,
      // One file for the whole chain, with a mark, a comment in another alphabet and a parameter block in front of it.
      '_certs/intel/Intel_SGX_Root_CA_44a0196b.pem': new TextEncoder().encode(
        `\ufeffКорень\n${parameters}\n${pem}\n`,
      ),
      'quote.bin': quote,
      'cases-dcap.json': [{ ...dcap, chainRoot: 'Simulator' }],
    })
    expect(lines).toContain('DCAP TDX v4: 1 agree, 0 differ')
    // It has the name of Intel's own, and is the simulator's.
    expect(lines.join()).toMatch(/fake Intel root refused: [1-9] agree, 0 differ/)
    expect(lines.join()).not.toMatch(/Intel root accepted/)
  })

  it('reads bytes in many spellings, and never half of them', async () => {
    const { bytesOf, decoded } = (await load('encodings.mjs')) as Record<
      'bytesOf' | 'decoded',
      (value: unknown) => Uint8Array
    >
    const same = Uint8Array.of(0xab, 1)
    for (const value of ['0xab01', '0XAB01', 'ab01', 'AB01', [0xab, 1], 'qwE='])
      expect([value, bytesOf(value)]).toEqual([value, same])
    for (const value of ['0xzz01', '0xabc', [256], [-1], [1.5], ['1'], '%%'])
      expect(() => bytesOf(value), String(value)).toThrow()
    const text = (value: string) => new TextEncoder().encode(value)
    for (const value of ['ab01\n', '0xAB01', 'ab:01', '"ab01"', '\ufeffab01', 'ab01\0'])
      expect([value, decoded(text(value))]).toEqual([value, same])
    const key = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'
    expect(decoded(text(`${key}-----BEGIN X-----\nqwE=\n-----END X-----\n`))).toEqual(same)
    // Bytes that hold PEM among others are no PEM text.
    const quoteLike = new Uint8Array([3, 0, ...text('-----BEGIN X-----\nqwE=\n-----END X-----\n')])
    expect(decoded(quoteLike)).toBe(quoteLike)
  })

  it('reads what it finds in files.json, and names what it does not read', async () => {
    const text = (value: string) => new TextEncoder().encode(value)
    const entry = { certificate: '00', evidence: '11e0', nonce: '00' }
    const report = text(`11e0${'00'.repeat(200)}`)
    const one = async (path: string, content: unknown) => {
      const { agree, differ, lines } = (await runOn({
        [path]: content,
        'files.json': [{ kind: 'file', path, what: 'something new' }],
      })) as { agree: number; differ: number; lines: string[] }
      return [agree, differ, lines.filter((line) => /[1-9] (?:agree|differ)$|[1-9] agree/.test(line)).join()]
    }
    expect(await one('o/any-name.json', [entry, entry])).toEqual([
      0,
      2,
      'NVIDIA SPDM report: 0 agree, 2 differ',
    ])
    expect(await one('o/report.txt', report)).toEqual([0, 1, 'NVIDIA SPDM report: 0 agree, 1 differ'])
    const cose = Uint8Array.of(0x84, 0x44, 0xa1, 0x01, 0x38, 0x22)
    expect(await one('o/document.cose', cose)).toEqual([0, 1, 'AWS Nitro document: 0 agree, 1 differ'])
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url')
    const bundle = [['JWT', `${unsigned}.e30.AA`], { 'GPU-0': `${unsigned}.e30.AA` }]
    expect(await one('o/token.json', { detached_eat: bundle })).toEqual([
      1,
      0,
      'NVIDIA token: 1 agree, 0 differ',
    ])
    const bad = 'SEV-SNP report that must be refused: 1 agree, 0 differ'
    expect(await one('o/guest_report_corrupt.bin', new Uint8Array(793))).toEqual([1, 0, bad])
    // A report that can be read, and no chip's key at hand to tell that its signature is wrong: nothing was refused.
    const readable = new Uint8Array(1184)
    readable[0] = 2
    expect((await one('o/guest_report_bad_sig.bin', readable)).slice(0, 2)).toEqual([0, 1])
    expect(await one('o/new.evidence', text('{}'))).toEqual([0, 1, 'not read: 0 agree, 1 differ'])
    expect(await one('o/sys-config.json', {})).toEqual([0, 0, ''])
    const { lines, differ } = (await runOn({ 'files.json': [{ kind: 'file', path: 'o/gone.bin' }] })) as {
      lines: string[]
      differ: number
    }
    expect([differ, lines.some((line) => line.includes('o/gone.bin is not there'))]).toEqual([1, true])
  })

  it('lists every kind when there is no file at all', async () => {
    const { lines } = await runOn({})
    expect(lines).toEqual(
      expect.arrayContaining(['DCAP: 0 agree, 0 differ', 'certificate: 0 agree, 0 differ']),
    )
    for (const kind of [
      'SEV-SNP',
      'launch digest',
      'dstack event log',
      'Azure',
      'firmware event log',
      'document tcbInfo',
    ])
      expect(lines.filter((line) => line.startsWith(kind))).not.toEqual([])
  })
})
