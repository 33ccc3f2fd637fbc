// `npm run check [-- format types ...]`: everything that judges the code without running its tests. `-- --tested` leaves out what
// `npm test` does as well, for who has just run it.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireDependencies } from './require-dependencies.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
requireDependencies(root, 'check')
const { floors } = JSON.parse(readFileSync(join(root, 'architecture/packages.json'), 'utf8'))
const packages = floors.flat()
const bin = (path) => join(root, 'node_modules', path)

function node(script, args, cwd = root) {
  const result = spawnSync(process.execPath, [script, ...args], { cwd, encoding: 'utf8', maxBuffer: 1 << 28 })
  return { ok: result.status === 0, output: `${result.stdout ?? ''}${result.stderr ?? ''}` }
}

function eachPackage(script, args) {
  let ok = true
  let output = ''
  for (const name of packages) {
    const result = node(script, args, join(root, 'packages', name))
    ok &&= result.ok
    if (!result.ok) output += `--- ${name}\n${result.output}`
  }
  return { ok, output }
}

// `npm run format`: the same formatter, writing.
if (process.argv[2] === '--write') {
  const { ok, output } = node(bin('@biomejs/biome/bin/biome'), ['check', '--write', '.'])
  console.log(output.trimEnd())
  process.exit(ok ? 0 : 1)
}

const checks = {
  format: () => node(bin('@biomejs/biome/bin/biome'), ['ci', '--error-on-warnings', '.']),
  types: () => node(bin('typescript7/lib/tsc.js'), ['-p', 'tsconfig.json']),
  arrows: () => node(bin('vitest/vitest.mjs'), ['run', '--project', 'node*', 'architecture']),
  build: () => node('scripts/build.mjs', []),
  exports: () => {
    const publint = eachPackage(bin('publint/src/cli.js'), ['--strict'])
    const attw = eachPackage(bin('@arethetypeswrong/cli/dist/index.js'), [
      '--pack',
      '.',
      '--profile',
      'esm-only',
      '--quiet',
    ])
    return { ok: publint.ok && attw.ok, output: publint.output + attw.output }
  },
  packed: () => node('scripts/packed.mjs', []),
  unused: () => node(bin('knip/bin/knip.js'), ['--no-progress']),
  sizes: () => node(bin('size-limit/bin.js'), []),
  abi: () => node('packages/contracts/scripts/compile.mjs', ['--check']),
  diagrams: () => node('packages/contracts/scripts/diagrams.mjs', ['--check']),
}

/** A build over what the tests were built from changes nothing, but takes it away for a moment from who runs it meanwhile. */
const alsoTested = ['arrows', 'build']

const given = process.argv.slice(2)
const asked =
  given.length === 1 && given[0] === '--tested'
    ? Object.keys(checks).filter((name) => !alsoTested.includes(name))
    : given
const unknown = asked.filter((name) => !(name in checks))
if (unknown.length > 0) {
  console.error(
    `check: no check named ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}, and --tested alone`,
  )
  process.exit(1)
}
let failed = 0
for (const [name, run] of Object.entries(checks)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const started = performance.now()
  const { ok, output } = run()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${ok ? 'pass' : 'FAIL'}  ${name.padEnd(8)} ${seconds.padStart(6)} s`)
  if (!ok) {
    failed += 1
    console.log(output.trimEnd())
  }
}
process.exit(failed === 0 ? 0 : 1)
