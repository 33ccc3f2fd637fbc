import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { encodeHex } from '@sealpool/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import * as attest from '../index.js'
import { nativeSignatures } from '../platform.js'
import { attestData } from '../testing/attest-data.js'
import { remembersByContent } from '../testing/remembers-by-content.js'
import { verifySnpReport } from '../with-platform.js'
import type { Collateral } from './collateral.js'
import { parseQuote } from './quote.js'
import { verifyQuote } from './verify.js'

const native = nativeSignatures()
if (native === undefined) throw new Error('these tests need node:crypto')
const verifySignature = remembersByContent(native)
const root = fileURLToPath(new URL('../../../../', import.meta.url))

interface Entry {
  readonly quote: string
  readonly at: string
  readonly expect: string
  readonly note: string
}
interface Files {
  bytes(path: string): Uint8Array
  json(path: string): Entry[]
}
interface SnpEntry {
  readonly kind: string
  readonly path: string
  readonly vek: { readonly sigOk: boolean } | null
}
interface Material {
  readonly certificates: readonly Uint8Array[]
  readonly crl: Uint8Array | undefined
  readonly at: Date
}

async function load() {
  const link = (path: string) => pathToFileURL(resolve(root, path)).href
  const { diskFiles } = (await import(link('conformance/attest.mjs'))) as { diskFiles(data: string): Files }
  const { collateralReader, intelCertificates } = (await import(link('conformance/attest/dcap.mjs'))) as {
    collateralReader(context: object): (entry: Entry) => { readonly value: Collateral }
    intelCertificates(context: object): object[]
  }
  const { snpMaterial } = (await import(link('conformance/attest/snp.mjs'))) as {
    snpMaterial(entry: SnpEntry, context: object): Material
  }
  const library = { ...attest, encodeHex, hex: (bytes: Uint8Array) => encodeHex(bytes).slice(2) }
  const files = diskFiles(attestData ?? '')
  const context = { files, library, certificates: intelCertificates({ files, library }) }
  return {
    files,
    collateralOf: collateralReader(context),
    snpMaterial: (entry: SnpEntry) => snpMaterial(entry, context),
  }
}

/** Flips one bit, overwrites, cuts out, inserts, swaps ranges: always the same for the same numbers. */
function mutate(bytes: Uint8Array, kind: number, place: number, value: number): Uint8Array {
  const at = place % bytes.length
  const copy = bytes.slice()
  const length = 1 + (value % 64)
  if (kind === 0) copy[at] = (copy[at] ?? 0) ^ (1 << (value % 8))
  else if (kind === 1) copy.fill(value & 0xff, at, at + length)
  else if (kind === 2) return Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + length)])
  else if (kind === 3)
    return Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at, at + length), ...bytes.slice(at)])
  else if (kind === 4) copy.copyWithin(at, value % bytes.length, (value % bytes.length) + length)
  // A length field: the mutation that parsers fear most.
  else new DataView(copy.buffer).setUint32(Math.min(at, copy.length - 4), value, true)
  return copy
}

const mutation = fc.tuple(fc.nat({ max: 5 }), fc.nat(), fc.nat())
const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((octet, i) => octet === b[i])

describe.skipIf(attestData === undefined)('mutations of every real file', () => {
  it('of quotes are never ok outside padding and PEM line ends, and never crash', async () => {
    const { files, collateralOf } = await load()
    const cases = files.json('cases-dcap.json').filter(({ note }) => note === '')
    const first = [...new Map(cases.map((entry) => [entry.quote, entry])).values()]
    expect(first.length).toBeGreaterThan(40)
    for (const entry of first) {
      const bytes = files.bytes(entry.quote)
      const collateral = attest.prepareCollateral(collateralOf(entry).value)
      const ask = (quote: Uint8Array) =>
        verifyQuote(quote, { collateral, at: new Date(entry.at), verifySignature })
      const whole = parseQuote(bytes)
      const end = bytes.length - whole.trailing.length
      fc.assert(
        fc.property(mutation, ([kind, place, value]) => {
          const changed = mutate(bytes, kind, place, value)
          if (same(changed, bytes)) return
          try {
            const verdict = ask(changed)
            if (!verdict.ok) return
            const meaning = (quote: Uint8Array, cut: number) =>
              new TextDecoder('latin1').decode(quote.subarray(0, cut)).replace(/[\r\n\0]+/g, '')
            // Line ends of the PEM text inside, and zero padding behind: the areas that nobody signs.
            expect(meaning(changed, changed.length)).toBe(meaning(bytes, end))
          } catch (error) {
            if (!(error instanceof AttestError)) throw error
            expect(error.code).toBe('BAD_QUOTE')
          }
        }),
        { numRuns: 30, seed: first.indexOf(entry) },
      )
    }
  })

  it('of SEV-SNP reports, certificates and lists are never ok, and never crash', async () => {
    const { files, snpMaterial } = await load()
    const entries = (files.json('index.json') as unknown as SnpEntry[]).filter(
      ({ kind, vek }) => kind === 'snp-report' && vek?.sigOk === true,
    )
    expect(entries.length).toBeGreaterThan(10)
    for (const entry of entries) {
      const report = files.bytes(entry.path)
      const { certificates, crl, at } = snpMaterial(entry)
      const parts = [report, ...certificates, ...(crl === undefined ? [] : [crl])]
      fc.assert(
        fc.property(fc.nat({ max: parts.length - 1 }), mutation, (which, [kind, place, value]) => {
          const changed = [...parts]
          const part = parts[which] ?? report
          changed[which] = mutate(part, kind, place, value)
          if (same(changed[which] ?? part, part)) return
          // Zero padding behind a report is nobody's.
          const longer = changed[0] ?? report
          if (
            which === 0 &&
            same(longer.slice(0, part.length), part) &&
            longer.slice(part.length).every((o) => o === 0)
          )
            return
          const [bytes = report, ...rest] = changed
          const given = { certificates: rest.slice(0, 3), ...(rest[3] === undefined ? {} : { crl: rest[3] }) }
          try {
            const verdict = verifySnpReport(bytes, { ...given, at, verifySignature })
            const broken = verdict.checks.some(({ result }) => result !== 'pass')
            expect([verdict.ok, broken]).toEqual([false, true])
            // Without a list there was one open question before; a mutation must open another.
            const open = verdict.checks.filter(({ result }) => result !== 'pass').map(({ id }) => id)
            if (crl === undefined) expect(open.join()).not.toBe('crl,crl-dates,not-revoked')
          } catch (error) {
            if (!(error instanceof AttestError)) throw error
            expect(error.code).toBe('BAD_REPORT')
          }
        }),
        { numRuns: 60, seed: entries.indexOf(entry) },
      )
    }
  })

  it('of collateral documents and lists never verify, and never crash', async () => {
    const { files, collateralOf } = await load()
    const cases = files
      .json('cases-dcap.json')
      .filter(({ note, expect: status }) => note === '' && status === 'UpToDate')
    for (const entry of cases.filter((_, i) => i % 40 === 0)) {
      const collateral = collateralOf(entry).value
      const quote = files.bytes(entry.quote)
      const names = Object.keys(collateral) as (keyof Collateral)[]
      fc.assert(
        fc.property(fc.constantFrom(...names), mutation, (name, [kind, place, value]) => {
          const text = collateral[name]
          const changed = new TextDecoder('latin1').decode(
            mutate(new TextEncoder().encode(text), kind, place, value),
          )
          if (changed === text) return
          const given = { ...collateral, [name]: changed }
          const verdict = verifyQuote(quote, {
            collateral: given,
            at: new Date(entry.at),
            verifySignature,
            trailingBytes: 'any',
          })
          if (!verdict.ok) return
          // Issuer chains are PEM: their line ends are nobody's.
          expect([name, changed.replace(/[\r\n]+/g, '')]).toEqual([name, text.replace(/[\r\n]+/g, '')])
        }),
        { numRuns: 120, seed: 7 },
      )
    }
  })
})
