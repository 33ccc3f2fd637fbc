#!/usr/bin/env node
// The npm solc with the part of solc's command line that forge uses, so that forge needs no download.
import { compile, compilerVersion } from './solidity.mjs'

if (process.argv.includes('--version')) {
  const version = compilerVersion.replace('.Emscripten.clang', '.Linux.g++')
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`)
} else if (process.argv.includes('--standard-json')) {
  let input = ''
  for await (const part of process.stdin.setEncoding('utf8')) input += part
  process.stdout.write(JSON.stringify(compile(JSON.parse(input))))
} else {
  process.stderr.write('solc.mjs understands --version and --standard-json only\n')
  process.exit(1)
}
