import { rmSync } from 'node:fs'
import { readArguments, usage } from './arguments.js'
import { createProgress } from './progress.js'
import { runDemo } from './run-demo.js'

let options: ReturnType<typeof readArguments>
try {
  // npm runs scripts in the project's folder and keeps the caller's in INIT_CWD.
  options = readArguments(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd())
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
rmSync(options.out, { recursive: true, force: true })
try {
  await runDemo({ ...options, progress: createProgress(process.stdout), signal: stopping.signal })
} catch (error) {
  console.error(`\ndemo: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  console.error(`demo: what the node wrote is in ${options.out}/node.log`)
  process.exitCode = 1
}
