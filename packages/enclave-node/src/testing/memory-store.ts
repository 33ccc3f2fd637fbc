/**
 * Empty stores in memory for tests that need many: the database is made once and copied.
 * @module
 */
import { PGlite } from '@electric-sql/pglite'
import { pgliteStore } from '../state/pglite-store.js'
import type { StateStore } from '../state/state-store.js'

/** @returns a function that opens another empty store with every call */
export function memoryStores(): () => Promise<StateStore> {
  let image: Promise<File | Blob> | undefined
  return async () => {
    image ??= PGlite.create({ dataDir: 'memory://' }).then(async (first) => {
      const dump = await first.dumpDataDir('none')
      await first.close()
      return dump
    })
    const database = await PGlite.create({ dataDir: 'memory://', loadDataDir: await image })
    return pgliteStore(database, () => undefined)
  }
}
