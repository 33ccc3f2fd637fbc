// `npm run demo [-- --json FILE --out DIR --workers N]`: builds what is not built, then runs the main job,
// examples/wage-pools. Every argument is passed on.
import { spawn, spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isBuilt } from './is-built.mjs'
import { requireDependencies } from './require-dependencies.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
requireDependencies(root, 'demo')
if (!isBuilt(root)) {
  const build = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], {
    cwd: root,
    encoding: 'utf8',
  })
  if (build.status !== 0) {
    console.error(build.stdout + build.stderr)
    process.exit(1)
  }
}
const child = spawn(
  process.execPath,
  [
    '--import',
    pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href,
    join(root, 'examples/wage-pools/src/main.ts'),
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
// npm and its shell do not pass a signal on: when they are gone, this process has another parent.
const parent = process.ppid
setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500).unref()
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1))
