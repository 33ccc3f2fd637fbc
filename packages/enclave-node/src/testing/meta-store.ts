/**
 * A sealed state that holds named values and budget ledgers alone, in memory, of which tests keep old images and put them back.
 * @module
 */
import { type Address, type Digest, digestOf } from '@sealpool/crypto'
import type { SealedStore } from '../state/sealed-store.js'
import type { Sql, SqlRow } from '../state/state-store.js'

/** All that a disk holds. */
export interface MetaImage {
  readonly version: number
  readonly meta: ReadonlyMap<string, string>
  /** Heads of each pool's ledger, from version 0. */
  readonly ledgers: ReadonlyMap<Address, readonly Digest[]>
  /** What every commit was, from the first: two images have a common past as far as these are the same. */
  readonly past: readonly string[]
}

/** A store with its images. */
export interface MetaStore extends SealedStore {
  /** The disk as it is now. */
  image(): MetaImage
  /** Charges a pool once. */
  charge(pool: Address): Promise<void>
}

const empty: MetaImage = { version: 0, meta: new Map(), ledgers: new Map(), past: [] }
let commits = 0

/** Opens a disk. @param disk an image; absent: an empty one */
export function metaStore(disk: MetaImage = empty): MetaStore {
  let now = disk
  let last: Promise<unknown> = Promise.resolve()
  const rowOf = (entry: Digest | undefined, version: number): readonly SqlRow[] =>
    entry === undefined ? [] : [{ version, entry: JSON.stringify({ hash: entry }) }]
  const transaction: MetaStore['transaction'] = (work) => {
    const turn = last.then(async () => {
      const meta = new Map(now.meta)
      let written = false
      const query: Sql['query'] = async (text, values = []) => {
        const [first, second] = values
        if (text.startsWith('select value from meta'))
          return [meta.get(String(first))].flatMap((value) => (value === undefined ? [] : [{ value }]))
        if (text.startsWith('insert into meta')) {
          meta.set(String(first), String(second))
          written = true
          return []
        }
        const ledger = now.ledgers.get(String(first) as Address) ?? []
        if (text.startsWith('select entry from ledger')) return rowOf(ledger[Number(second)], Number(second))
        if (text.startsWith('select version, entry from ledger'))
          return rowOf(ledger.at(-1), ledger.length - 1)
        throw new Error(`this store has no answer to: ${text}`)
      }
      const value = await work({ query, run: () => Promise.reject(new Error('it has no tables')) })
      if (written) commit({ ...now, meta })
      return value
    })
    last = turn.catch(() => undefined)
    return turn
  }
  const commit = (next: MetaImage): void => {
    commits += 1
    now = { ...next, version: now.version + 1, past: [...now.past, String(commits)] }
  }
  return {
    name: 'pglite',
    head: () => ({ version: now.version, state: digestOf([...now.past]) }),
    query: (text, values) => transaction((tx) => tx.query(text, values)),
    run: () => Promise.reject(new Error('it has no tables')),
    transaction,
    close: async () => undefined,
    image: () => now,
    charge: (pool) =>
      transaction(async () => {
        const ledger = now.ledgers.get(pool) ?? []
        const ledgers = new Map(now.ledgers).set(pool, [...ledger, digestOf({ pool, charge: commits + 1 })])
        commit({ ...now, ledgers })
      }),
  }
}
