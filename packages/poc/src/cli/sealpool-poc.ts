#!/usr/bin/env node
import process from 'node:process'
import { runPocCli } from './run.js'

const stop = new AbortController()
// A watch ends in good order. Anything else has nothing to finish: there the signal does what it always does.
if (process.argv.includes('--watch'))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
let unheard = false
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    // Who reads only the first lines (`| head -1`) closes the pipe: the answer is the exit code all the same.
    if (code === 'EPIPE') return
    // A full disk: nobody can read the score card, so that there is none.
    unheard = true
    process.exitCode = 2
    if (stream === process.stdout)
      process.stderr.write(`The answer cannot be written (${code ?? 'error'}).\n`)
  })
const code = await runPocCli(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  signal: stop.signal,
})
process.exitCode = unheard ? 2 : code
