// `npm run conformance -- <name> [--data DIR]`: runs a named body of cases against the built packages.
// Prints a line per kind, `kind: N agree, M differ`, and exits 1 when any differs. `npm run conformance -- node --tested`, for who has
// just run `npm test`, which runs the same cases on the sources, takes one of each kind.
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { requireDependencies } from './require-dependencies.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
requireDependencies(root, 'conformance')
const folder = join(root, 'conformance')
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -4))
  .sort()
const [name, ...given] = process.argv.slice(2)
const tested = name === 'node' && given.length === 1 && given[0] === '--tested'
const rest = tested ? [] : given
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run conformance -- <${names.join('|')}> [--data DIR]`)
  process.exit(1)
}
const defaults = {
  attest: '../shared/data/attest',
  'attest-fuzz': '../shared/data/attest',
  contracts: '../shared/data/attest',
  sql: '../shared/data/sql',
  dp: '../shared/data/dp',
  pii: 'conformance/pii',
}
const flag = rest.indexOf('--data')
if (flag >= 0 ? rest.length !== 2 || flag !== 0 : rest.length > 0) {
  console.error(`conformance ${name}: the only option is --data DIR`)
  process.exit(1)
}
if (flag >= 0 && defaults[name] === undefined) {
  console.error(`conformance ${name}: it brings its own cases and takes no --data`)
  process.exit(1)
}
const data = flag >= 0 ? resolve(rest[flag + 1]) : resolve(root, defaults[name] ?? '.')
if (!existsSync(data)) {
  console.error(`conformance ${name}: the folder ${data} is not there; name one with --data DIR`)
  process.exit(1)
}
if (!existsSync(join(root, 'packages/crypto/dist/index.js'))) {
  console.error('conformance: the packages are not built; run `npm run build` first')
  process.exit(1)
}
const { run } = await import(pathToFileURL(join(folder, `${name}.mjs`)).href)
let counts
try {
  counts = await run({ data, tested, print: (line) => console.log(line) })
} catch (error) {
  if (error?.code !== 'ENOENT') throw error
  console.error(
    `conformance ${name}: ${error.path} is missing; name a folder of the layout of shared/data/${name}`,
  )
  process.exit(1)
}
const { agree, differ } = counts
console.log(`${agree} agree, ${differ} differ`)
if (agree + differ === 0) console.error(`conformance ${name}: no case was found under ${data}`)
process.exit(differ === 0 && agree > 0 ? 0 : 1)
