#!/usr/bin/env node
import process from 'node:process'
import { runVerifyCli } from './run.js'

// Who reads only the first lines (`| head -1`) closes the pipe: the answer is the exit code all the same.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
const colours = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined
process.exitCode = await runVerifyCli(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  colours,
  now: () => new Date(),
})
