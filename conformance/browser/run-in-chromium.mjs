import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const switches = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Whether there is a Chromium to run in. */
export const hasChromium = () => existsSync(executablePath)

/**
 * Bundles a module and runs one of its functions in a page of a real Chromium, served from 127.0.0.1 so that WebCrypto is
 * there.
 *
 * @param options.entry file of the module, which exports `inPage(input, print)`
 * @param options.input JSON value that the function gets
 * @param options.print takes each line that the page prints
 * @param options.switches more switches of Chromium's command line, none by default
 * @returns the JSON value that the function gives
 */
export async function runInChromium({ entry, input, print, switches: more = [] }) {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { inPage } from ${JSON.stringify(entry)}\nglobalThis.inPage = inPage`,
      resolveDir: dirname(entry),
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
    absWorkingDir: root,
  })
  const [script] = outputFiles
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script.contents : '<!doctype html><script type="module" src="/page.js"></script>')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath, args: [...switches, ...more] })
  try {
    const page = await browser.newPage()
    page.setDefaultTimeout(0)
    page.on('pageerror', (error) => print(`  page: ${error.message}`))
    await page.exposeFunction('printLine', print)
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    await page.waitForFunction(() => typeof globalThis.inPage === 'function')
    return await page.evaluate((value) => globalThis.inPage(value, globalThis.printLine), input)
  } finally {
    await browser.close()
    server.close()
  }
}
