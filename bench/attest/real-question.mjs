// A real TDX quote with real collateral, from the data that the conformance run uses.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as attest from '@sealpool/attest'
import { encodeHex } from '@sealpool/crypto'
import { collateralReader, intelCertificates } from '../../conformance/attest/dcap.mjs'
import { snpMaterial } from '../../conformance/attest/snp.mjs'
import { diskFiles } from '../../conformance/attest.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const named = process.env.SEALPOOL_DATA
const candidates = [
  ...(named === undefined ? [] : [resolve(named), resolve(named, 'attest')]),
  resolve(root, '../shared/data/attest'),
]
const data = candidates.find((folder) => existsSync(resolve(folder, 'cases-dcap.json')))
const library = { ...attest, encodeHex, hex: (bytes) => encodeHex(bytes).slice(2) }

/** @returns {{ quote: Uint8Array, collateral: object, at: Date, name: string } | undefined} undefined without the data */
export function realTdxQuestion() {
  if (data === undefined) return undefined
  const files = diskFiles(data)
  const collateralOf = collateralReader({
    files,
    library,
    certificates: intelCertificates({ files, library }),
  })
  // A case that the peers judge like Intel: platform, enclave and module up to date, no padding, no special attributes.
  const entry = files
    .json('cases-dcap.json')
    .find(
      ({ expect, note, quote }) => expect === 'UpToDate' && note === '' && /gce|gcp|tdx_v4_quote/.test(quote),
    )
  if (entry === undefined) return undefined
  return {
    name: entry.quote,
    quote: files.bytes(entry.quote),
    collateral: collateralOf(entry).value,
    at: new Date(entry.at),
  }
}

/** A real SEV-SNP report with its certificates, and a list when there is one that is current at that moment. */
export function realSnpQuestion() {
  if (data === undefined) return undefined
  const files = diskFiles(data)
  const entries = files.json('index.json').filter(({ kind, vek }) => kind === 'snp-report' && vek?.sigOk)
  const found = entries
    .map((entry) => ({ entry, ...snpMaterial(entry, { files, library }) }))
    .find(({ crl }) => crl)
  if (found === undefined) return undefined
  const { entry, certificates, crl, at } = found
  return { name: entry.path, report: files.bytes(entry.path), certificates, crl, at }
}
