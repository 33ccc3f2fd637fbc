// Every kind of case against one library; the same file runs in Node and in Chromium.
import { dcapCases } from './dcap.mjs'
import { documentCases } from './documents.mjs'
import { dstackContainerCases } from './dstack-containers.mjs'
import { firmwareLogCases } from './firmware-logs.mjs'
import { looseFiles, nitroCases } from './loose-files.mjs'
import { nvidiaCases } from './nvidia.mjs'
import { azureCases, dstackCases, dstackMeasurementCases } from './platforms.mjs'
import { launchDigestCases, snpReportCases } from './snp.mjs'
import { createTally } from './tally.mjs'

/**
 * @param {object} options
 * @param {ReturnType<import('./files.mjs').fileSource>} options.files
 * @param {object} options.library every function of the package and of its subpaths, and `encodeHex`, `sha256Digest` of crypto
 * @param {(line: string) => void} options.print
 * @param {number} [options.every] takes every n-th DCAP case only
 */
export function runCases({ files, library, print, every = 1 }) {
  const tally = createTally(print)
  const hex = (bytes) => library.encodeHex(bytes).slice(2)
  const sha256Bytes = (bytes) =>
    Uint8Array.from(library.sha256Digest(bytes).slice(7).match(/../g), (pair) => Number.parseInt(pair, 16))
  const context = { files, library: { ...library, hex, sha256Bytes }, tally, print, every }
  const groups = {
    dcapCases,
    snpReportCases,
    launchDigestCases,
    dstackCases,
    dstackMeasurementCases,
    dstackContainerCases,
    azureCases,
    documentCases,
    firmwareLogCases,
    nvidiaCases,
    nitroCases,
    unreadCases,
    looseFiles,
  }
  // What a group cannot even begin with (an index that is no JSON) must not keep the others from being counted.
  for (const [name, group] of Object.entries(groups)) tally.attempt(name, 'whole group', () => group(context))
  return tally.finish()
}

/** Kinds that the index may have, each with a reader above. */
const indexKinds = [
  'quote',
  'cert',
  'crl',
  'tcbInfo',
  'enclaveIdentity',
  'tcbEvaluationDataNumbers',
  'snp-report',
]

/** A kind that nobody reads is named, and is no agreement: a run that leaves evidence out must not look whole. */
function unreadCases({ files, tally }) {
  for (const { kind, path } of files.json('index.json')) {
    if (!indexKinds.includes(kind)) tally.count(`not read: ${kind}`, false, path)
  }
  for (const { kind, path } of files.json('files.json')) {
    if (kind !== undefined && kind !== 'file' && kind !== 'dstack-vector')
      tally.count(`not read: ${kind}`, false, path)
  }
}
