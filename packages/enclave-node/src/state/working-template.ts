/**
 * A database without rows, with the tables of this release, made once and kept beside the state: reading it takes a fraction of the
 * time that making one does. It lies where the host can write, so that it is authenticated before anything of it runs; one that is not
 * this node's, or of another release, is made anew.
 * @module
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { captureForm, prepareCapture, watchTables } from './change-capture.js'
import { openEmbeddedPostgres } from './embedded-postgres.js'
import { memoryPool } from './memory-room.js'
import { migrate, migrations } from './migration.js'
import { PagedMemory } from './paged-memory.js'
import { type MemoryStore, memoryStore, openMemoryStore } from './pglite-store.js'
import { readSealedArchive, writeSealedArchive } from './sealed-archive.js'

/** Name of the file in the data folder. */
export const workingTemplateFile = 'empty-database'
const mostTemplateBytes = 128_000_000

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

/** What came of a template. */
export interface WorkingDatabase {
  readonly store: MemoryStore
  /** Whether it was unpacked; else it was made, and the template with it. */
  readonly unpacked: boolean
  /** The files of a database without tables, as PGlite takes them, where one was made. */
  readonly empty: Uint8Array<ArrayBuffer> | undefined
}

/**
 * Opens a database in this process's memory that has the tables of this release and no rows, and notes changes.
 * @param options `directory`: where the template lies or will lie; `key`: 32 secret bytes of the node; `random`: what no two have in common
 * @returns the database; without a template it takes longer, and that is all
 */
export async function openWorkingDatabase(options: {
  readonly directory: string
  readonly key: Uint8Array
  readonly random: (length: number) => Uint8Array
}): Promise<WorkingDatabase> {
  const release = pgliteRelease()
  const place = {
    path: join(options.directory, workingTemplateFile),
    key: options.key,
    about: about(release),
  }
  const files = release === undefined ? undefined : readSealedArchive(place, mostTemplateBytes)
  const pool = memoryPool(options)
  if (files !== undefined) {
    return { store: await openMemoryStore(files, pool), unpacked: true, empty: undefined }
  }
  const memory = new PagedMemory([], pool)
  const database = await openEmbeddedPostgres({ memory })
  const empty = new Uint8Array(await (await database.dumpDataDir('none')).arrayBuffer())
  const store = memoryStore(database, memory)
  await prepareCapture(store)
  await migrate(store)
  await watchTables(store)
  if (release !== undefined) {
    const made = await store.snapshot(() => undefined)
    try {
      mkdirSync(options.directory, { recursive: true, mode: 0o700 })
      await writeSealedArchive(place, made.files, { random: options.random })
    } catch {
      // A disk without room for it: the next start takes longer.
    } finally {
      made.release()
    }
  }
  return { store, unpacked: false, empty }
}

/** @returns what a template is of: tables, and how changes to them are noted */
function about(release = ''): string {
  const tables = migrations.map(({ version, up }) => `${version} ${up}`).join('\n')
  const form = createHash('sha256').update(`${captureForm}\n${tables}`).digest('hex')
  return `sealpool/empty-database/3 ${release} ${form}`
}
