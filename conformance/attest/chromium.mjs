// Runs the same cases in Chromium, where every signature is verified by the portable code.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { build } from 'esbuild'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** Every file below a folder that the cases may read, by path. */
function collect(data) {
  const files = {}
  const walk = (folder) => {
    for (const name of readdirSync(join(data, folder))) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (statSync(join(data, path)).isDirectory()) walk(path)
      else if (!path.endsWith('.gz')) files[path] = readFileSync(join(data, path)).toString('base64')
      else files[path.slice(0, -3)] = gunzipSync(readFileSync(join(data, path))).toString('base64')
    }
  }
  walk('')
  return files
}

async function bundle() {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const source = `
    import * as attest from '@sealpool/attest'
    import * as measurement from '@sealpool/attest/measurement'
    import * as platforms from '@sealpool/attest/platform-evidence'
    import { encodeHex, sha256Digest } from '@sealpool/crypto'
    import { runCases } from './cases.mjs'
    import { fileSource } from './files.mjs'
    const library = { ...attest, ...measurement, ...platforms, encodeHex, sha256Digest }
    globalThis.runAttestCases = (encoded, every) => {
      const lines = []
      const read = (path) => {
        if (!Object.hasOwn(encoded, path)) return undefined
        return Uint8Array.from(atob(encoded[path]), (letter) => letter.charCodeAt(0))
      }
      const list = (folder) =>
        Object.keys(encoded)
          .filter((path) => path.startsWith(folder + '/') && !path.slice(folder.length + 1).includes('/'))
          .map((path) => path.slice(folder.length + 1))
          .sort()
      const print = (line) => lines.push(line)
      const started = performance.now()
      const sums = runCases({ files: fileSource(read, list), library, print, every })
      return { ...sums, lines, seconds: (performance.now() - started) / 1000 }
    }`
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: here, loader: 'js' },
    bundle: true,
    format: 'iife',
    platform: 'browser',
    write: false,
    logLevel: 'error',
  })
  return outputFiles[0].text
}

/** @returns {Promise<{ agree: number, differ: number } | undefined>} undefined, said aloud, when there is no Chromium */
export async function runInChromium({ data, print, every }) {
  if (!existsSync(executablePath)) {
    print(`Chromium: skipped, ${executablePath} is not there (CHROMIUM_PATH)`)
    return undefined
  }
  const { chromium } = await import('playwright')
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  })
  try {
    const page = await browser.newPage()
    page.setDefaultTimeout(0)
    await page.addScriptTag({ content: await bundle() })
    const result = await page.evaluate(
      ([encoded, step]) => globalThis.runAttestCases(encoded, step),
      [collect(data), every],
    )
    for (const line of result.lines) print(`Chromium: ${line}`)
    print(`Chromium: ${result.seconds.toFixed(1)} s`)
    return result
  } finally {
    await browser.close()
  }
}
