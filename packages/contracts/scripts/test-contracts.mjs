#!/usr/bin/env node
// Runs the Solidity tests (test/*.t.sol) with forge, offline, with the npm solc. Arguments go to `forge test`.
import { spawn, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findForge } from './forge.mjs'

// Not imported from solidity.mjs, which cannot be loaded where the dependencies are missing.
const packageRoot = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)

function stop(message) {
  process.stderr.write(`test:contracts: ${message}\n`)
  process.exit(1)
}

function findOpenZeppelin() {
  try {
    require.resolve('solc')
    return dirname(require.resolve('@openzeppelin/contracts/package.json'))
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error
    return stop('dependencies are not installed; run `npm ci` first')
  }
}

const openZeppelin = findOpenZeppelin()
const forge = findForge()
const given = process.argv.slice(2)
/** In CI the long form: 10,000 fuzz runs. */
const profile = process.env['CI'] ? 'ci' : 'default'
const environment = { FOUNDRY_PROFILE: profile, ...process.env, FOUNDRY_DISABLE_NIGHTLY_WARNING: '1' }
const forgeTest = (...rest) => [
  'test',
  ...['--root', packageRoot, '--use', join(packageRoot, 'scripts', 'solc.mjs')],
  ...['--remappings', `@openzeppelin/contracts/=${openZeppelin}/`],
  ...rest,
]

/** Flags that say how results are shown, not which tests run: forge does not take them together with a list. */
const display = new Set([
  ...['--decode-internal', '--json', '--junit', '--list', '-l', '--md', '--quiet', '-q'],
  ...['--show-progress', '--summary'],
])

/** Forge calls a run without any test a success; its list tells whether there was one. */
function matchesNothing() {
  const choice = given.filter((argument) => !display.has(argument))
  const list = spawnSync(forge, forgeTest(...choice, '--list', '--json'), {
    encoding: 'utf8',
    env: environment,
  })
  try {
    return Object.keys(JSON.parse(list.stdout)).length === 0
  } catch {
    // No list, as with --help: nothing was asked to run.
    return false
  }
}

const child = spawn(forge, forgeTest(...given), { stdio: 'inherit', env: environment })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.once('error', (error) => stop(`forge could not be started: ${error.message}`))
child.once('exit', (code) => {
  if (code === 0 && matchesNothing()) {
    const what = given.length === 0 ? 'there is no test' : `no test matches: ${given.join(' ')}`
    stop(`${what}\nChoose tests with --match-contract <name>, --match-test <name> or --match-path <file>.`)
  }
  process.exit(code ?? 1)
})
