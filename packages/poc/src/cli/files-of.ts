import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from './arguments.js'
import type { IsOwnOutput } from './own-output.js'
import { isSystemFile } from './system-file.js'
import { UnreadableFile } from './unreadable-file.js'

/** Most files of a folder. */
const MOST_FILES = 10_000

/**
 * The files of an export: the file itself, or all files of a folder at any depth, in the order of their paths. Each is a contribution of
 * its own, because that is what a node judges.
 *
 * @param path a file or folder
 * @param isOwnOutput which files the command's own answer goes to
 * @returns paths; links, hidden files and folders, what systems write beside files (`Thumbs.db`), the labels of examples (`.expected.json`)
 *   and the command's own answer are left out. `unreadable`: folders inside of it that cannot be read
 * @throws UsageError when it cannot be read, is the command's own answer, or the folder holds no file or too many
 */
export async function filesOf(
  path: string,
  isOwnOutput: IsOwnOutput,
): Promise<{
  readonly files: readonly string[]
  readonly unreadable: readonly UnreadableFile[]
  readonly isFolder: boolean
}> {
  const own = await stat(path).catch(() => {
    throw new UsageError(`${path} cannot be read`)
  })
  if (!own.isDirectory()) {
    if (await isOwnOutput(path))
      throw new UsageError(`${path} is where the answer goes; write it to another file`)
    return { files: [path], unreadable: [], isFolder: false }
  }
  const files: string[] = []
  const unreadable: UnreadableFile[] = []
  const folders = [path]
  for (const folder of folders) {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      if (folder === path) throw new UsageError(`${folder} is not a folder that can be read`)
      unreadable.push(new UnreadableFile(folder, error))
      return []
    })
    for (const entry of entries) {
      if (entry.name.startsWith('.') || entry.name.endsWith('.expected.json')) continue
      if (isSystemFile(entry.isDirectory() ? `${entry.name}/` : entry.name)) continue
      const one = join(folder, entry.name)
      if (entry.isDirectory()) folders.push(one)
      else if (entry.isFile() && !(await isOwnOutput(one))) files.push(one)
      if (files.length + folders.length > MOST_FILES) {
        throw new UsageError(`${path} holds more than ${MOST_FILES} files and folders`)
      }
    }
  }
  if (files.length + unreadable.length === 0)
    throw new UsageError(
      `${path} holds no file; links, names with a point in front and what systems write (Thumbs.db) do not count`,
    )
  return { files: files.sort(), unreadable, isFolder: true }
}
