import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { propertySeed } from './property-seed.js'

const conditions = ['@sealpool/source']
const noBrowser = ['**/*.browser.test.ts', '**/node_modules/**', '**/dist/**']
/** What the two projects that run in Node have in common. */
const inNode = {
  plugins: [propertySeed(process.env)],
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
}
const patient = { testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2 }
/**
 * Packages whose tests keep nothing that another file's tests could meet: their files share processes and loaded modules, which
 * saves a quarter of the work. A file that replaces modules is named `*.alone.test.ts`, and gets its own process.
 */
const cores = 'packages/{attest,compute,crypto,poc,privacy,query,refine}/src/**'
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
        ...inNode,
        test: {
          ...patient,
          name: 'node',
          include: [
            'packages/!({attest,compute,crypto,poc,privacy,query,refine})/src/**/*.test.ts',
            `${cores}/*.alone.test.ts`,
            'examples/*/src/**/*.test.ts',
            'architecture/**/*.test.ts',
            'chaos/**/*.test.ts',
            'docs/**/*.test.ts',
          ],
          exclude: noBrowser,
          // After the cores: mixed with files that get a process each, theirs would not keep their processes.
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...inNode,
        test: {
          ...patient,
          name: 'cores',
          include: [`${cores}/*.test.ts`],
          exclude: [...noBrowser, '**/*.alone.test.ts'],
          isolate: false,
        },
      },
      {
        resolve: { conditions },
        test: {
          name: 'browser',
          include: ['packages/*/src/**/*.browser.test.ts'],
          exclude: noBrowser.slice(1),
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
