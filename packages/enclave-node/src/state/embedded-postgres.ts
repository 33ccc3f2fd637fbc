/**
 * How PGlite is started and kept in shape. It is PostgreSQL in single-user mode: there is no checkpointer, so that its write-ahead log
 * would grow for ever, in memory as on disk, and no autovacuum. Both are done here, between transactions.
 * @module
 */
import { PGlite, type PGliteOptions } from '@electric-sql/pglite'
import type { PagedMemory } from './paged-memory.js'

/** Commits between two checkpoints: some megabytes of log. */
export const commitsPerCheckpoint = 500
/** Written rows between two checkpoints, for commits of many rows. */
export const rowsPerCheckpoint = 5_000
/** Commits between two cleanings of what updates and deletions left; they bring the planner's statistics up to date as well. */
export const commitsPerVacuum = 2_000
/** Written rows between two cleanings: a batch of contributions writes hundreds in one commit. */
export const rowsPerVacuum = 10_000
/** Written bytes between two checkpoints, for rows that are large: a job over 20,000 contributions names each of them. */
export const bytesPerCheckpoint = 16_000_000
/** Written bytes between two cleanings. */
export const bytesPerVacuum = 64_000_000

/** Values of a column that the planner knows of; the node finds rows by their keys and by a few states. */
const statisticsTarget = 20

const megabytes = (setting: string, value: number): readonly string[] => ['-c', `${setting}=${value}MB`]

// Small pieces of log: what is kept of it is counted in pieces. Rows are authenticated where they are sealed.
const initDbStartParams = ['--wal-segsize=1', '--no-data-checksums']

/**
 * Opens PGlite with little memory of its own: 128 MB of buffers, its default, would fill beside what the system keeps of the same files.
 * @param options as PGlite's; `memory`: where the database lies that ends with the process, so that its log needs no page images; absent for a folder
 */
export async function openEmbeddedPostgres({
  memory,
  ...options
}: Omit<PGliteOptions, 'fs'> & { readonly memory?: PagedMemory }): Promise<PGlite> {
  const inMemory = memory !== undefined
  // By itself PGlite would make another memory, an archive of it, and the files out of that.
  if (memory?.isEmpty() === true && options.loadDataDir === undefined) await makeDatabase(memory)
  return PGlite.create({
    initDbStartParams,
    startParams: [
      ...PGlite.defaultStartParams,
      // What is not in them is a copy away where the files are in memory as well.
      ...megabytes('shared_buffers', inMemory ? 8 : 16),
      // Folders of earlier releases have pieces of 16 MB, and need two of them.
      ...megabytes('min_wal_size', inMemory ? 4 : 32),
      // Pieces that were written are kept for use again, up to this: in memory they take room.
      ...megabytes('max_wal_size', inMemory ? 16 : 64),
      ...['-c', 'wal_level=minimal', '-c', 'max_wal_senders=0'],
      // Cleaning takes as many rows into memory as this is multiplied by 300, and never gives the memory back: with 100, its default, 30 MB and more.
      ...['-c', `default_statistics_target=${statisticsTarget}`],
      ...megabytes('maintenance_work_mem', 8),
      ...(inMemory ? ['-c', 'full_page_writes=off'] : []),
    ],
    ...options,
    ...(inMemory ? { fs: memory } : {}),
  })
}

async function makeDatabase(memory: PagedMemory): Promise<void> {
  const made = await PGlite.create({ initDbStartParams })
  try {
    await made.exec('checkpoint')
    memory.takeFrom(made.Module.FS, PGlite.paths.PGDATA)
  } finally {
    await made.close()
  }
}

/** What a commit wrote. */
export interface Written {
  readonly rows: number
  /** Of the values that went in, and of those that came out of rows that went. */
  readonly bytes: number
}

/**
 * Counts commits and what they wrote, and does what is due.
 * @param onError told of what could not be done; commits go on
 * @returns called after each commit, outside of any transaction, with what it wrote
 */
export function embeddedUpkeep(
  database: Pick<PGlite, 'exec'>,
  onError: (error: unknown) => void,
): (written: Written) => Promise<void> {
  const tasks = [
    {
      text: 'vacuum (analyze)',
      most: { commits: commitsPerVacuum, rows: rowsPerVacuum, bytes: bytesPerVacuum },
    },
    {
      text: 'checkpoint',
      most: { commits: commitsPerCheckpoint, rows: rowsPerCheckpoint, bytes: bytesPerCheckpoint },
    },
  ].map((task) => ({ ...task, since: { commits: 0, rows: 0, bytes: 0 } }))
  return async ({ rows, bytes }) => {
    for (const { since } of tasks) {
      since.commits += 1
      since.rows += rows
      since.bytes += bytes
    }
    try {
      for (const { text, since, most } of tasks) {
        if (since.commits < most.commits && since.rows < most.rows && since.bytes < most.bytes) continue
        // Counted anew first: what cannot be done now is not tried again at every commit.
        Object.assign(since, { commits: 0, rows: 0, bytes: 0 })
        await database.exec(text)
      }
    } catch (error) {
      onError(error)
      // The commit stands. A disk without room for this has none for the next commit either, which says so.
    }
  }
}
