import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Takes out of a package's dist what its last build did not write: chunks under the names of earlier contents, and
 * declarations of sources that are gone. Emptying dist before the build would pull the files from under programs that
 * run from it, and from under the declarations' own build.
 *
 * @param folder the package's folder
 * @param started when the build of its JavaScript began, in milliseconds since the epoch
 * @returns the paths that were removed, relative to dist
 */
export function removeStaleOutput(folder, started) {
  const dist = join(folder, 'dist')
  const stale = readdirSync(dist, { recursive: true }).filter((path) => {
    // A file system may keep whole seconds: what is as old as the build's own second stays.
    if (/\.js(\.map)?$/.test(path))
      return statSync(join(dist, path)).mtimeMs < Math.floor(started / 1000) * 1000
    if (path.endsWith('.d.ts')) return !existsSync(join(folder, 'src', path.replace(/\.d\.ts$/, '.ts')))
    return false
  })
  for (const path of stale) rmSync(join(dist, path))
  return stale
}
