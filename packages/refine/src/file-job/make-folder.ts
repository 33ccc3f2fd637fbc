import { mkdir, rmdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { RefineError } from '../errors.js'

/** Is it there, and a folder? Whatever keeps that from being told keeps `mkdir` from making it as well, whose error is told. */
async function isFolder(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => undefined)
  return facts?.isDirectory() === true
}

/**
 * Makes a folder and those above it that are missing, one behind the other: Node's own recursive way asks again and again, without end,
 * where a system says of a folder that is there that it is not (`/proc`). The command of `poc` has one like it: no package that both may
 * import touches the disk in general.
 *
 * @param path - of the folder
 * @param options - `place`: what the path is called, for the error; `mode`: of folders that are made, default 0o700
 * @returns the folders that were made, the outermost first; none when it was there
 * @throws RefineError with `ARGUMENT_INVALID` when it cannot be made; then none of them is left
 */
export async function makeFolder(
  path: string,
  options: { readonly place: string; readonly mode?: number },
): Promise<readonly string[]> {
  const { place, mode = 0o700 } = options
  const missing: string[] = []
  let above = resolve(path)
  while (!(await isFolder(above))) {
    missing.unshift(above)
    const next = dirname(above)
    if (next === above) break
    above = next
  }
  const made: string[] = []
  for (const folder of missing) {
    try {
      await mkdir(folder, { mode })
      made.push(folder)
    } catch (error) {
      // Somebody else made it meanwhile.
      if (await isFolder(folder)) continue
      await removeFolders(made)
      const { code = 'error' } = error as NodeJS.ErrnoException
      throw new RefineError(
        'ARGUMENT_INVALID',
        place,
        `The folder cannot be made (${code}); name one below a folder that you may write to`,
      )
    }
  }
  return made
}

/**
 * Takes back what {@link makeFolder} made, as far as it is empty. It never fails: what led here is to be told, and an empty folder that stays
 * does no harm.
 *
 * @param made - what it returned
 */
export async function removeFolders(made: readonly string[]): Promise<void> {
  for (const folder of made.toReversed()) await rmdir(folder).catch(() => undefined)
}
