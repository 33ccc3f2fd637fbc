#!/usr/bin/env node
// Runs the Solidity tests (test/*.t.sol) with forge, offline, with the npm solc. Arguments go to `forge test`.
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { packageRoot } from './solidity.mjs'

const require = createRequire(import.meta.url)

function findForge() {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const packaged = `@foundry-rs/forge-${process.platform}-${architecture}`
  try {
    return require.resolve(`${packaged}/bin/forge`)
  } catch {
    // Not installed: look on PATH.
  }
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, 'forge'), constants.X_OK)
      return join(folder, 'forge')
    } catch {
      // Not here.
    }
  }
  process.stderr.write(
    `no forge: install the npm package ${packaged}, or Foundry (https://getfoundry.sh) so that forge is on PATH\n`,
  )
  process.exit(1)
}

const openZeppelin = dirname(require.resolve('@openzeppelin/contracts/package.json'))
const child = spawn(
  findForge(),
  [
    'test',
    ...['--root', packageRoot, '--use', join(packageRoot, 'scripts', 'solc.mjs')],
    ...['--remappings', `@openzeppelin/contracts/=${openZeppelin}/`],
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', env: { ...process.env, FOUNDRY_DISABLE_NIGHTLY_WARNING: '1' } },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.once('error', (error) => {
  process.stderr.write(`forge could not be started: ${error.message}\n`)
  process.exit(1)
})
child.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 0 : 1)))
