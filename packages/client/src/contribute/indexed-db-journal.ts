/**
 * A contribution journal in IndexedDB, for pages and workers.
 * @module
 */
import type { ContributionJournal } from './contribution-journal.js'

const storeName = 'contributions'

/**
 * A journal in IndexedDB: unlike `localStorage` it is there in workers too, and it asks the browser to have every write on disk
 * before it is fulfilled (`durability: 'strict'`, a hint that browsers may not follow).
 *
 * @param options - which database; all of it may be left out
 * @param options.factory default `globalThis.indexedDB`
 * @param options.name of the database, made when absent; default `sealpool`. It is this journal's own: another program's is not touched
 * @returns the journal; its calls reject with the `DOMException` of the browser, for example `QuotaExceededError`, and with
 *   `InvalidStateError` where there is no IndexedDB
 */
export function indexedDbJournal(
  options: { readonly factory?: IDBFactory | undefined; readonly name?: string | undefined } = {},
): ContributionJournal {
  const { factory = globalThis.indexedDB as IDBFactory | undefined, name = 'sealpool' } = options
  const run = async <Result>(
    mode: IDBTransactionMode,
    ask: (store: IDBObjectStore) => IDBRequest<Result>,
  ): Promise<Result> => {
    if (factory === undefined) throw new DOMException('there is no IndexedDB here', 'InvalidStateError')
    const database = await openDatabase(factory, name)
    try {
      return await completed(database.transaction(storeName, mode, { durability: 'strict' }), ask)
    } finally {
      // Open only for one call: a page that keeps it open would block other tabs from deleting or upgrading it.
      database.close()
    }
  }
  return {
    async get(key) {
      const found: unknown = await run('readonly', (store) => store.get(key))
      return typeof found === 'string' ? found : undefined
    },
    async setIfAbsent(key, text) {
      // Requests of one transaction, which no other that writes runs beside: the second is for naught where there is a text already.
      const found: unknown = await run('readwrite', (store) => {
        const there = store.get(key)
        there.onsuccess = () => {
          if (typeof there.result !== 'string') store.put(text, key)
        }
        return there
      })
      return typeof found === 'string' ? found : text
    },
    async set(key, text) {
      await run('readwrite', (store) => store.put(text, key))
    },
    async delete(key) {
      await run('readwrite', (store) => store.delete(key))
    },
  }
}

function openDatabase(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(storeName)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/** A request counts as done when its whole transaction is: before that the browser may still take it back. */
function completed<Result>(
  transaction: IDBTransaction,
  ask: (store: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const request = ask(transaction.objectStore(storeName))
    transaction.oncomplete = () => resolve(request.result)
    transaction.onabort = () => reject(transaction.error ?? request.error)
  })
}
