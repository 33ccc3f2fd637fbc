/**
 * A contribution journal as files of one folder, in Node.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
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
  return {
    async get(key) {
      try {
        return await readFile(pathOf(key), 'utf8')
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
        throw error
      }
    },
    async set(key, text) {
      const path = pathOf(key)
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
        await rename(temporary, path)
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
      const folder = await open(options.directory, 'r')
      try {
        await folder.sync()
      } finally {
        await folder.close()
      }
    },
    async delete(key) {
      await rm(pathOf(key), { force: true })
    },
  }
}
