/**
 * A contribution journal as files of one folder, in Node.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ContributionJournal, requireJournalKey } from './contribution-journal.js'

/**
 * A journal in a folder: `<folder>/<key>.json`. A write is complete or absent also when the machine stops in its middle
 * (temporary file, fsync, rename, fsync of the folder).
 *
 * @param options - where the journal lies
 * @param options.directory the folder, made when absent
 * @returns the journal; its calls throw what the file system throws, and ClientError `OPTION_INVALID` for a key that is none
 */
export function fileJournal(options: { readonly directory: string }): ContributionJournal {
  const pathOf = (key: string) => {
    requireJournalKey(key)
    return join(options.directory, `${key}.json`)
  }
  const read = async (path: string) => {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
    }
  }
  /** Puts a whole file where `place` says, durably. */
  const write = async (path: string, text: string, place: (from: string, to: string) => Promise<void>) => {
    await mkdir(options.directory, { recursive: true, mode: 0o700 })
    const temporary = `${path}.${randomBytes(8).toString('hex')}.part`
    try {
      // 'wx': a planted link under the temporary name is refused, not followed.
      const file = await open(temporary, 'wx', 0o600)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await place(temporary, path)
    } finally {
      await rm(temporary, { force: true })
    }
    const folder = await open(options.directory, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }
  return {
    get: async (key) => read(pathOf(key)),
    async setIfAbsent(key, text) {
      const path = pathOf(key)
      const there = await read(path)
      if (there !== undefined) return there
      try {
        // Unlike a rename, a link takes the place of nothing.
        await write(path, text, link)
        return text
      } catch (error) {
        const first = hasCode(error, 'EEXIST') ? await read(path) : undefined
        if (first === undefined) throw error
        return first
      }
    },
    async set(key, text) {
      await write(pathOf(key), text, rename)
    },
    async delete(key) {
      await rm(pathOf(key), { force: true })
    },
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
