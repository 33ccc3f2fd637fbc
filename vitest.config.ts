import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { propertySeed } from './property-seed.js'
import { startSlowestFirst } from './slowest-first.js'

const conditions = ['@sealpool/source']
const chromium = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

// CI counts from these files: one per run, named by the caller.
const resultsFile = process.env.SEALPOOL_TEST_RESULTS

export default defineConfig({
  test: {
    ...(resultsFile === undefined
      ? {}
      : { reporters: ['default', 'json'], outputFile: { json: resultsFile } }),
    projects: [
      {
        plugins: [propertySeed(process.env), startSlowestFirst()],
        resolve: { conditions },
        ssr: { resolve: { conditions, externalConditions: conditions } },
        test: {
          name: 'node',
          include: [
            'packages/*/src/**/*.test.ts',
            'examples/*/src/**/*.test.ts',
            'architecture/**/*.test.ts',
            'chaos/**/*.test.ts',
            'docs/**/*.test.ts',
          ],
          exclude: ['**/*.browser.test.ts', '**/node_modules/**', '**/dist/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        resolve: { conditions },
        test: {
          name: 'browser',
          include: ['packages/*/src/**/*.browser.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: chromium,
                args: [
                  '--no-sandbox',
                  '--disable-dev-shm-usage',
                  '--disable-gpu',
                  '--disable-quic',
                  '--no-first-run',
                  '--disable-background-networking',
                  '--disable-component-update',
                  '--disable-sync',
                ],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
})
