#!/usr/bin/env node
import process from 'node:process'
import { ownOutputOf } from './own-output.js'
import { runPocCli } from './run.js'

/** Milliseconds for what was begun to be taken away after Ctrl-C. */
const graceMs = 1_000
const stop = new AbortController()
let endedBy: 'SIGINT' | 'SIGTERM' | undefined
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => {
    endedBy = name
    stop.abort()
    // A watch ends in good order. Anything else that hangs, in a read for example, has had its moment then.
    if (!process.argv.includes('--watch')) setTimeout(() => process.kill(process.pid, name), graceMs).unref()
  })
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
try {
  const code = await runPocCli(process.argv.slice(2), {
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    signal: stop.signal,
    isOwnOutput: ownOutputOf([process.stdout.fd, process.stderr.fd]),
  })
  process.exitCode = unheard ? 2 : code
} catch (error) {
  if (endedBy === undefined) throw error
  // By the signal itself, as whoever waits for this process expects: a shell's loop ends as well.
  process.kill(process.pid, endedBy)
}
