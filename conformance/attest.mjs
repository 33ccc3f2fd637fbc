// Real evidence against the built @sealpool/attest: `npm run conformance -- attest [--data DIR]`, in Node and, where it is
// there, in Chromium. The folder's layout is explained in shared/data/README.md.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { runCases } from './attest/cases.mjs'
import { runInChromium } from './attest/chromium.mjs'
import { fileSource } from './attest/files.mjs'

/** The folder's files from the disk; a file that is packed (.gz) is read by its name without the ending. */
export function diskFiles(data) {
  const read = (path) => {
    const place = join(data, path)
    if (existsSync(place)) return new Uint8Array(readFileSync(place))
    return existsSync(`${place}.gz`) ? new Uint8Array(gunzipSync(readFileSync(`${place}.gz`))) : undefined
  }
  const list = (folder) => {
    const place = join(data, folder)
    return existsSync(place) ? readdirSync(place).sort() : []
  }
  return fileSource(read, list)
}

/**
 * @param {object} options
 * @param {string} options.data folder with cases-dcap.json, index.json and the files they name
 * @param {(line: string) => void} options.print
 * @param {object} [options.library] functions of the package, its subpaths and crypto; the built ones by default
 * @param {number} [options.every] takes every n-th DCAP case only
 * @param {boolean} [options.chromium] whether to repeat all of it in Chromium; true by default
 * @returns {Promise<{ agree: number, differ: number }>}
 */
export async function run({ data, print, library, every = 1, chromium = true }) {
  const functions = library ?? {
    ...(await import('@sealpool/attest')),
    ...(await import('@sealpool/attest/measurement')),
    ...(await import('@sealpool/attest/platform-evidence')),
    encodeHex: (await import('@sealpool/crypto')).encodeHex,
    sha256Digest: (await import('@sealpool/crypto')).sha256Digest,
  }
  const node = runCases({ files: diskFiles(data), library: functions, print, every })
  if (!chromium) return node
  const browser = await runInChromium({ data, print, every })
  return browser === undefined
    ? node
    : { agree: node.agree + browser.agree, differ: node.differ + browser.differ }
}
