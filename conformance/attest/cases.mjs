// Every kind of case against one library; the same file runs in Node and in Chromium.
import { dcapCases } from './dcap.mjs'
import { documentCases } from './documents.mjs'
import { firmwareLogCases } from './firmware-logs.mjs'
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
    azureCases,
    documentCases,
    firmwareLogCases,
  }
  // What a group cannot even begin with (an index that is no JSON) must not keep the others from being counted.
  for (const [name, group] of Object.entries(groups)) tally.attempt(name, 'whole group', () => group(context))
  return tally.finish()
}
