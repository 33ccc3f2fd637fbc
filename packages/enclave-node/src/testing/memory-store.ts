/**
 * Empty stores in memory for tests that need many: the database is made once and copied.
 * @module
 */
import { openEmbeddedPostgres } from '../state/embedded-postgres.js'
import { PagedMemory } from '../state/paged-memory.js'
import { memoryStore } from '../state/pglite-store.js'
import type { StateStore } from '../state/state-store.js'

/** @returns a function that opens another empty store with every call */
export function memoryStores(): () => Promise<StateStore> {
  let image: Promise<File | Blob> | undefined
  return async () => {
    const memory = new PagedMemory()
    if (image === undefined) {
      const first = openEmbeddedPostgres({ memory })
      image = first.then((database) => database.dumpDataDir('none'))
      await image
      return memoryStore(await first, memory)
    }
    return memoryStore(await openEmbeddedPostgres({ memory, loadDataDir: await image }), memory)
  }
}
