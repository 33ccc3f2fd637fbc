// `npm test`: builds what is not built, then every test that runs in Node, then the Solidity tests, which are compiled meanwhile: the
// compiler keeps one processor busy for a minute and a half. With SEALPOOL_COVERAGE=<folder>, the tests of the contracts actions run
// apart and leave there what packages/contracts/scripts/coverage-actions.mjs judges. The test files get the other packages as they were
// built (vitest.config.ts).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const coverage = process.env['SEALPOOL_COVERAGE']
const contracts = 'packages/contracts/scripts'
const children = new Set()
let stopped = false

/** @returns the program's exit code */
async function run(script, args = [], stdio = 'inherit') {
  if (stopped) return 1
  const env = { ...process.env, SEALPOOL_TEST_BUILT: '1' }
  const child = spawn(process.execPath, [join(root, script), ...args], { cwd: root, stdio, env })
  children.add(child)
  const [code] = await once(child, 'exit')
  children.delete(child)
  return code ?? 1
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopped = true
    for (const child of children) child.kill(signal)
  })
}

async function nodeTests() {
  const vitest = ['run', '--project', 'node*']
  if (coverage === undefined) return run('node_modules/vitest/vitest.mjs', vitest)
  const apart = ['--exclude', 'packages/contracts/src/**']
  const others = await run('node_modules/vitest/vitest.mjs', [...vitest, ...apart])
  const actions = await run(`${contracts}/coverage-actions.mjs`, ['--collect', coverage])
  return others || actions
}

/** Every test runs, also when another one has failed. */
async function all() {
  const built = await run('scripts/build.mjs')
  if (built !== 0) return built
  // What does not compile is told by the run itself, which compiles again what this has not kept.
  const compiled = run(`${contracts}/test-contracts.mjs`, ['--list'], 'ignore')
  const failed = await nodeTests()
  await compiled
  return (await run(`${contracts}/test-contracts.mjs`)) || failed
}

process.exitCode = await all()
