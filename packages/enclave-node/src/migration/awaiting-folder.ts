/**
 * The mark of a data folder whose root was made for a successor and has opened nothing yet: only such a root may be replaced by
 * another one. Every use of the root takes the mark away for good.
 * @module
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { NodeError } from '../errors.js'
import { developmentKeyFile } from '../key/development-key-release.js'
import { sealedRootFile } from '../key/sealed-key-release.js'
import { writeOnce } from '../key/write-once.js'
import { lockDirectory } from '../state/directory-lock.js'

/** Name of the mark in the data folder. */
export const awaitingMark = 'awaits-keys'

/**
 * Claims a data folder for a successor, before it has a root. Also one that an earlier call claimed and nothing has used since.
 * @param directory the data folder; it is made where there is none
 * @returns gives the folder's lock back
 * @throws NodeError `STATE_NOT_EMPTY` when a node, or a member of a committee, has keys of its own there; `STATE_LOCKED`
 */
export function claimFolder(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const unlock = lockDirectory(directory)
  const has = (name: string) => existsSync(join(directory, name))
  const roots = [developmentKeyFile, sealedRootFile].some(has)
  if (has('pglite') || (roots && !has(awaitingMark))) {
    unlock()
    throw new NodeError(
      'STATE_NOT_EMPTY',
      directory,
      'a node has keys of its own there, which would be lost; give the successor an empty folder',
    )
  }
  writeOnce(join(directory, awaitingMark), 'The root here waits to be replaced by that of an older node.\n')
  return unlock
}

/**
 * Says that the folder's root is used from here on: nothing replaces it any more.
 * @param directory the data folder
 * @throws NodeError `STATE_LOCKED` while a successor takes keys over there
 */
export function useFolder(directory: string): void {
  const mark = join(directory, awaitingMark)
  if (!existsSync(mark)) return
  const unlock = lockDirectory(directory)
  rmSync(mark, { force: true })
  unlock()
}
