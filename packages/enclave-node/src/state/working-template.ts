/**
 * An empty database of PGlite, made once and kept beside the state: unpacking it takes a fraction of the time that making one
 * does. It lies where the host can write, so that it is authenticated before anything of it runs; one that is not this node's, or
 * of another release of PGlite, is made anew.
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { openEmbeddedPostgres } from './embedded-postgres.js'
import { type EmbeddedStore, pgliteStore } from './pglite-store.js'

/** Name of the file in the data folder. */
export const workingTemplateFile = 'empty-database'
const tagBytes = 32

/** Which PGlite this is: its files fit no other release. Undefined where it cannot be told, as in a bundle. */
export function pgliteRelease(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
    const manifest = JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8')) as {
      readonly version: string
    }
    return manifest.version
  } catch {
    return undefined
  }
}

interface TemplateKey {
  readonly key: Uint8Array
  readonly version: string
}

function tagOf({ key, version }: TemplateKey, body: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`sealpool/empty-database/2 ${version}\n`).update(body).digest()
}

function readTemplate(path: string, key: TemplateKey): Uint8Array<ArrayBuffer> | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return undefined
  }
  const body = bytes.subarray(tagBytes)
  const genuine = bytes.length > tagBytes && timingSafeEqual(tagOf(key, body), bytes.subarray(0, tagBytes))
  return genuine ? Uint8Array.from(body) : undefined
}

/** What came of a template. */
export interface WorkingDatabase {
  readonly store: EmbeddedStore
  /** Whether it was unpacked; else it was made, and the template with it. */
  readonly unpacked: boolean
  /** The files of an empty database, as PGlite takes them; undefined where they cannot be kept. */
  readonly empty: Uint8Array<ArrayBuffer> | undefined
}

/**
 * Opens an empty database in this process's memory.
 * @param options `directory`: where the template lies or will lie; `key`: 32 secret bytes of the node
 * @returns the database; without a template it takes longer, and that is all
 */
export async function openWorkingDatabase(options: {
  readonly directory: string
  readonly key: Uint8Array
}): Promise<WorkingDatabase> {
  const path = join(options.directory, workingTemplateFile)
  const version = pgliteRelease()
  const key = version === undefined ? undefined : { key: options.key, version }
  const template = key && readTemplate(path, key)
  if (template !== undefined) {
    const database = await openEmbeddedPostgres({
      dataDir: 'memory://',
      memory: true,
      loadDataDir: new Blob([template]),
    })
    return { store: pgliteStore(database, () => undefined), unpacked: true, empty: template }
  }
  const store = pgliteStore(
    await openEmbeddedPostgres({ dataDir: 'memory://', memory: true }),
    () => undefined,
  )
  // Before anything is in it.
  let empty: Uint8Array<ArrayBuffer> | undefined
  if (key !== undefined) {
    const body = await store.files()
    empty = body
    const bytes = Buffer.concat([tagOf(key, body), body])
    const temporary = `${path}.${process.pid}.part`
    try {
      mkdirSync(options.directory, { recursive: true, mode: 0o700 })
      writeFileSync(temporary, bytes, { mode: 0o600 })
      renameSync(temporary, path)
    } catch {
      // A disk without room for it: the next start takes longer.
      discard(temporary)
    }
  }
  return { store, unpacked: false, empty }
}

/** Takes away what may not be there, on a disk that may refuse even that. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Below a file there is nothing to take away.
  }
}
