// `npm run docs:build`: API pages of every public entry of every package from its docstrings, written to docs/api.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireDependencies } from './require-dependencies.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
requireDependencies(root, 'docs:build')
const typedoc = join(root, 'node_modules/typedoc/bin/typedoc')
const models = mkdtempSync(join(tmpdir(), 'sealpool-docs-'))

// Always from the root: paths in a model are relative to the folder in which typedoc ran.
const run = (subject, args) => {
  const { status } = spawnSync(process.execPath, [typedoc, ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`typedoc failed on ${subject}`)
}

try {
  // One model for each package, because each has entries of its own; they are read from its manifest.
  for (const name of readdirSync(join(root, 'packages'))) {
    const folder = join(root, 'packages', name)
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const entries = Object.values(manifest.exports).flatMap((entry) => entry['@sealpool/source'] ?? [])
    run(manifest.name, [
      ...['--options', 'typedoc.package.json', '--name', manifest.name],
      ...['--tsconfig', join(folder, 'tsconfig.json'), '--displayBasePath', join(folder, 'src')],
      ...entries.flatMap((entry) => ['--entryPoints', join(folder, entry)]),
      ...['--json', join(models, `${name}.json`)],
    ])
  }
  run('the whole', ['--options', 'typedoc.json', '--entryPoints', join(models, '*.json')])
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(models, { recursive: true, force: true })
}
