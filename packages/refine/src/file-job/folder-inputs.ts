import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { RefineError } from '../errors.js'
import { isSystemFile } from '../source/system-file.js'
import type { JobInput } from './refine-input.js'

const mostFiles = 100_000
const mostDepth = 32

/**
 * The files of a folder, or one file, as inputs of a job, in the order of their paths. Links and what is no regular file are left out;
 * so are names that begin with a point, and what systems write beside files (`Thumbs.db`, `desktop.ini`, `__MACOSX`).
 *
 * @param path - a folder or a file
 * @param options - `contributor`: whose they are, for all of them, or by path inside the folder
 * @returns inputs; `id` is the path inside the folder, with `/`. A folder inside that cannot be read is one too, with `/` behind its path: a
 *   job refuses it by name and refines the others
 * @throws RefineError with `ARGUMENT_INVALID` when there is nothing or the folder cannot be read, `LIMIT_EXCEEDED` for more than 100,000 files or 32 levels
 */
export async function folderInputs(
  path: string,
  options: { readonly contributor: number | ((id: string) => number) },
): Promise<readonly JobInput[]> {
  const { contributor } = options
  const whose = (id: string) => (typeof contributor === 'number' ? contributor : contributor(id))
  const facts = await lstat(path).catch(() => undefined)
  if (facts?.isFile() === true) {
    const id = path.split('/').at(-1) ?? path
    return [{ id, path, contributor: whose(id) }]
  }
  if (facts?.isDirectory() !== true) {
    const told = facts?.isSymbolicLink()
      ? 'Links are not followed; name the file or folder that it points to'
      : 'There is no such file or folder'
    throw new RefineError('ARGUMENT_INVALID', 'input', told)
  }
  const inputs: JobInput[] = []
  const walk = async (folder: string, inside: readonly string[]) => {
    if (inside.length > mostDepth)
      throw new RefineError('LIMIT_EXCEEDED', 'input', `Folders are nested deeper than ${mostDepth}`)
    const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
      const code = cause.code ?? 'unknown'
      if (inside.length === 0)
        throw new RefineError('ARGUMENT_INVALID', 'input', `The folder cannot be read (${code})`)
      const id = `${inside.join('/')}/`
      inputs.push({ id, path: folder, contributor: whose(id) })
      return []
    })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.')) continue
      if (isSystemFile(entry.isDirectory() ? `${entry.name}/` : entry.name)) continue
      if (entry.isDirectory()) await walk(join(folder, entry.name), [...inside, entry.name])
      else if (entry.isFile()) {
        const id = [...inside, entry.name].join('/')
        inputs.push({ id, path: join(folder, entry.name), contributor: whose(id) })
        if (inputs.length > mostFiles)
          throw new RefineError('LIMIT_EXCEEDED', 'input', `More than ${mostFiles} files`)
      }
    }
  }
  await walk(path, [])
  if (inputs.length === 0) {
    throw new RefineError(
      'ARGUMENT_INVALID',
      'input',
      'The folder holds no files; links, names with a point in front and what systems write (Thumbs.db) do not count',
    )
  }
  return inputs
}
