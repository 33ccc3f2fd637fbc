// `npm run redteam [-- --trials N] [--out DIR] [--preset NAME] [--date YYYY-MM-DD]`: attacks every policy preset (or one) on mock data and
// writes a report with a plot. With a date it also writes the results that are shipped beside each preset,
// packages/query/red-team/NAME.json. Exits 1 when an attack is right more often than its preset allows.
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
const date = option('--date', null)
const names = ['--trials', '--out', '--preset', '--date']
const known = values.every((value, index) => names.includes(value) || index % 2 === 1)
const dated = date === null || /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(date)
if (!known || !dated || !Number.isInteger(trials) || trials < 10) {
  console.error(
    'usage: npm run redteam [-- --trials N (at least 10)] [--out DIR] [--preset NAME] [--date YYYY-MM-DD]',
  )
  process.exit(1)
}
const out = resolve(option('--out', join(root, 'redteam-report')))
const { platformRandom } = await import('@sealpool/privacy')
const { plotReports, presetNames, redTeam, redTeamEvidence } = await import('@sealpool/query')
const { createDuckDbEngine } = await import('@sealpool/query/duckdb')

const reports = []
const wanted = option('--preset', null)
const presets = presetNames.filter((name) => wanted === null || name === wanted)
if (presets.length === 0) {
  console.error(`no preset ${wanted}; there are ${presetNames.join(', ')}`)
  process.exit(1)
}
for (const preset of presets) {
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
if (date !== null) {
  const folder = join(root, 'packages/query/red-team')
  mkdirSync(folder, { recursive: true })
  for (const report of reports) {
    const file = join(folder, `${report.preset}.json`)
    writeFileSync(file, `${JSON.stringify(redTeamEvidence(report, date), null, 2)}\n`)
  }
}
const broken = reports.flatMap(({ findings }) => findings.filter(({ held }) => !held)).length
console.log(`\n${broken} broken; report in ${out}`)
process.exit(broken === 0 ? 0 : 1)
