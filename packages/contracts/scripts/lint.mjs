#!/usr/bin/env node
// Lints solidity/ with solhint (.solhint.json) and `forge lint` (foundry.toml); any warning fails.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findForge } from './forge.mjs'

const packageRoot = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)
const openZeppelin = dirname(require.resolve('@openzeppelin/contracts/package.json'))
const run = (program, args) => {
  const { stdout, stderr, status } = spawnSync(program, args, {
    cwd: packageRoot,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    // Folders of its own: what forge remembers of a lint would hide the tests from `forge test`.
    env: { ...process.env, FOUNDRY_OUT: 'out/lint', FOUNDRY_CACHE_PATH: 'cache/lint' },
  })
  return { status, text: `${stdout ?? ''}${stderr ?? ''}` }
}

const solhint = run(process.execPath, [
  join(dirname(require.resolve('solhint/package.json')), 'solhint.js'),
  ...['-c', '.solhint.json', '--noPoster', '--max-warnings', '0', 'solidity/**/*.sol'],
])
const forge = run(findForge(), [
  ...['lint', '--root', packageRoot, '--use', join(packageRoot, 'scripts', 'solc.mjs')],
  ...['--remappings', `@openzeppelin/contracts/=${openZeppelin}/`],
  ...['solidity', '--severity', 'high', '--severity', 'med', '--severity', 'low'],
])
const findings = [...forge.text.matchAll(/^(?:warning|note|error)\[.*$/gm)].map(([line]) => line)
if (solhint.status !== 0) process.stderr.write(solhint.text)
if (findings.length > 0 || forge.status !== 0) process.stderr.write(`${forge.text.slice(0, 20_000)}\n`)
if (solhint.status !== 0 || forge.status !== 0 || findings.length > 0) process.exit(1)
process.stdout.write('solhint and forge lint have nothing to say\n')
