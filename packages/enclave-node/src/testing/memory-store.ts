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
    image ??= openEmbeddedPostgres({ memory: new PagedMemory() }).then(async (first) => {
      const dump = await first.dumpDataDir('none')
      await first.close()
      return dump
    })
    const memory = new PagedMemory()
    return memoryStore(await openEmbeddedPostgres({ memory, loadDataDir: await image }), memory)
  }
}
