// Real evidence, changed: `npm run conformance -- attest-fuzz [--data DIR]`. Every byte of every quote and report is changed once,
// blocks are swapped between files, lengths rewritten, parts cut and repeated. Nothing may crash, and nothing may be ok unless the
// change lies in an area that docs/attestation-evidence.md lists; which areas these are is measured and printed.
import { runMutations } from './attest/mutations.mjs'
import { diskFiles } from './attest.mjs'

/**
 * @param {object} options
 * @param {string} options.data folder as for `attest`
 * @param {(line: string) => void} options.print
 * @param {object} [options.library] functions of the package and its subpaths; the built ones by default
 * @param {number} [options.every] takes every n-th byte and every n-th pair of files only
 * @returns {Promise<{ agree: number, differ: number }>}
 */
export async function run({ data, print, library, every = 1 }) {
  const functions = library ?? {
    ...(await import('@sealpool/attest')),
    ...(await import('@sealpool/attest/platform-evidence')),
    ...(await import('@sealpool/attest/measurement')),
    encodeHex: (await import('@sealpool/crypto')).encodeHex,
  }
  return runMutations({ files: diskFiles(data), library: functions, print, every })
}
