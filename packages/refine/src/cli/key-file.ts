import { randomBytes } from 'node:crypto'
import { link, open, readFile, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { holdsJob } from '../file-job/journal.js'
import { makeFolder, removeFolders } from '../file-job/make-folder.js'
import { UsageError } from './arguments.js'

/**
 * 32 bytes out of a file: raw, hexadecimal or base64.
 *
 * @param path - of the file
 * @param what - what it is called
 * @returns the bytes
 * @throws UsageError when the file holds none
 */
export async function secretOf(path: string, what: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch(() => {
    throw new UsageError(`the ${what} file cannot be read`)
  })
  const text = bytes.toString('latin1').trim()
  const found =
    bytes.length === 32
      ? bytes
      : /^[0-9a-fA-F]{64}$/.test(text)
        ? Buffer.from(text, 'hex')
        : /^[A-Za-z0-9+/]{43}=$/.test(text)
          ? Buffer.from(text, 'base64')
          : undefined
  if (found === undefined)
    throw new UsageError(`the ${what} file must hold 32 bytes, plain, hexadecimal or base64`)
  return new Uint8Array(found)
}

/** Makes a key file that is whole under its name or not there, and on disk before anything is encrypted; false when another run did. */
async function writeKey(path: string): Promise<boolean> {
  const temporary = join(dirname(path), `.${randomBytes(8).toString('hex')}.key.part`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      try {
        await file.writeFile(`${randomBytes(32).toString('base64')}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      // Unlike a rename it leaves a key alone that somebody else put there meanwhile.
      await link(temporary, path)
    } finally {
      // A second name of a key is nothing to be silent about.
      await unlink(temporary)
    }
    const folder = await open(dirname(path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
    return true
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    throw new UsageError(`the key file cannot be written (${code})`)
  }
}

/** A key, and the file that was made for it. */
export interface JobKey {
  readonly key: Uint8Array
  /** The key file, when this run made it. */
  readonly made?: string
}

/**
 * The key of a job that writes into a folder. One is made only where a job can begin, and never taken back: another run may use it already.
 *
 * @param out - the folder; made when it is not there
 * @param keyFile - file that holds the key; default `<out>.key`, made where there is neither key nor job
 * @returns the key
 * @throws UsageError when the key cannot be read or made; RefineError with `ARGUMENT_INVALID` when the folder cannot be made, `JOB_INVALID`
 *   when it is of something else
 */
export async function openJobKey(out: string, keyFile: string | undefined): Promise<JobKey> {
  if (keyFile !== undefined) return { key: await secretOf(keyFile, 'key') }
  const folder = resolve(out)
  const path = `${folder}.key`
  const folders = await makeFolder(folder, { place: '--out' })
  try {
    const begun = await holdsJob(folder)
    const known = await stat(path).catch((error: NodeJS.ErrnoException) => error.code !== 'ENOENT')
    if (known !== false) return { key: await secretOf(path, 'key') }
    if (begun)
      throw new UsageError('the folder holds a job, and its key is not beside it: name it by --key-file')
    const isMine = await writeKey(path)
    return { key: await secretOf(path, 'key'), ...(isMine ? { made: path } : {}) }
  } catch (error) {
    await removeFolders(folders)
    throw error
  }
}
