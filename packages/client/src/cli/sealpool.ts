#!/usr/bin/env node
import { runCli } from './run.js'

let unheard = false
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    // Whoever reads the output may stop early, as `head` does: what was begun, a contribution for example, still comes to its end.
    if (code === 'EPIPE') return
    // A full disk: the answer is cut off, which must look neither like success nor like a no.
    unheard = true
    process.exitCode = 3
    if (stream === process.stdout)
      process.stderr.write(`sealpool: the answer cannot be written (${code ?? 'error'})\n`)
  })

const code = await runCli(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  env: process.env,
  async stdin() {
    const parts: Buffer[] = []
    for await (const part of process.stdin) parts.push(part as Buffer)
    return Buffer.concat(parts).toString('utf8')
  },
})
process.exitCode = unheard ? 3 : code
