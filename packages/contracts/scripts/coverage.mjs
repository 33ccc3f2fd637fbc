#!/usr/bin/env node
// Line and branch coverage of solidity/ by the Solidity tests; exits 1 below the floor that the project asks for. Lines inside
// inline assembly are not counted: the pipeline that coverage needs (--ir-minimum) keeps no places for them.
//   node scripts/coverage.mjs [--floor 98]
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findForge } from './forge.mjs'

const packageRoot = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)
const openZeppelin = dirname(require.resolve('@openzeppelin/contracts/package.json'))
const flag = process.argv.indexOf('--floor')
const floor = flag < 0 ? 98 : Number(process.argv[flag + 1])
const folder = mkdtempSync(join(tmpdir(), 'sealpool-coverage-'))
const report = join(folder, 'lcov.info')
const run = spawnSync(
  findForge(),
  [
    ...['coverage', '--ir-minimum', '--root', packageRoot, '--use', join(packageRoot, 'scripts', 'solc.mjs')],
    ...['--remappings', `@openzeppelin/contracts/=${openZeppelin}/`],
    ...['--report', 'lcov', '--report-file', report],
  ],
  {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { FOUNDRY_FUZZ_RUNS: '32', FOUNDRY_INVARIANT_RUNS: '8', ...process.env },
  },
)
if (run.status !== 0) {
  process.stderr.write((run.stdout + run.stderr).slice(-4_000))
  process.exit(1)
}

/** Numbers of the lines inside the assembly blocks of a source, their first and last line not counted. */
function assemblyLines(source) {
  const inside = new Set()
  let depth = 0
  for (const [index, line] of source.split('\n').entries()) {
    if (depth === 0 && !/^\s*assembly /.test(line)) continue
    if (depth > 0) inside.add(index + 1)
    depth += (line.match(/\{/g) ?? []).length - (line.match(/\}/g) ?? []).length
  }
  return inside
}

const rows = []
for (const record of readFileSync(report, 'utf8').split('end_of_record')) {
  const file = /^SF:(.*)$/m.exec(record)?.[1]?.replace(/^.*(solidity\/)/, '$1')
  if (file === undefined || !file.startsWith('solidity/')) continue
  const assembly = assemblyLines(readFileSync(join(packageRoot, file), 'utf8'))
  const lines = [...record.matchAll(/^DA:(\d+),(\d+)$/gm)]
    .map(([, line, hits]) => [line, Number(hits)])
    .filter(([line]) => !assembly.has(Number(line)))
  const branches = [...record.matchAll(/^BRDA:(\d+),\d+,\d+,(-|\d+)$/gm)].map(([, line, hits]) => [
    line,
    hits === '-' ? 0 : Number(hits),
  ])
  rows.push({ file, lines, branches })
}
rmSync(folder, { recursive: true })
const share = (list) =>
  list.length === 0 ? 100 : (100 * list.filter(([, hits]) => hits > 0).length) / list.length
const missed = (list) => [...new Set(list.filter(([, hits]) => hits === 0).map(([line]) => line))].join(' ')
for (const { file, lines, branches } of rows) {
  const [l, b] = [share(lines), share(branches)]
  const gaps = `${l < 100 ? ` lines ${missed(lines)}` : ''}${b < 100 ? ` branches ${missed(branches)}` : ''}`
  process.stdout.write(
    `${file.padEnd(46)} ${l.toFixed(1).padStart(5)} % lines ${b.toFixed(1).padStart(5)} % branches${gaps}\n`,
  )
}
const lines = share(rows.flatMap((row) => row.lines))
const branches = share(rows.flatMap((row) => row.branches))
process.stdout.write(
  `all of solidity/: ${lines.toFixed(2)} % of lines, ${branches.toFixed(2)} % of branches\n`,
)
if (rows.length === 0 || lines < floor || branches < floor) {
  process.stderr.write(`coverage is below ${floor} %\n`)
  process.exit(1)
}
