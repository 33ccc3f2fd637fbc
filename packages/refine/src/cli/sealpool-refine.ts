#!/usr/bin/env node
import { runRefineCli } from './run.js'

process.exitCode = await runRefineCli(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  live: process.stderr.isTTY === true,
})
