#!/usr/bin/env node
/**
 * `sealpool-node`: the node as a process of its own.
 * @module
 */
import { runNodeCli } from './run.js'

// Whatever this program and its children write is for its own user alone.
process.umask(0o077)
let unheard = false
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    // Whoever reads the output may stop early, as `head` does: a node goes on, and what was begun comes to its end.
    if (code === 'EPIPE') return
    // A full disk: the answer is cut off, which must not look like success.
    unheard = true
    process.exitCode = 3
    if (stream === process.stdout)
      process.stderr.write(`sealpool-node: the answer cannot be written (${code ?? 'error'})\n`)
  })

const code = await runNodeCli(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
})
process.exitCode = unheard ? 3 : code
