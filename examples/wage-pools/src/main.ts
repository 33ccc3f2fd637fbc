import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readArguments, usage } from './arguments.js'
import { prepareOutputFolder } from './output-folder.js'
import { createProgress } from './progress.js'
import { runDemo } from './run-demo.js'

let options: ReturnType<typeof readArguments>
try {
  // npm runs scripts in the project's folder and keeps the caller's in INIT_CWD.
  options = readArguments(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd(), process.env)
  if (options !== 'help') {
    // Better now than after a minute of work.
    prepareOutputFolder(options.out)
    if (options.json !== undefined) {
      mkdirSync(dirname(options.json), { recursive: true })
      accessSync(dirname(options.json), constants.W_OK)
      if (statSync(options.json, { throwIfNoEntry: false })?.isDirectory()) {
        throw new Error(`--json ${options.json} is a folder; name a file`)
      }
    }
  }
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  process.exit(2)
}
if (options === 'help') {
  console.log(usage)
  process.exit(0)
}

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
// A parent that was killed outright sends no signal.
const parent = process.ppid
setInterval(() => process.ppid === parent || stopping.abort(), 500).unref()
try {
  await runDemo({ ...options, progress: createProgress(process.stdout), signal: stopping.signal })
} catch (error) {
  const told = stopping.signal.aborted ? 'stopped; every process that it started has ended' : describe(error)
  console.error(`\ndemo: ${told}`)
  const log = join(options.out, 'node.log')
  if (existsSync(log)) console.error(`demo: what the node wrote is in ${log}`)
  process.exit(stopping.signal.aborted ? 130 : 1)
}
process.exit(0)

/** An error with a code says in its message what to do; of any other, the place is wanted. */
function describe(error: unknown): string {
  if (error instanceof Error && 'code' in error) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
