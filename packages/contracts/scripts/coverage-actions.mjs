#!/usr/bin/env node
// Line and branch coverage of the TypeScript sources by this package's tests, which run against anvil: what is missed, by line;
// exits 1 when either is below the floor.
//   node scripts/coverage-actions.mjs [--floor 95]          runs the tests and judges
//   node scripts/coverage-actions.mjs --collect FOLDER      runs the tests, shows them, and leaves what they reached in FOLDER
//   node scripts/coverage-actions.mjs --from FOLDER [--floor 95]   judges what was collected
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const option = (name) => {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : process.argv[at + 1]
}
const floor = Number(option('--floor') ?? 95)

/** Runs the tests; @returns the run. What it counts goes beside the results of the other tests, where those are asked for. */
function collect(folder, stdio) {
  const results = process.env['SEALPOOL_TEST_RESULTS']
  return spawnSync(
    process.execPath,
    [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      ...[
        'run',
        '--project',
        'node',
        'packages/contracts/src',
        '--coverage.enabled',
        '--coverage.provider=v8',
      ],
      ...[
        '--coverage.include=packages/contracts/src/**/*.ts',
        '--coverage.exclude=packages/contracts/src/abi/**',
      ],
      ...[
        '--coverage.exclude=packages/contracts/src/testing/**',
        '--coverage.exclude=packages/contracts/src/**/*.test.ts',
      ],
      ...[
        '--coverage.reporter=json-summary',
        '--coverage.reporter=json',
        `--coverage.reportsDirectory=${folder}`,
      ],
    ],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio,
      env: {
        ...process.env,
        ...(results === undefined
          ? {}
          : { SEALPOOL_TEST_RESULTS: results.replace(/\.json$/, '-contracts.json') }),
      },
    },
  )
}

const collected = option('--collect')
if (collected !== undefined) process.exit(collect(collected, 'inherit').status ?? 1)

const given = option('--from')
const folder = given ?? mkdtempSync(join(tmpdir(), 'sealpool-coverage-'))
if (given === undefined) {
  const run = collect(folder, 'pipe')
  if (run.status !== 0) {
    process.stderr.write((run.stdout + run.stderr).slice(-4_000))
    process.exit(1)
  }
}
const { total, ...files } = JSON.parse(readFileSync(join(folder, 'coverage-summary.json'), 'utf8'))
const details = JSON.parse(readFileSync(join(folder, 'coverage-final.json'), 'utf8'))
if (given === undefined) rmSync(folder, { recursive: true })

/** Lines of the statements and branches of a file that no test reached. */
function missed({ statementMap, s, branchMap, b }) {
  const lines = Object.entries(statementMap).flatMap(([key, { start }]) => (s[key] === 0 ? [start.line] : []))
  const branches = Object.entries(branchMap).flatMap(([key, { locations }]) =>
    locations.flatMap(({ start }, index) => (b[key][index] === 0 ? [start.line] : [])),
  )
  const list = (numbers) => [...new Set(numbers)].sort((left, right) => left - right).join(' ')
  return `${lines.length > 0 ? ` lines ${list(lines)}` : ''}${branches.length > 0 ? ` branches ${list(branches)}` : ''}`
}

for (const [file, { lines, branches }] of Object.entries(files)) {
  const name = relative(join(root, 'packages', 'contracts'), file)
  process.stdout.write(
    `${name.padEnd(46)} ${lines.pct.toFixed(1).padStart(5)} % lines ${branches.pct.toFixed(1).padStart(5)} % branches${missed(details[file])}\n`,
  )
}
const { lines, branches } = total
process.stdout.write(
  `all of src/: ${lines.pct.toFixed(2)} % of lines, ${branches.pct.toFixed(2)} % of branches\n`,
)
if (lines.total === 0 || lines.pct < floor || branches.pct < floor) {
  process.stderr.write(`coverage is below ${floor} %\n`)
  process.exit(1)
}
