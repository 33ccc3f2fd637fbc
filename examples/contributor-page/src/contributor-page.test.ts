import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

/*
 * The page as people start it: a process with chain, simulated node and server, and a real browser in front of it. The tests go
 * on one after another, as one contributor does.
 */

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const built = existsSync(
  fileURLToPath(new URL('../../../packages/enclave-node/dist/index.js', import.meta.url)),
)
const skip = process.env['CI'] !== 'true' && !(existsSync(executablePath) && built)
if (skip) console.log('skipped: the contributor page needs Chromium and built packages (`npm run build`)')

describe.skipIf(skip)('the contributor page in Chromium', () => {
  let child: ChildProcess
  let url: string
  let browser: Browser
  let page: Page
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-page-'))
  const complaints: string[] = []
  const foreign: string[] = []

  beforeAll(async () => {
    const main = fileURLToPath(new URL('./main.ts', import.meta.url))
    const tsx = fileURLToPath(new URL('../../../node_modules/tsx/dist/esm/index.mjs', import.meta.url))
    child = spawn(process.execPath, ['--import', tsx, main, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const { stdout } = child
    if (stdout === null) throw new Error('the child has no output')
    url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: stdout }).once('line', (line) => resolve(line.split(' ')[0] ?? ''))
      child.once('exit', (code) => reject(new Error(`the page’s server ended with ${code}`)))
    })
    const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking']
    browser = await chromium.launch({ executablePath, args })
    page = await browser.newPage({ viewport: { width: 390, height: 844 } })
    page.setDefaultTimeout(30_000)
    page.on('console', (message) => {
      // A node that has not seen a contribution yet says so, and the browser logs that as an error.
      const early = /\/v1\/contributions\/\d+$/.test(message.location().url)
      if (message.type() === 'error' && !early) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      const to = request.url()
      if (!to.startsWith(`${url}/`) && !to.startsWith('data:')) foreign.push(to)
    })
  }, 120_000)

  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await browser?.close()
    if (child?.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    }
  }, 30_000)

  beforeEach(() => {
    complaints.length = 0
  })
  afterEach(async () => {
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    expect(foreign).toEqual([])
  })

  const button = (name: string | RegExp) => page.getByRole('button', { name })
  const open = async () => {
    await page.goto(`${url}/`)
    await page.getByText('checks passed').waitFor()
  }
  const fillIn = async (payslip: object, name = 'payslip.json') => {
    await button('Connect a wallet').click()
    await page.getByText(/^0x[0-9a-fA-F]{40}$/).waitFor()
    // A file on disk, which has the same date when it is chosen again.
    const text = JSON.stringify(payslip)
    const path = join(folder, name)
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text)
    await page.getByLabel('Your payslip').setInputFiles(path)
    await page.getByText(`${name}, ${text.length} bytes`).waitFor()
    await page.getByLabel('I agree').check()
  }
  const contribute = () => page.getByRole('button', { name: 'Contribute', exact: true })
  const mine = () => page.locator('#mine li')

  test('verifies before anything else, says SIMULATED, and shows six answers in words', async () => {
    const calls: string[] = []
    page.on('request', (request) => calls.push(`${request.method()} ${new URL(request.url()).pathname}`))
    await open()
    expect(await page.getByText('SIMULATED.', { exact: true }).isVisible()).toBe(true)
    expect(await page.locator('#checks li').count()).toBe(6)
    expect(await page.locator('#checks [aria-label="passed"]').count()).toBe(5)
    expect(await page.locator('#checks [aria-label="simulated"]').count()).toBe(1)
    expect(await page.locator('#checks li').first().textContent()).toContain('A SIMULATOR vouches')
    expect(await contribute().isDisabled()).toBe(true)
    expect(await page.getByText('Still needed: a wallet, a file, your agreement.').isVisible()).toBe(true)
    // Nothing of anybody could have gone anywhere.
    expect(calls.filter((call) => call.startsWith('PUT'))).toEqual([])
    expect(complaints).toEqual([])
  })

  test('every control has a name, and texts stand out from their ground, by day and by night', async () => {
    const unnamed = await page.locator('button, input, summary, output').evaluateAll((controls) =>
      controls
        .filter((control) => {
          const labels = 'labels' in control ? [...((control as HTMLInputElement).labels ?? [])] : []
          const words = [
            control.getAttribute('aria-labelledby'),
            control.textContent,
            ...labels.map((label) => label.textContent),
          ]
          return !words.some((word) => (word ?? '').trim() !== '')
        })
        .map((control) => control.id),
    )
    expect(unnamed).toEqual([])
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect(await page.evaluate(faintTexts)).toEqual([])
    }
    await page.emulateMedia({ colorScheme: 'light' })
    for (const width of [320, 390, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0)
    }
    await page.setViewportSize({ width: 390, height: 844 })
  })

  test('tells what is wrong with a file before the wallet is asked, and sends nothing', async () => {
    const puts: string[] = []
    await page.route('**/blobs/**', (route) => {
      puts.push(route.request().method())
      return route.continue()
    })
    await fillIn({ salary: 12 })
    await contribute().click()
    await page.getByText('PREFLIGHT_FAILED').waitFor()
    expect(await page.locator('#problem').textContent()).toContain(
      'The file is a payslip as the pool reads it',
    )
    expect(puts).toEqual([])
  })

  test('contributes with the keyboard alone, and shows what became of it', async () => {
    await open()
    const press = async (name: string) => {
      // Tab until the control has the focus; a person finds it in the same way.
      for (let presses = 0; presses < 30; presses += 1) {
        const focused = await page.evaluate(() => {
          const element = document.activeElement
          return element?.id === undefined || element.id === '' ? (element?.textContent ?? '') : element.id
        })
        if (focused === name) return page.keyboard.press('Space')
        await page.keyboard.press('Tab')
      }
      throw new Error(`the keyboard does not reach ${name}`)
    }
    await press('connect')
    await page.getByText(/^0x[0-9a-fA-F]{40}$/).waitFor()
    await press('made-up')
    await press('consent')
    await press('contribute')
    await page.getByText('Contribution 1 stands on chain.').waitFor()
    expect(await page.locator('#steps [aria-label="done"]').count()).toBe(6)
    await page.getByText('Contribution 1: accepted, score 100 %, jobs can use it').waitFor()
    expect(complaints).toEqual([])
    const shot = process.env['SEALPOOL_SCREENSHOT']
    if (shot !== undefined) await page.screenshot({ path: shot, fullPage: true })
  })

  test('goes on after a reload where it stood, and counts once', async () => {
    await open()
    // The page is closed while the wallet's transaction is on its way.
    await page.route('**/chain', (route) =>
      (route.request().postData() ?? '').includes('eth_sendTransaction') ? undefined : route.continue(),
    )
    await fillIn({ wage: 21.25, sector: 'mine' })
    await contribute().click()
    await page.locator('#steps li.started', { hasText: 'Send the record' }).waitFor()
    await page.reload()
    // Not before: a browser lets held requests go when nobody holds them any more.
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await page.getByText('checks passed').waitFor()
    await page.getByText('You began to contribute payslip.json').waitFor()
    await fillIn({ wage: 21.25, sector: 'mine' })
    await contribute().click()
    await page.getByText('It went on where it had stopped.').waitFor()
    expect(await page.locator('#steps [aria-label="done earlier"]').count()).toBe(3)
    await page.getByText('Contribution 2: accepted').waitFor()
    expect(await mine().count()).toBe(2)
    expect(await page.locator('#unfinished').isVisible()).toBe(false)
  })

  test('withdraws', async () => {
    await button('Withdraw contribution 1').click()
    await page.getByText('Contribution 1 is withdrawn').waitFor()
    await page.getByText('Contribution 1: withdrawn').waitFor()
    expect(await button('Withdraw contribution 1').count()).toBe(0)
    expect(await button('Withdraw contribution 2').count()).toBe(1)
  })

  test('a wallet that declines is no failure of the page', async () => {
    await open()
    await page.evaluate(() => {
      const wallet = window.ethereum
      if (wallet === undefined) throw new Error('there is no wallet')
      const { request } = wallet
      wallet.request = ((call: { method: string }) =>
        call.method === 'eth_sendTransaction'
          ? Promise.reject(Object.assign(new Error('User rejected the request.'), { code: 4001 }))
          : request(call as never)) as never
    })
    await button('Connect a wallet').click()
    await button('Withdraw contribution 2').click()
    await page.getByText('You declined in your wallet.').waitFor()
    expect(await button('Withdraw contribution 2').isVisible()).toBe(true)
  })

  test('a node whose evidence was changed is not fit: nothing can be sent', async () => {
    const puts: string[] = []
    page.on('request', (request) => request.method() === 'PUT' && puts.push(request.url()))
    await page.route('**/node/v1/evidence**', async (route) => {
      const answer = await route.fetch()
      const evidence = (await answer.json()) as { keySet: { config: string } }
      const config = `sha256:${'00'.repeat(32)}`
      await route.fulfill({ json: { ...evidence, keySet: { ...evidence.keySet, config } } })
    })
    await page.goto(`${url}/`)
    await page.getByText('NOT FIT. Nothing can be sent').waitFor()
    await fillIn({ wage: 9, sector: 'mill' })
    expect(await contribute().isDisabled()).toBe(true)
    await page.getByText('Still needed: a node that is fit.').waitFor()
    expect(puts).toEqual([])
  })

  test('a node that does not answer is not fit either, and can be asked again', async () => {
    await page.route('**/node/**', (route) => route.abort())
    await page.goto(`${url}/`)
    await page.getByText('NODE_UNREACHABLE').waitFor()
    expect(await contribute().isDisabled()).toBe(true)
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await button('Verify again').click()
    await page.getByText('checks passed').waitFor()
  })
})

/** Texts of the page whose contrast is below 4.5 to 1 (WCAG 2.2, AA). Runs in the page. */
function faintTexts(): string[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  if (canvas === null) throw new Error('there is no canvas')
  const rgb = (color: string): number[] => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const luminance = (color: number[]): number => {
    const [red = 0, green = 0, blue = 0] = color.slice(0, 3).map((value) => {
      const share = value / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const groundOf = (element: Element): number[] => {
    for (let one: Element | null = element; one !== null; one = one.parentElement) {
      const ground = rgb(getComputedStyle(one).backgroundColor)
      if (ground[3] === 255) return ground
    }
    return [255, 255, 255, 255]
  }
  const faint: string[] = []
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(
      (node) => node.nodeType === 3 && (node.textContent ?? '').trim() !== '',
    )
    if (!own || (element as HTMLElement).offsetParent === null) continue
    const [one, other] = [luminance(rgb(getComputedStyle(element).color)), luminance(groundOf(element))]
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
    if (contrast < 4.5) faint.push(`${contrast.toFixed(1)} ${element.textContent?.trim().slice(0, 40)}`)
  }
  return faint
}
