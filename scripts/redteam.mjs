// `npm run redteam [-- --trials N] [--out DIR]`: attacks every policy preset on mock data and writes a report with a plot.
// Exits 1 when an attack is right more often than its preset allows.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireDependencies } from './require-dependencies.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
requireDependencies(root, 'redteam')
const values = process.argv.slice(2)
const option = (name, otherwise) => {
  const position = values.indexOf(name)
  return position < 0 ? otherwise : values[position + 1]
}
const trials = Number(option('--trials', '200'))
const known = values.every((value, index) => ['--trials', '--out'].includes(value) || index % 2 === 1)
if (!known || !Number.isInteger(trials) || trials < 10) {
  console.error('usage: npm run redteam [-- --trials N (at least 10)] [--out DIR]')
  process.exit(1)
}
const out = resolve(option('--out', join(root, 'redteam-report')))
const { platformRandom } = await import('@sealpool/privacy')
const { plotReports, presetNames, redTeam } = await import('@sealpool/query')
const { createDuckDbEngine } = await import('@sealpool/query/duckdb')

const reports = []
for (const preset of presetNames) {
  const report = await redTeam({
    preset,
    engine: async () => createDuckDbEngine({ threads: 1 }),
    random: platformRandom,
    clock: () => performance.now(),
    trials,
  })
  reports.push(report)
  console.log(`\n${preset}, ${report.members} members`)
  for (const { attack, rate, tries, threshold, held, about } of report.findings) {
    const verdict = held ? 'held' : 'BROKEN'
    console.log(
      `  ${attack.padEnd(16)} ${rate.toFixed(3)} of at most ${threshold.toFixed(3)}  ${verdict}  (${about}, ${tries} tries)`,
    )
  }
}
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'report.json'), `${JSON.stringify(reports, null, 2)}\n`)
writeFileSync(join(out, 'report.svg'), plotReports(reports))
const lines = reports.flatMap(({ preset, findings }) =>
  findings.map(
    ({ attack, rate, threshold, tries }) =>
      `| ${preset} | ${attack} | ${rate.toFixed(3)} | ${threshold.toFixed(3)} | ${tries} |`,
  ),
)
writeFileSync(
  join(out, 'report.md'),
  `# Red team\n\n![rates](report.svg)\n\n| preset | attack | right | at most | tries |\n|---|---|---|---|---|\n${lines.join('\n')}\n`,
)
const broken = reports.flatMap(({ findings }) => findings.filter(({ held }) => !held)).length
console.log(`\n${broken} broken; report in ${out}`)
process.exit(broken === 0 ? 0 : 1)
