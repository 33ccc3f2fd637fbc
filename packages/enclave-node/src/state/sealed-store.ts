/**
 * The state at rest, encrypted and authenticated. The node works on a database in its own, protected memory; every commit
 * writes the changed rows, sealed one by one, and a sealed head over all of them into the store that lasts, which may lie on
 * anybody's disk or server. Whoever reads that store learns how many rows there are, about how large they are and when they
 * change; whoever changes, swaps, adds or takes away a row, or mixes old rows with new ones, is noticed at the next start or
 * the next write to it. A whole older copy is genuine: against that there are the anchors on the chain.
 * @module
 */
import { type Digest, digestOf, encodeHex } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { allRows, type ChangedRow, shapeOf, takeChanges, watchTables } from './change-capture.js'
import { destroys } from './destroyed-rows.js'
import { fillTables } from './filled-tables.js'
import { forgetGoneRows, noteGoneRows, prepareGoneRows } from './gone-rows.js'
import { type ImageKeeper, type ImagePace, imageKeeper } from './image-keeper.js'
import { countOfRows, headText, type KnownRow, type KnownRows, rememberRow, totalWith } from './known-rows.js'
import type { MemoryImages } from './memory-image.js'
import { bringUpToDate } from './memory-since.js'
import type { MemoryStore } from './pglite-store.js'
import { startRowCheck } from './row-check.js'
import type { RowCipher } from './row-cipher.js'
import { headPlace, lineOf, readAll, requireKey, requireWhole } from './sealed-contents.js'
import {
  insertHead,
  prepareSealedRows,
  readHead,
  type SealedCommit,
  type SealedHead,
  type SealedRow,
  tampered,
  writeCommit,
} from './sealed-rows.js'
import type { Sql, StateStore } from './state-store.js'
import { tablesVersion } from './tables-version.js'

/** What a sealed store stands on. */
export interface SealedStoreOptions {
  /** What lasts, and what others may read. It is closed with the sealed store. */
  readonly durable: StateStore
  /**
   * Opens a database without rows in this process's memory, once all that lasts is checked. It is closed with the sealed store.
   * @param version of the tables that rows are to be put into, undefined when there are none: a database may have these tables, or none
   */
  readonly openWorking: (version: number | undefined) => Promise<StateStore>
  /** Makes the cipher of the store with these random bytes, under the key from the key release. */
  readonly cipherOf: (store: Uint8Array) => RowCipher
  readonly random: (length: number) => Uint8Array
  /** Where the memory's image is kept; absent: the memory is filled from all rows at every start. */
  readonly images?: MemoryImages | undefined
  /** Told when an image was not written; the rows are. */
  readonly onImageError?: (error: unknown) => void
  /** When images are taken; the node's own pace when absent. */
  readonly imagePace?: ImagePace
  /**
   * Has rows that a start on an image did not open be looked at afterwards, with a pause between two pieces; absent: each is looked at when it
   * is written again.
   */
  readonly checkPause?: () => Promise<void>
  /** Told once when nothing can be read or written any more: whoever opened the store starts anew, or not at all. */
  readonly onLost?: (error: NodeError) => void
}

/** How far a sealed state has come. */
export interface StateRoot {
  /** Commits so far. */
  readonly version: number
  /** SHA-256 over what the sealed head says: which store, which commit, and the keyed sum over every sealed row. */
  readonly state: Digest
}

/** A store whose rows are sealed. */
export interface SealedStore extends StateStore {
  /** @returns how far it has come; within a transaction, without that one */
  head(): StateRoot
}

const storeIdBytes = 16

/**
 * Opens a sealed store and checks all of it.
 * @returns the store; migrate it before use
 * @throws NodeError `STATE_TAMPERED`, `STATE_OF_ANOTHER_NODE` when it was sealed with another key, `STATE_NOT_SEALED` when an
 * earlier release wrote it in the clear, `STATE_TOO_NEW`
 */
export async function openSealedStore(options: SealedStoreOptions): Promise<SealedStore> {
  const { durable, cipherOf, random } = options
  await prepareSealedRows(durable)
  const kept = await readHead(durable)
  const cipher = cipherOf(kept?.store ?? random(storeIdBytes))
  if (kept !== undefined) requireKey(kept, cipher)
  const filled = (await fromImage(options, cipher, kept)) ?? (await fromRows(options, cipher, kept))
  return sealing(options, cipher, filled)
}

/** A memory that holds what lasts. */
interface FilledMemory {
  readonly working: StateStore | MemoryStore
  readonly known: KnownRows
  readonly total: bigint
  readonly version: number
  /** What tables there are; another text than any when none of their rows is sealed. */
  readonly shape: string
  /** Rows that are others than in the image that lies there; undefined when none does. */
  readonly since: number | undefined
}

async function fromImage(
  { durable, images }: SealedStoreOptions,
  cipher: RowCipher,
  head: SealedHead | undefined,
): Promise<FilledMemory | undefined> {
  if (images === undefined) return undefined
  await prepareGoneRows(durable)
  // Whatever is wrong with it: all rows are read then, and say what is wrong with them.
  const image = await images.load().catch(() => undefined)
  const current =
    image && head && (await bringUpToDate(image, { durable, cipher, head }).catch(() => undefined))
  if (image === undefined || head === undefined || current === undefined) {
    // Also when it does not close in good order: nothing of it is used.
    await image?.working.close().catch(() => undefined)
    images.remove()
    await forgetGoneRows(durable)
    return undefined
  }
  const { working, known } = image
  const { total, changes } = current
  return { working, known, total, version: head.version, shape: await shapeOf(working), since: changes }
}

async function fromRows(
  { durable, openWorking }: SealedStoreOptions,
  cipher: RowCipher,
  kept: SealedHead | undefined,
): Promise<FilledMemory> {
  const stored = await readAll(durable, cipher)
  const head = kept ?? (await firstHead(durable, cipher, stored.known))
  requireWhole(stored, cipher, head)
  const { rows, known, total } = stored
  const version = tablesVersion(rows)
  const working = await openWorking(version)
  await fillTables(working, rows, version)
  const shape = version === undefined ? '' : await shapeOf(working)
  return { working, known, total, version: head.version, shape, since: undefined }
}

/** Where a sealed store stands between two commits. */
interface Standing {
  readonly cipher: RowCipher
  readonly known: KnownRows
  total: bigint
  version: number
  shape: string
  /** Why nothing may be read or written any more. */
  lost: NodeError | undefined
}

function sealing(options: SealedStoreOptions, cipher: RowCipher, filled: FilledMemory): SealedStore {
  const { durable } = options
  const { working, since, ...start } = filled
  const standing: Standing = { ...start, cipher, lost: undefined }
  const keeper = keeperOf(options, standing, { working, since })
  const lose = (error: NodeError): void => {
    if (standing.lost !== undefined) return
    standing.lost = error
    options.onLost?.(error)
  }
  const { checkPause, onImageError = () => undefined } = options
  const check =
    since === undefined || checkPause === undefined
      ? undefined
      : startRowCheck({
          ...standing,
          durable,
          between: (work) => working.transaction(work),
          pause: checkPause,
          wanted: () => standing.lost === undefined,
          onError(error) {
            lose(error)
            try {
              // The next start reads all rows, and says the same.
              keeper?.forget()
            } catch (left) {
              onImageError(left)
            }
          },
        })
  /** Ends the store when its memory cannot be believed any more. @returns why: what PostgreSQL made of it says nothing */
  const faultOfMemory = (): NodeError | undefined => {
    const fault = 'fault' in working ? working.fault() : undefined
    if (fault !== undefined) lose(fault)
    return fault
  }
  const transaction = async <T>(work: (tx: Sql) => Promise<T>): Promise<T> => {
    faultOfMemory()
    if (standing.lost !== undefined) throw standing.lost
    let sealed = 0
    try {
      const result = await working.transaction(async (tx) => {
        let defined = false
        const value = await work({
          query: (text, values) => tx.query(text, values),
          run(text) {
            defined = true
            return tx.run(text)
          },
        })
        const shape = defined ? await shapeOf(tx) : standing.shape
        const changes = await changesOf(tx, standing, shape)
        if (changes.length > 0) {
          await commit(durable, standing, changes, keeper)
          sealed = changes.length
        }
        standing.shape = shape
        return value
      })
      keeper?.committed(sealed)
      return result
    } catch (error) {
      const fault = faultOfMemory()
      // What lasts has the commit and the memory has not: going on would build on something else than what is written.
      if (sealed > 0) lose(stateLost())
      throw fault ?? error
    }
  }
  return {
    name: durable.name,
    head() {
      const { version, known, total } = standing
      const store = encodeHex(cipher.store)
      return { version, state: digestOf({ store, version, head: headText(countOfRows(known), total) }) }
    },
    query(text, values) {
      if (faultOfMemory() !== undefined || standing.lost !== undefined || !/^\s*select\b/i.test(text))
        return transaction((tx) => tx.query(text, values))
      return working.query(text, values).catch((error: unknown) => {
        throw faultOfMemory() ?? error
      })
    },
    run: (text) => transaction((tx) => tx.run(text)),
    transaction,
    async close() {
      check?.end()
      await check?.done
      try {
        await keeper?.close()
        await working.close()
      } catch (error) {
        // One that is lost need not close in good order.
        if (standing.lost === undefined) throw error
      } finally {
        await durable.close()
      }
    },
  }
}

function keeperOf(
  { durable, images, imagePace, onImageError }: SealedStoreOptions,
  standing: Standing,
  { working, since }: { readonly working: StateStore | MemoryStore; readonly since: number | undefined },
): ImageKeeper | undefined {
  if (images === undefined || !('snapshot' in working)) return undefined
  return imageKeeper(
    {
      images,
      durable,
      working,
      store: standing.cipher.store,
      known: standing.known,
      version: () => standing.version,
      sound: () => standing.lost === undefined,
    },
    {
      since,
      ...(imagePace === undefined ? {} : { pace: imagePace }),
      ...(onImageError === undefined ? {} : { onError: onImageError }),
    },
  )
}

/** The rows that a transaction leaves otherwise than they are sealed. Another shape of the tables concerns every row. */
async function changesOf(tx: Sql, standing: Standing, shape: string): Promise<readonly ChangedRow[]> {
  if (shape === standing.shape) return takeChanges(tx)
  await watchTables(tx)
  await takeChanges(tx)
  const rows = await allRows(tx)
  const present = new Set(rows.map(({ table, key }) => `${table}\n${key}`))
  const gone = [...standing.known].flatMap(([table, keys]) =>
    [...keys.keys()].flatMap((key) => (present.has(`${table}\n${key}`) ? [] : [{ table, key, row: null }])),
  )
  return [...rows, ...gone]
}

async function commit(
  durable: StateStore,
  standing: Standing,
  changes: readonly ChangedRow[],
  keeper: ImageKeeper | undefined,
): Promise<void> {
  const { cipher, known } = standing
  const version = standing.version + 1
  const all = wholeTables(changes, known)
  if (all.some((change) => destroys(change, known))) keeper?.forget()
  const follows = keeper?.follows() === true
  const added: SealedCommit['added'][number][] = []
  const changed: SealedCommit['changed'][number][] = []
  const removed: SealedCommit['removed'][number][] = []
  const gone: SealedRow[] = []
  const after: { table: string; key: string; row: KnownRow | null }[] = []
  let { total } = standing
  let count = countOfRows(known)
  for (const { table, key, row } of all) {
    const before = known.get(table)?.get(key)
    const place = { name: cipher.name(table, key), version }
    total -= before?.weight ?? 0n
    count += (row === null ? 0 : 1) - (before === undefined ? 0 : 1)
    if (row === null) {
      if (before === undefined) continue
      removed.push({ name: place.name, before: before.version })
      if (follows) gone.push({ ...place, sealed: cipher.seal(lineOf({ table, key, row: '' }), place) })
      after.push({ table, key, row: null })
      continue
    }
    const sealed = cipher.seal(lineOf({ table, key, row }), place)
    const weight = cipher.weight(sealed, place)
    total += weight
    if (before === undefined) added.push({ ...place, sealed })
    else changed.push({ ...place, sealed, before: before.version })
    after.push({ table, key, row: { version, weight } })
  }
  total = totalWith(total, 0n)
  const head = { version, sealed: cipher.seal(headText(count, total), headPlace(cipher, version)) }
  await durable.transaction(async (tx) => {
    await writeCommit(tx, { added, changed, removed, head })
    await noteGoneRows(tx, gone)
  })
  standing.total = total
  standing.version = version
  for (const { table, key, row } of after) {
    if (row === null) known.get(table)?.delete(key)
    else rememberRow(known, table, key, row)
  }
}

/** Spells out "all rows of a table". */
function wholeTables(changes: readonly ChangedRow[], known: KnownRows): readonly ChangedRow[] {
  const emptied = changes.filter(({ key }) => key === '').map(({ table }) => table)
  if (emptied.length === 0) return changes
  const named = changes.filter(({ key }) => key !== '')
  const present = new Set(named.map(({ table, key }) => `${table}\n${key}`))
  return [
    ...named,
    ...emptied.flatMap((table) =>
      [...(known.get(table)?.keys() ?? [])].flatMap((key) =>
        present.has(`${table}\n${key}`) ? [] : [{ table, key, row: null }],
      ),
    ),
  ]
}

/** The head of a store that has none yet. */
async function firstHead(durable: StateStore, cipher: RowCipher, known: KnownRows): Promise<SealedHead> {
  if (known.size > 0) throw tampered('there are rows and no head')
  const head = {
    store: cipher.store,
    keyId: cipher.keyId,
    version: 0,
    sealed: cipher.seal(headText(0, 0n), headPlace(cipher, 0)),
  }
  await insertHead(durable, head)
  return head
}

function stateLost(): NodeError {
  return new NodeError(
    'STATE_LOST',
    'state',
    'the memory does not follow what was written; start the node again, it reads what is written',
  )
}
