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

const inFolders = (ending: string): string[] => [
  `packages/*/src/**/*.${ending}`,
  `examples/*/src/**/*.${ending}`,
  `architecture/**/*.${ending}`,
  `chaos/**/*.${ending}`,
  `docs/**/*.${ending}`,
]

/**
 * Test files with a worker of their own. One that puts something else in the place of a module would reach into the others, or find it
 * loaded: it is named so. Whole nodes and their databases stay in memory as long as the worker, gigabytes in the end.
 */
const ownWorker = [
  ...inFolders('isolated.test.ts'),
  'packages/enclave-node/src/{backup,cli,drill,migration,runtime,state,testing}/**/*.test.ts',
]

function nodeProject(options: {
  name: string
  include: readonly string[]
  exclude: readonly string[]
  isolate: boolean
}) {
  const { name, include, exclude, isolate } = options
  return {
    plugins: [propertySeed(process.env), emptyDatabase(), startSlowestFirst()],
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: conditions } },
    test: {
      name,
      include: [...include],
      exclude: [...exclude, '**/*.browser.test.ts', '**/node_modules/**', '**/dist/**'],
      isolate,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      maxWorkers: 2,
      server: { deps: { external: [builtFiles] } },
    },
  }
}

export default defineConfig({
  test: {
    ...(resultsFile === undefined
      ? {}
      : { reporters: ['default', 'json'], outputFile: { json: resultsFile } }),
    projects: [
      // A worker of these takes one file after the other, and loads what they import once.
      nodeProject({ name: 'node', include: inFolders('test.ts'), exclude: ownWorker, isolate: false }),
      nodeProject({ name: 'node-isolated', include: ownWorker, exclude: [], isolate: true }),
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
