import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isBuilt } from './is-built.mjs'
import { requireDependencies } from './require-dependencies.mjs'

/**
 * Runs a TypeScript program of this repository against the built packages: builds what is not built, passes every argument
 * on, and ends with the program's exit code.
 *
 * @param root the project's folder
 * @param script its npm script, for messages
 * @param program path of the program
 */
export function runProgram(root, script, program) {
  requireDependencies(root, script)
  if (!isBuilt(root)) {
    console.error(`${script}: the packages are not built, or older than their sources; building them first`)
    const build = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], {
      cwd: root,
      encoding: 'utf8',
    })
    if (build.status !== 0) {
      console.error(build.stdout + build.stderr)
      process.exit(1)
    }
  }
  const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href
  const child = spawn(process.execPath, ['--import', tsx, program, ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  // npm and its shell do not pass a signal on: when they are gone, this process has another parent.
  const parent = process.ppid
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500).unref()
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1))
}
