// Builds every package (or those named): `npm run build [-- crypto attest]`. JavaScript by tsup with the shared
// preset, declarations by `tsc -b`, which walks the packages in the order of their arrows.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { removeStaleOutput } from './remove-stale-output.mjs'
import { requireDependencies } from './require-dependencies.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { floors } = JSON.parse(readFileSync(join(root, 'architecture/packages.json'), 'utf8'))
const known = floors.flat()
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`build: no package named ${unknown.join(', ')}; there are ${known.join(', ')}`)
  process.exit(1)
}
requireDependencies(root, 'build')
const names = asked.length > 0 ? asked : known

function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    child.stderr.on('data', (data) => (output += data))
    child.on('error', reject)
    child.on('exit', (code) =>
      code === 0 ? resolve(undefined) : reject(new Error(`${args.join(' ')} failed in ${cwd}\n${output}`)),
    )
  })
}

console.log(`building ${names.length} packages: JavaScript and declarations`)
const started = performance.now()
const startedAt = Date.now()
const queue = [...names]
async function worker() {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    await run(
      process.execPath,
      [join(root, 'node_modules/tsup/dist/cli-default.js')],
      join(root, 'packages', name),
    )
  }
}
try {
  const declarations = run(
    process.execPath,
    [
      join(root, 'node_modules/typescript7/lib/tsc.js'),
      '-b',
      ...(asked.length > 0 ? names.map((name) => `packages/${name}`) : ['tsconfig.packages.json']),
    ],
    root,
  )
  await Promise.all([declarations, ...Array.from({ length: Math.max(1, availableParallelism()) }, worker)])
  for (const name of names) removeStaleOutput(join(root, 'packages', name), startedAt)
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
console.log(`built ${names.length} packages in ${((performance.now() - started) / 1000).toFixed(1)} s`)
