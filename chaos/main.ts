/**
 * `npm run chaos`.
 * @module
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ArgumentsError, parseArguments, usage } from './arguments.js'
import { killAll } from './process-list.js'
import { breachesOf, knownBreachesOf, tableOf } from './report.js'
import { runChaos } from './run-chaos.js'

function argumentsOrEnd(): Exclude<ReturnType<typeof parseArguments>, 'help'> {
  try {
    const parsed = parseArguments(process.argv.slice(2))
    if (parsed !== 'help') return parsed
    console.log(usage)
    process.exit(0)
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error
    console.error(`chaos: ${error.message}\n\n${usage}`)
    process.exit(2)
  }
}

const asked = argumentsOrEnd()
const folder = mkdtempSync(join(tmpdir(), 'sealpool-chaos-'))
// PostgreSQL runs under a user of its own when this runs as root, and must get through.
chmodSync(folder, 0o711)
// Whatever makes a temporary folder in this program or in what it starts makes it in there.
process.env['TMPDIR'] = folder
process.on('exit', () => {
  killAll()
  if (asked.keep) console.error(`kept: ${folder}`)
  else rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

const began = performance.now()
const say = (line: string): void =>
  console.error(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}`)
try {
  const report = await runChaos({ ...asked, folder, say })
  const json = JSON.stringify(
    { ...report, breaches: breachesOf(report), knownBreaches: knownBreachesOf(report) },
    null,
    2,
  )
  if (asked.json === '-') console.log(json)
  else {
    if (asked.json !== null) writeFileSync(asked.json, `${json}\n`)
    console.log(tableOf(report).join('\n'))
  }
  process.exit(breachesOf(report).length === 0 ? 0 : 1)
} catch (error) {
  console.error('chaos: the run broke off:', error)
  process.exit(1)
}
