#!/usr/bin/env node
import { fstatSync } from 'node:fs'
import { runRefineCli } from './run.js'

let unheard = false
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    // Who reads only the first lines (`| head -1`) closes the pipe: what was done is done all the same.
    if (code === 'EPIPE') return
    // A full disk: the report, or the rows of `mock`, are cut off.
    unheard = true
    process.exitCode = 2
    if (stream === process.stdout)
      process.stderr.write(`sealpool-refine: the output cannot be written (${code ?? 'error'})\n`)
  })
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => {
    stop.abort()
    process.kill(process.pid, name)
  })
const outputs = [process.stdout.fd, process.stderr.fd].flatMap((descriptor) => {
  try {
    const found = fstatSync(descriptor, { bigint: true })
    return found.isFile() ? [found] : []
  } catch {
    // Closed (`>&-`): it leads nowhere.
    return []
  }
})
const code = await runRefineCli(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  // A dumb terminal cannot draw one line again and again.
  live: process.stderr.isTTY === true && process.env['TERM'] !== 'dumb',
  signal: stop.signal,
  outputs,
})
process.exitCode = unheard ? 2 : code
