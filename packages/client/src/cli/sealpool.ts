#!/usr/bin/env node
import { runCli } from './run.js'

for (const stream of [process.stdout, process.stderr]) {
  // Whoever reads the output may stop early, as `head` does: what was begun, a contribution for example, still comes to its end.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  env: process.env,
  async stdin() {
    const parts: Buffer[] = []
    for await (const part of process.stdin) parts.push(part as Buffer)
    return Buffer.concat(parts).toString('utf8')
  },
})
