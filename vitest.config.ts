import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { emptyDatabase } from './empty-database.js'
import { propertySeed } from './property-seed.js'
import { startSlowestFirst } from './slowest-first.js'

/**
 * With `SEALPOOL_TEST_BUILT=1`, as `npm test` sets it after it has built them, a test file gets the other packages as Node gives them to
 * who installed them: some files each, and not a hundred, which every test file would load anew. The package that the file stands in is
 * its sources; without the setting all are, so that one test file needs no build.
 */
const built = process.env.SEALPOOL_TEST_BUILT === '1'
const source = ['@sealpool/source']
const conditions = built ? [] : source
/** Node itself loads what a package's build wrote. */
const builtFiles = /\/packages\/[^/]+\/dist\//
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
        plugins: [propertySeed(process.env), emptyDatabase(), startSlowestFirst()],
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
          server: { deps: { external: [builtFiles] } },
        },
      },
      {
        resolve: { conditions: source },
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
