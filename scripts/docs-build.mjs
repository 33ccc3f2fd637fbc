// `npm run docs:build`: API pages of every package from its docstrings, written to docs/api.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const typedoc = join(root, 'node_modules/typedoc/bin/typedoc')
if (!existsSync(typedoc)) {
  console.error('docs:build: dependencies are not installed; run `npm ci` first')
  process.exit(1)
}
const result = spawnSync(process.execPath, [typedoc, '--options', 'typedoc.json'], {
  cwd: root,
  stdio: 'inherit',
})
process.exit(result.status ?? 1)
