import { describe, expect, test } from 'vitest'
import { indexedDbJournal } from './indexed-db-journal.js'

const name = () => `sealpool-test-${crypto.randomUUID()}`

/** The same database, whose requests can be made to fail. */
async function keysOf(database: string): Promise<unknown> {
  const opened = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(database)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  try {
    return await new Promise((resolve, reject) => {
      const request = opened.transaction('contributions').objectStore('contributions').getAllKeys()
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  } finally {
    opened.close()
  }
}

describe('a journal in IndexedDB', () => {
  test('gives back what was written last under a key, and nothing for another', async () => {
    const journal = indexedDbJournal({ name: name() })
    expect(await journal.get('payslips')).toBeUndefined()
    await journal.set('payslips', 'first')
    await journal.set('payslips', 'second')
    await journal.set('other', 'third')
    expect(await journal.get('payslips')).toBe('second')
    expect(await journal.get('other')).toBe('third')
    expect(await journal.get('constructor')).toBeUndefined()
  })

  test('forgets a deleted key, and deleting one that is not there is harmless', async () => {
    const database = name()
    const journal = indexedDbJournal({ name: database })
    await journal.set('payslips', 'text')
    await journal.delete('payslips')
    await journal.delete('payslips')
    expect(await journal.get('payslips')).toBeUndefined()
    expect(await keysOf(database)).toEqual([])
  })

  test('is one journal for all that name the same database, and another one for another name', async () => {
    const database = name()
    await indexedDbJournal({ name: database }).set('payslips', 'text')
    expect(await indexedDbJournal({ name: database }).get('payslips')).toBe('text')
    expect(await indexedDbJournal({ name: name() }).get('payslips')).toBeUndefined()
  })

  test('keeps the first text where several tabs write at once to be the first, and tells it to all', async () => {
    const database = name()
    const tabs = Array.from({ length: 20 }, () => indexedDbJournal({ name: database }))
    const told = await Promise.all(tabs.map((tab, index) => tab.setIfAbsent('payslips', `tab ${index}`)))
    expect(new Set(told).size).toBe(1)
    expect(await tabs[0]?.get('payslips')).toBe(told[0])
    await tabs[0]?.delete('payslips')
    expect(await tabs[1]?.setIfAbsent('payslips', 'later')).toBe('later')
  })

  test('takes many writes at once, each whole', async () => {
    const journal = indexedDbJournal({ name: name() })
    const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`)
    await Promise.all(keys.map((key) => journal.set(key, key.repeat(1000))))
    expect(await Promise.all(keys.map((key) => journal.get(key)))).toEqual(
      keys.map((key) => key.repeat(1000)),
    )
  })

  test('keeps no connection open, so that the database can be deleted at any time', async () => {
    const database = name()
    const journal = indexedDbJournal({ name: database })
    await journal.set('payslips', 'text')
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(database)
      request.onsuccess = () => resolve()
      request.onblocked = () => reject(new Error('a connection is still open'))
      request.onerror = () => reject(request.error)
    })
    expect(await journal.get('payslips')).toBeUndefined()
  })

  test('rejects with the browser’s own error: a database of a newer version', async () => {
    const database = name()
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.open(database, 2)
      request.onsuccess = () => {
        request.result.close()
        resolve()
      }
      request.onerror = () => reject(request.error)
    })
    await expect(indexedDbJournal({ name: database }).set('payslips', 'text')).rejects.toMatchObject({
      name: 'VersionError',
    })
  })

  test('a write whose transaction is aborted after the request succeeded is a failure', async () => {
    const factory = {
      open(...options: Parameters<IDBFactory['open']>) {
        const request = indexedDB.open(...options)
        request.addEventListener('success', () => {
          const begin = request.result.transaction.bind(request.result)
          request.result.transaction = (...asked: Parameters<typeof begin>) => {
            const transaction = begin(...asked)
            queueMicrotask(() => transaction.abort())
            return transaction
          }
        })
        return request
      },
    } as IDBFactory
    const database = name()
    await expect(indexedDbJournal({ name: database, factory }).set('payslips', 'text')).rejects.toBeDefined()
    expect(await indexedDbJournal({ name: database }).get('payslips')).toBeUndefined()
  })
})
