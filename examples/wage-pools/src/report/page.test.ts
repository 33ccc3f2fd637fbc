import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright'
import { describe, expect, test } from 'vitest'
import { reportPage } from './page.js'
import type { ReportData } from './report-data.js'

const interval = (value: number) => ({ value, low: value - 1, high: value + 1 })
const data: ReportData = {
  workers: 534,
  contributions: 1068,
  accepted: 1064,
  refused: { WRONG_POOL: 1, 'A<script>': 1 },
  rewards: { pay: 53100, people: 53275 },
  payments: {
    protocolTokensBurned: 50,
    poolTokensBurned: { pay: 75, people: 50 },
    setAside: { pay: 120, people: 80 },
  },
  isolation: 'bubblewrap',
  wageByUnionAndSector: ['manufacturing', 'other'].flatMap((group) =>
    ['union member', 'no member'].map((series, index) => ({
      ...interval(9 + index),
      group,
      series,
      count: 60,
      truth: 9.2,
    })),
  ),
  wageByGenderAndEducation: [
    { ...interval(8), group: '12 years', series: 'female', count: 100, truth: null },
  ],
  coefficients: [{ name: 'education', unit: 'per year', private: interval(0.1), nonPrivate: interval(0.09) }],
  budgets: [{ pool: 'pay', epsilonTotal: 6, deltaTotal: 1e-6, charges: [{ job: 'a', epsilon: 2 }] }],
  timeline: [{ lane: 'chain', label: 'deploy', start: 0, end: 2 }],
  jobs: [
    {
      id: '1',
      title: 'Means',
      kind: 'query',
      pools: ['pay'],
      epsilon: '2',
      receiptFile: 'receipts/job-a',
      verified: true,
    },
  ],
  refusals: [
    {
      asked: 'select *',
      code: 'SELECT_STAR',
      message: 'no',
      receiptFile: 'receipts/refused',
      verified: false,
    },
  ],
  tamper: { flipped: 200, detected: 200 },
  stages: [{ name: 'chain', seconds: 2 }],
  commands: ['sealpool-verify receipt receipts/job-a'],
  notes: ['SIMULATED'],
}

const browser = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const missing = !existsSync(browser)
if (missing && process.env['CI'] !== 'true') {
  console.log(
    `skipped: the report in a browser needs Chromium at ${browser} (Debian: apt-get install chromium)`,
  )
}

describe('the report', () => {
  test('escapes what it shows and says that it is simulated', () => {
    const page = reportPage(data)
    expect(page).toContain('SIMULATED HARDWARE')
    expect(page).toContain('A&lt;script&gt;')
    expect(page).not.toContain('<script')
  })

  test('shows a receipt that does not verify as NOT OK', () => {
    expect(reportPage(data)).toContain('NOT OK')
  })

  test.skipIf(missing && process.env['CI'] !== 'true')(
    'opens in Chromium without errors, requests nothing, and draws its plots',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sealpool-report-'))
      // CI opens the report that the whole demo wrote; everybody else the one made of the data above.
      const written = process.env['SEALPOOL_REPORT']
      const file = written ?? join(folder, 'report.html')
      if (written === undefined) writeFileSync(file, reportPage(data))
      const running = await chromium.launch({
        executablePath: browser,
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
      })
      try {
        const page = await running.newPage({ viewport: { width: 1000, height: 1200 } })
        const complaints: string[] = []
        const requests: string[] = []
        page.on('console', (message) => complaints.push(message.text()))
        page.on('pageerror', (error) => complaints.push(error.message))
        page.on('request', (request) => requests.push(request.url()))
        await page.goto(pathToFileURL(file).href)
        const plots = await page.locator('svg').evaluateAll((elements) =>
          elements.map((element) => {
            const { width, height } = element.getBoundingClientRect()
            return width > 300 && height > 40
          }),
        )
        expect(plots).toEqual([true, true, true, true, true])
        // A page that drew nothing compresses to almost nothing.
        expect((await page.screenshot({ fullPage: true })).length).toBeGreaterThan(50_000)
        expect(complaints).toEqual([])
        await page.setViewportSize({ width: 400, height: 800 })
        // On a phone only plots and tables scroll sideways, each in its own frame; the page itself does not.
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400)
        expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([pathToFileURL(file).href])
      } finally {
        await running.close()
        rmSync(folder, { recursive: true, force: true })
      }
    },
  )
})
