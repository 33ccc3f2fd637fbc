#!/usr/bin/env node
import process from 'node:process'
import { runVerifyCli } from './run.js'

let unheard = false
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    // Who reads only the first lines (`| head -1`) closes the pipe: the answer is the exit code all the same.
    if (code === 'EPIPE') return
    // A full disk: nobody can read the answer, so that there is none.
    unheard = true
    process.exitCode = 2
    if (stream === process.stdout)
      process.stderr.write(`Cannot tell: the answer cannot be written (${code ?? 'error'}).\n`)
  })
// An empty NO_COLOR counts as none: https://no-color.org
const { NO_COLOR = '', TERM = '' } = process.env
const colours = process.stdout.isTTY === true && NO_COLOR === '' && TERM !== 'dumb'
const code = await runVerifyCli(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  colours,
  now: () => new Date(),
})
process.exitCode = unheard ? 2 : code
