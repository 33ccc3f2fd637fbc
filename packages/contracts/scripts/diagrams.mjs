#!/usr/bin/env node
// Draws the state machines of docs/contracts.md from the tables in the Solidity sources.
//   node scripts/diagrams.mjs          writes what changed
//   node scripts/diagrams.mjs --check  writes nothing; exits 1 when the page is not what the sources give
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packageRoot = fileURLToPath(new URL('..', import.meta.url))
const page = join(packageRoot, '..', '..', 'docs', 'contracts.md')

/** Rows `From -> To (why) | To` of a comment table. */
function table(file) {
  const text = readFileSync(join(packageRoot, 'solidity', file), 'utf8')
  const rows = [...text.matchAll(/^\/{3} {3}(\w+) +-> (.+)$/gm)].map(([, from, targets]) => ({
    from,
    targets: targets.split('|').map((target) => {
      const [, to, why] = /^\s*(\w+)(?: \(([^)]*)\))?\s*$/.exec(target) ?? []
      if (to === undefined) throw new Error(`${file}: cannot read "${target}"`)
      return { to, why }
    }),
  }))
  if (rows.length === 0) throw new Error(`${file} has no table`)
  return rows
}

function diagram(rows) {
  const from = new Set(rows.map((row) => row.from))
  const ends = new Set(
    rows.flatMap(({ targets }) => targets.map(({ to }) => to)).filter((to) => !from.has(to)),
  )
  const name = (state) => (state === 'None' ? '[*]' : state)
  const lines = rows.flatMap(({ from: state, targets }) =>
    targets.map(({ to, why }) => `    ${name(state)} --> ${to}${why === undefined ? '' : `: ${why}`}`),
  )
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...lines,
    ...[...ends].map((end) => `    ${end} --> [*]`),
    '```',
  ].join('\n')
}

const diagrams = { job: 'job/JobState.sol', contribution: 'registry/Contribution.sol' }
const before = readFileSync(page, 'utf8')
let after = before
for (const [name, file] of Object.entries(diagrams)) {
  const place = new RegExp(`(<!-- diagram ${name} -->\n)[\\s\\S]*?(\n<!-- end -->)`)
  if (!place.test(after)) throw new Error(`docs/contracts.md has no place for the diagram of a ${name}`)
  after = after.replace(place, (_, head, tail) => `${head}${diagram(table(file))}${tail}`)
}
if (after === before) process.stdout.write('docs/contracts.md draws what the sources say\n')
else if (process.argv.includes('--check')) {
  process.stderr.write(
    'docs/contracts.md differs from solidity/. Run node packages/contracts/scripts/diagrams.mjs\n',
  )
  process.exit(1)
} else {
  writeFileSync(page, after)
  process.stdout.write('wrote docs/contracts.md\n')
}
