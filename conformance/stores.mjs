// Blob stores: `npm run conformance -- stores`. Runs the one suite that every adapter of the port `BlobStore` must pass, on every
// adapter (memory, files, HTTP with and without ranges, S3 against s3rver behind a gate that checks signatures, IPFS against a fake
// of Kubo's RPC), and what each adapter promises beyond it, against faulty servers and another implementation's CIDs. A case is one
// test.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTally } from './reader/tally.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * @param {object} options
 * @param {(line: string) => void} options.print
 * @returns {Promise<{ agree: number, differ: number }>}
 */
export async function run({ print }) {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-conformance-'))
  try {
    const results = join(folder, 'results.json')
    const { SEALPOOL_TEST_RESULTS: _unused, ...environment } = process.env
    spawnSync(
      process.execPath,
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--project',
        'node',
        'packages/client/src/store',
        '--reporter=json',
        `--outputFile=${results}`,
      ],
      { cwd: root, env: environment, stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 },
    )
    const { testResults } = JSON.parse(readFileSync(results, 'utf8'))
    const { count, finish } = createTally(print)
    for (const { assertionResults, name, message } of testResults) {
      if (assertionResults.length === 0) count('files', false, `${name}: ${message}`)
      for (const { ancestorTitles, title, status, failureMessages } of assertionResults) {
        // A test that an adapter has no use for is no case.
        if (status === 'skipped' || status === 'pending') continue
        count(ancestorTitles[0] ?? title, status === 'passed', `${title}: ${failureMessages[0] ?? status}`)
      }
    }
    return finish()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
