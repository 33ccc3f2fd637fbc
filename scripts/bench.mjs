// `npm run bench -- <package> [--long]`: runs bench/<package>.mjs against the built packages and prints its table. `--long` takes what
// a bench has for a quiet machine and a patient reader; most have one form.
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { requireDependencies } from './require-dependencies.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
requireDependencies(root, 'bench')
const names = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -4))
  .sort()
const long = process.argv.includes('--long')
const asked = process.argv.slice(2).filter((word) => word !== '--long')
const unknown = asked.filter((name) => !names.includes(name))
if (asked.length === 0 || unknown.length > 0) {
  console.error(`usage: npm run bench -- <${names.join('|')}> [--long]`)
  process.exit(1)
}
if (!existsSync(join(root, 'packages/crypto/dist/index.js'))) {
  console.error('bench: the packages are not built; run `npm run build` first')
  process.exit(1)
}
for (const name of asked) {
  const { run } = await import(pathToFileURL(join(root, 'bench', `${name}.mjs`)).href)
  try {
    await run({ print: (line) => console.log(line), long })
  } catch (error) {
    // An error with a code says in its message what is missing and what to do.
    if (typeof error?.code !== 'string') throw error
    console.error(`bench ${name}: ${error.message}`)
    process.exitCode = 1
  }
}
