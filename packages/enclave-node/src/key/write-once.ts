import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/**
 * Writes a file for its owner alone, complete or not at all, and never over another one: half a secret after a kill, or a second
 * secret by a second process, would cost every contribution sealed to the first.
 * @returns false when there was one already
 */
export function writeOnce(path: string, text: string): boolean {
  const temporary = writePart(path, text)
  try {
    linkSync(temporary, path)
    return true
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false
    throw cause
  } finally {
    unlinkSync(temporary)
  }
}

/**
 * Writes a file for its owner alone in the place of the one that is there: whoever is killed in between leaves the old one or the new.
 */
export function replaceWhole(path: string, text: string): void {
  renameSync(writePart(path, text), path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** @returns the path of a complete file beside the one that is meant */
function writePart(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomBytes(8).toString('hex')}.part`
  const file = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return temporary
}
