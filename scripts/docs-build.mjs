// `npm run docs:build`: API pages of every package from its docstrings, written to docs/api.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireDependencies } from './require-dependencies.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
requireDependencies(root, 'docs:build')
const typedoc = join(root, 'node_modules/typedoc/bin/typedoc')
const result = spawnSync(process.execPath, [typedoc, '--options', 'typedoc.json'], {
  cwd: root,
  stdio: 'inherit',
})
process.exit(result.status ?? 1)
