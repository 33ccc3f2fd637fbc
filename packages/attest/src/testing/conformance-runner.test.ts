import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as crypto from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import * as attest from '../index.js'
import * as measurement from '../measurement/index.js'
import * as platforms from '../platform-evidence/index.js'
import { evidence, quote } from './fixture.js'

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
        'cases-dcap.json': [{ ...dcap, ...change }],
      })
      return lines.filter((line) => line.startsWith('DCAP')).join()
    }
    // The simulator's root is no vendor's: what the facts of such a quote say is that its root is another than Intel's.
    expect(await one({ chainRoot: 'Simulator' })).toBe('DCAP TDX v4: 1 agree, 0 differ')
    expect(await one({})).toBe('DCAP TDX v4: 0 agree, 1 differ')
    expect(await one({ chainRoot: 'Simulator', quoteSig: false })).toBe('DCAP TDX v4: 0 agree, 1 differ')
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
