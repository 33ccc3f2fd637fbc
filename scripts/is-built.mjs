import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Whether every package's JavaScript is newer than its sources and manifest; a checkout that cannot be written to runs
 * what was built before.
 *
 * @param root the project's folder
 */
export function isBuilt(root) {
  return readdirSync(join(root, 'packages')).every((name) => {
    const folder = join(root, 'packages', name)
    const built = join(folder, 'dist/index.js')
    if (!existsSync(built) || !existsSync(join(folder, 'dist/index.d.ts'))) return false
    const sources = readdirSync(join(folder, 'src'), { recursive: true }).map((path) =>
      join(folder, 'src', path),
    )
    const newest = Math.max(
      ...[join(folder, 'package.json'), ...sources].map((path) => statSync(path).mtimeMs),
    )
    return statSync(built).mtimeMs >= newest
  })
}
