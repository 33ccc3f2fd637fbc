/**
 * The embedded state store: PostgreSQL itself, compiled to WebAssembly, on a folder of its own.
 * @module
 */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import type { PGlite, PGliteInterface, Transaction } from '@electric-sql/pglite'
import { NodeError } from '../errors.js'
import { lockDirectory } from './directory-lock.js'
import { embeddedUpkeep, openEmbeddedPostgres, type Written } from './embedded-postgres.js'
import { memoryFiles, type TakenFiles } from './memory-files.js'
import { PagedMemory } from './paged-memory.js'
import { PiecePool } from './piece-pool.js'
import type { ArchivedFile } from './sealed-archive.js'
import type { Sql, SqlRow, SqlValue, StateStore } from './state-store.js'

function sqlOn(
  database: Pick<PGliteInterface | Transaction, 'query' | 'exec'>,
  noteWritten: (written: Written) => void = () => undefined,
): Sql {
  return {
    async query(text: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
      const { rows, affectedRows = 0 } = await database.query<SqlRow>(text, [...values])
      if (affectedRows > 0) noteWritten({ rows: affectedRows, bytes: bytesOf(values) + bytesOf(rows) })
      return rows
    },
    async run(text: string): Promise<void> {
      for (const { affectedRows = 0 } of await database.exec(text))
        noteWritten({ rows: affectedRows, bytes: text.length })
    },
  }
}

/** Roughly: what is neither text nor bytes is small. */
function bytesOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((bytes: number, part) => bytes + bytesOf(part), 0)
}

/**
 * Opens the embedded store. What a committed transaction wrote survives a kill of the process at any point (the
 * write-ahead log is in the operating system's hands when the commit returns); PGlite offers no fsync, so a power cut
 * of the whole machine may lose the last commits, which the chain then gives back, and is noticed where it matters:
 * the heads of the budget ledger stand on the chain.
 * @param options `directory`: the data folder, made when absent; `'memory'` keeps everything in memory (tests); `empty`: the files of
 * an empty database, which a folder without one is begun with: unpacking them takes a third of the time that making them does
 * @returns the store; migrate it before use
 * @throws NodeError `STATE_LOCKED` when a living process has it open, `STATE_UNREADABLE` when PostgreSQL cannot start on it
 */
export async function openPgliteStore(options: {
  readonly directory: string | 'memory'
  readonly empty?: () => Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Told of cleaning that failed; what was committed stands. */
  readonly onUpkeepError?: (error: unknown) => void
}): Promise<StateStore> {
  const inMemory = options.directory === 'memory'
  if (!inMemory) {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 })
    // Also when somebody else made the folder, with other ideas.
    chmodSync(options.directory, 0o700)
  }
  const unlock = inMemory ? () => undefined : lockDirectory(options.directory)
  try {
    if (inMemory) return await openMemoryStore([])
    await initialise(`${options.directory}/pglite`, options.empty)
    const database = await openEmbeddedPostgres({ dataDir: `${options.directory}/pglite` })
    return pgliteStore(database, unlock, options.onUpkeepError)
  } catch (cause) {
    unlock()
    throw new NodeError(
      'STATE_UNREADABLE',
      'data directory',
      'the embedded PostgreSQL does not start on it; restore it from a backup or start with an empty one',
      { cause },
    )
  }
}

/** A store in memory, which can give the files it stands on. */
export interface MemoryStore extends StateStore {
  /**
   * Cleans up and takes all files, at a moment between two transactions; see {@link openMemoryStore}.
   * @param note called at that moment
   */
  snapshot<T>(note: () => T): Promise<TakenFiles & { readonly at: T }>
  /** @returns why it must be closed and nothing of it may be believed any more (`SCRATCH_TAMPERED`, `SCRATCH_FAILED`); undefined while it is sound */
  fault(): NodeError | undefined
}

/** The store on an open database. @param closed called when both are closed @param onUpkeepError told of cleaning that failed */
export function pgliteStore(
  database: PGlite,
  closed: () => void,
  onUpkeepError: (error: unknown) => void = () => undefined,
): StateStore {
  const upkeep = embeddedUpkeep(database, onUpkeepError)
  return {
    name: 'pglite',
    ...sqlOn(database),
    async transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
      const written = { rows: 0, bytes: 0 }
      const note = ({ rows, bytes }: Written): void => {
        written.rows += rows
        written.bytes += bytes
      }
      const value = await database.transaction((tx) => work(sqlOn(tx, note)))
      await upkeep(written)
      return value
    },
    async close() {
      await database.close()
      closed()
    },
  }
}

/**
 * Opens a store in memory.
 * @param files of {@link MemoryStore.snapshot}; without any it is an empty one
 * @param pool keeps their pieces; it is closed with the store
 */
export async function openMemoryStore(
  files: readonly ArchivedFile[],
  pool: PiecePool = new PiecePool(),
): Promise<MemoryStore> {
  try {
    const memory = new PagedMemory(files, pool)
    return memoryStore(await openEmbeddedPostgres({ memory }), memory)
  } catch (error) {
    pool.close()
    throw error
  }
}

/** The store on an open database. @param memory where the database lies */
export function memoryStore(database: PGlite, memory: PagedMemory): MemoryStore {
  return {
    ...pgliteStore(database, () => undefined),
    fault: () => memory.fault(),
    async snapshot(note) {
      // Values of rows that went stay among what is noted of a table's rows until it is noted anew, which is never done of an empty one.
      await database.exec('delete from pg_statistic')
      await database.exec('analyze')
      // Also where few rows went: what an index holds of them stays otherwise.
      await database.exec('vacuum (index_cleanup on)')
      return database.transaction(async (tx) => {
        // All that the log must tell stands in one piece then.
        await tx.exec('select pg_switch_wal(); checkpoint')
        const { rows } = await tx.query<{ piece: string; last: string; end: number }>(
          `select pg_walfile_name(redo_lsn) as piece, last.file_name as last, last.file_offset as end
           from pg_control_checkpoint(), pg_walfile_name_offset(pg_current_wal_flush_lsn()) as last`,
        )
        const [log] = rows
        if (log === undefined || log.piece !== log.last)
          throw new RangeError('the log goes on in another piece')
        return { ...memoryFiles(memory, log), at: note() }
      })
    },
  }
}

/** Makes the database under another name first: a kill in the middle of the first start leaves nothing half made. */
async function initialise(
  path: string,
  empty: () => Promise<Uint8Array<ArrayBuffer> | undefined> = async () => undefined,
): Promise<void> {
  if (existsSync(path)) return
  const unfinished = `${path}.part`
  rmSync(unfinished, { recursive: true, force: true })
  const files = await empty()
  const database = await openEmbeddedPostgres({
    dataDir: unfinished,
    ...(files === undefined ? {} : { loadDataDir: new Blob([files]) }),
  })
  await database.close()
  renameSync(unfinished, path)
}
