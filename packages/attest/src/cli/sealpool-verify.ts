#!/usr/bin/env node
import process from 'node:process'
import { runVerifyCli } from './run.js'

const colours = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined
process.exitCode = await runVerifyCli(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  colours,
  now: () => new Date(),
})
