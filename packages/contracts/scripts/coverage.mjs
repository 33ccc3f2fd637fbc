#!/usr/bin/env node
// Line and branch coverage of solidity/ by the Solidity tests; exits 1 below the floor that the project asks for. Lines inside
// inline assembly are not counted: the pipeline that coverage needs (--ir-minimum) keeps no places for them. The tests are compiled
// and run in parts, because what the compiler says of all of them at once does not fit into its WebAssembly's memory.
// A measurement takes eleven minutes of a processor, so the last one is kept in coverage.json with the digest of all that it follows from
// (sources, tests, settings, compiler, forge, this script): where none of that has changed, it is judged and not made again.
//   node scripts/coverage.mjs [--floor 98]            judges what is kept, or measures where something has changed
//   node scripts/coverage.mjs --measure [--floor 98]  measures, and keeps what was measured
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findForge } from './forge.mjs'

const packageRoot = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)
const openZeppelin = dirname(require.resolve('@openzeppelin/contracts/package.json'))
const flag = process.argv.indexOf('--floor')
const floor = flag < 0 ? 98 : Number(process.argv[flag + 1])
const parts = 3
const keptFile = join(packageRoot, 'coverage.json')

/** Digest of all that a measurement follows from. */
function measuredFrom() {
  const hash = createHash('sha256')
  const add = (name, content) => hash.update(`${JSON.stringify(name)} ${content.length}\n`).update(content)
  for (const folder of ['solidity', 'test']) {
    const names = readdirSync(join(packageRoot, folder), { recursive: true }).map(String)
    for (const name of names.filter((one) => one.endsWith('.sol')).sort()) {
      add(`${folder}/${name}`, readFileSync(join(packageRoot, folder, name)))
    }
  }
  for (const name of ['foundry.toml', 'scripts/coverage.mjs', 'scripts/solc.mjs']) {
    add(name, readFileSync(join(packageRoot, name)))
  }
  for (const name of ['solc', '@openzeppelin/contracts']) {
    add(name, Buffer.from(require(`${name}/package.json`).version))
  }
  add('forge', spawnSync(findForge(), ['--version']).stdout)
  return `sha256:${hash.digest('hex')}`
}

/** Ends the process: with 1 when a share is below the floor. */
function judge({ report, lines, branches }) {
  process.stdout.write(`${report.join('\n')}\n`)
  process.stdout.write(
    `all of solidity/: ${lines.toFixed(2)} % of lines, ${branches.toFixed(2)} % of branches\n`,
  )
  if (report.length > 0 && lines >= floor && branches >= floor) process.exit(0)
  process.stderr.write(`coverage is below ${floor} %\n`)
  process.exit(1)
}

const from = measuredFrom()
if (!process.argv.includes('--measure') && existsSync(keptFile)) {
  const kept = JSON.parse(readFileSync(keptFile, 'utf8'))
  if (kept.from === from) {
    process.stdout.write(`measured on these very sources on ${kept.measured}, not again (--measure does):\n`)
    judge(kept)
  }
}

/** The tests in parts of about one size, each with what it imports of the others. */
function testParts() {
  const texts = new Map(
    readdirSync(join(packageRoot, 'test'))
      .filter((name) => name.endsWith('.t.sol'))
      .map((name) => [name, readFileSync(join(packageRoot, 'test', name), 'utf8')]),
  )
  const found = Array.from({ length: parts }, () => ({ names: new Set(), size: 0 }))
  for (const [name, text] of [...texts].sort(([, a], [, b]) => b.length - a.length)) {
    const smallest = found.reduce((least, part) => (part.size < least.size ? part : least))
    smallest.names.add(name)
    smallest.size += text.length
    for (const [, imported] of text.matchAll(/from "\.\/([^"]+\.t\.sol)"/g)) smallest.names.add(imported)
  }
  return found.map(({ names }) => names)
}

/** @returns the report of some tests alone; undefined, once it has said why, when they do not pass */
async function lcovOf(names) {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-coverage-'))
  try {
    const isOther = (path) => path.endsWith('.t.sol') && !names.has(basename(path))
    for (const part of ['solidity', 'test', 'foundry.toml']) {
      cpSync(join(packageRoot, part), join(folder, part), {
        recursive: true,
        filter: (path) => !isOther(path),
      })
    }
    const report = join(folder, 'lcov.info')
    const log = join(folder, 'coverage.log')
    const output = openSync(log, 'w')
    const forge = spawn(
      findForge(),
      [
        ...['coverage', '--ir-minimum', '--root', folder, '--use', join(packageRoot, 'scripts', 'solc.mjs')],
        ...['--remappings', `@openzeppelin/contracts/=${openZeppelin}/`],
        ...['--report', 'lcov', '--report-file', report],
      ],
      {
        stdio: ['ignore', output, output],
        env: { FOUNDRY_FUZZ_RUNS: '32', FOUNDRY_INVARIANT_RUNS: '8', ...process.env },
      },
    )
    closeSync(output)
    const [code] = await once(forge, 'exit')
    if (code === 0) return readFileSync(report, 'utf8')
    process.stderr.write(readFileSync(log, 'utf8').slice(-4_000))
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
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

/** File to hits of each line, and of each branch by line, block and number; the hits of all parts together. */
const hits = new Map()
const add = (counts, key, count) => counts.set(key, (counts.get(key) ?? 0) + count)
// Side by side: the compiler uses one processor, and takes most of the time.
const reports = await Promise.all(testParts().map(lcovOf))
if (reports.includes(undefined)) process.exit(1)
for (const report of reports) {
  for (const record of report.split('end_of_record')) {
    const file = /^SF:(.*)$/m.exec(record)?.[1]?.replace(/^.*(solidity\/)/, '$1')
    if (file === undefined || !file.startsWith('solidity/')) continue
    const { lines, branches } = hits.get(file) ?? { lines: new Map(), branches: new Map() }
    hits.set(file, { lines, branches })
    for (const [, line, count] of record.matchAll(/^DA:(\d+),(\d+)$/gm)) add(lines, line, Number(count))
    for (const [, branch, count] of record.matchAll(/^BRDA:(\d+,\d+,\d+),(-|\d+)$/gm)) {
      add(branches, branch, count === '-' ? 0 : Number(count))
    }
  }
}
const rows = [...hits]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([file, { lines, branches }]) => {
    const assembly = assemblyLines(readFileSync(join(packageRoot, file), 'utf8'))
    return {
      file,
      lines: [...lines].filter(([line]) => !assembly.has(Number(line))),
      branches: [...branches].map(([branch, count]) => [branch.split(',')[0], count]),
    }
  })
const share = (list) =>
  list.length === 0 ? 100 : (100 * list.filter(([, count]) => count > 0).length) / list.length
const missed = (list) => [...new Set(list.filter(([, count]) => count === 0).map(([line]) => line))].join(' ')
const report = rows.map(({ file, lines, branches }) => {
  const [l, b] = [share(lines), share(branches)]
  const gaps = `${l < 100 ? ` lines ${missed(lines)}` : ''}${b < 100 ? ` branches ${missed(branches)}` : ''}`
  return `${file.padEnd(46)} ${l.toFixed(1).padStart(5)} % lines ${b.toFixed(1).padStart(5)} % branches${gaps}`
})
const measurement = {
  from,
  measured: new Date().toISOString().slice(0, 10),
  lines: share(rows.flatMap((row) => row.lines)),
  branches: share(rows.flatMap((row) => row.branches)),
  report,
}
if (process.argv.includes('--measure')) {
  writeFileSync(keptFile, `${JSON.stringify(measurement, null, 2)}\n`)
}
judge(measurement)
