/**
 * The state at rest, encrypted and authenticated. The node works on a database in its own, protected memory; every commit
 * writes the changed rows, sealed one by one, and a sealed head over all of them into the store that lasts, which may lie on
 * anybody's disk or server. Whoever reads that store learns how many rows there are, about how large they are and when they
 * change; whoever changes, swaps, adds or takes away a row, or mixes old rows with new ones, is noticed at the next start or
 * the next write to it. A whole older copy is genuine: against that there are the anchors on the chain.
 * @module
 */
import { NodeError } from '../errors.js'
import {
  allRows,
  type ChangedRow,
  prepareCapture,
  putRows,
  shapeOf,
  takeChanges,
  watchTables,
} from './change-capture.js'
import { countOfRows, type KnownRow, type KnownRows, rememberRow } from './known-rows.js'
import type { ImagedState, MemoryImages } from './memory-image.js'
import { currentVersion, migrate } from './migration.js'
import type { EmbeddedStore } from './pglite-store.js'
import type { RowCipher } from './row-cipher.js'
import {
  insertHead,
  prepareSealedRows,
  readHead,
  readSealedRows,
  type SealedCommit,
  type SealedHead,
  type SealedRow,
  tampered,
  writeCommit,
} from './sealed-rows.js'
import type { Sql, StateStore } from './state-store.js'

/** What a sealed store stands on. */
export interface SealedStoreOptions {
  /** What lasts, and what others may read. It is closed with the sealed store. */
  readonly durable: StateStore
  /** Opens an empty database in this process's memory, once all that lasts is checked. It is closed with the sealed store. */
  readonly openWorking: () => Promise<StateStore | EmbeddedStore>
  /** Makes the cipher of the store with these random bytes, under the key from the key release. */
  readonly cipherOf: (store: Uint8Array) => RowCipher
  readonly random: (length: number) => Uint8Array
  /** Where the working database is kept while the node is stopped; absent: it is filled from the rows at every start. */
  readonly images?: MemoryImages | undefined
  /** Told when an image was not written; the rows are. */
  readonly onImageError?: (error: unknown) => void
  /** Rows from which on an image is kept: fewer are read as fast. */
  readonly rowsOfImage?: number
}

const modulus = 1n << 256n
const storeIdBytes = 16
const rowsPutAtOnce = 500
/** A start reads so many in a second. */
const rowsOfImage = 10_000
/** Tables whose rows go all the time and hold nothing of anybody. */
const passing: ReadonlySet<string> = new Set(['chain_blocks', 'revoked_tokens'])

/**
 * Opens a sealed store and checks all of it.
 * @returns the store; migrate it before use
 * @throws NodeError `STATE_TAMPERED`, `STATE_OF_ANOTHER_NODE` when it was sealed with another key, `STATE_NOT_SEALED` when an
 * earlier release wrote it in the clear, `STATE_TOO_NEW`
 */
export async function openSealedStore(options: SealedStoreOptions): Promise<StateStore> {
  const { durable, cipherOf, random } = options
  await prepareSealedRows(durable)
  const kept = await readHead(durable)
  const cipher = cipherOf(kept?.store ?? random(storeIdBytes))
  if (kept !== undefined) requireKey(kept, cipher)
  const { working, ...standing } =
    (await fromImage(options, cipher, kept)) ?? (await fromRows(options, cipher, kept))
  return sealing(options, working, { ...standing, cipher, shape: await shapeOf(working), destroyed: false })
}

/** Takes the memory as it stood, when it stood exactly as what lasts does. */
async function fromImage({ images }: SealedStoreOptions, cipher: RowCipher, head: SealedHead | undefined) {
  const rows = head && cipher.open(head.sealed, headPlace(cipher, head.version))
  if (images === undefined || head === undefined || rows === undefined) return undefined
  const image = await images.take({ store: head.store, version: head.version, rows })
  if (image === undefined) return undefined
  const { working, known } = image
  // As this release does it, whichever one wrote the image.
  await prepareCapture(working)
  await watchTables(working)
  let total = 0n
  for (const keys of known.values()) for (const { weight } of keys.values()) total += weight
  return { working, known, total: total % modulus, version: head.version }
}

async function fromRows(options: SealedStoreOptions, cipher: RowCipher, kept: SealedHead | undefined) {
  const { durable } = options
  const stored = await readAll(durable, cipher)
  const head = kept ?? (await firstHead(durable, cipher, stored.known))
  requireWhole(stored, cipher, head)
  const { rows, known, total } = stored
  const working = await options.openWorking()
  await prepareCapture(working)
  await putAll(working, rows)
  return { working, known, total, version: head.version }
}

/** What is sealed in a store, at one moment. */
export interface SealedContents {
  readonly head: SealedHead
  readonly sealed: readonly SealedRow[]
  /** The same rows opened, as JSON, by table. */
  readonly rows: ReadonlyMap<string, readonly string[]>
}

/**
 * Reads all that a store holds, and checks it as {@link openSealedStore} does.
 * @param sql one transaction of the store that lasts, in which nothing else is seen to change
 * @returns undefined for a store that holds nothing yet
 * @throws NodeError as {@link openSealedStore}
 */
export async function readSealedContents(
  sql: Sql,
  cipherOf: SealedStoreOptions['cipherOf'],
): Promise<SealedContents | undefined> {
  const head = await readHead(sql)
  if (head === undefined) return undefined
  const cipher = cipherOf(head.store)
  requireKey(head, cipher)
  const sealed: SealedRow[] = []
  const stored = await readAll(sql, cipher, (row) => sealed.push(row))
  requireWhole(stored, cipher, head)
  return { head, sealed, rows: stored.rows }
}

function requireKey(head: SealedHead, cipher: RowCipher): void {
  if (String(head.keyId) === String(Uint8Array.from(cipher.keyId))) return
  throw new NodeError(
    'STATE_OF_ANOTHER_NODE',
    'data directory',
    'it was sealed with the key of another node or for other contracts; choose another data directory',
  )
}

function requireWhole({ known, total }: StoredRows, cipher: RowCipher, head: SealedHead): void {
  if (cipher.open(head.sealed, headPlace(cipher, head.version)) === totalText(known, total)) return
  throw tampered('rows are missing, added, or older or newer than the rest')
}

/** Where a sealed store stands between two commits. */
interface Standing {
  readonly cipher: RowCipher
  readonly known: KnownRows
  total: bigint
  version: number
  shape: string
  /** Rows were destroyed since the memory was filled; what is left of them in its pages must not come onto a disk. */
  destroyed: boolean
}

function sealing(
  options: SealedStoreOptions,
  working: StateStore | EmbeddedStore,
  standing: Standing,
): StateStore {
  const { durable } = options
  let lost = false
  const transaction = async <T>(work: (tx: Sql) => Promise<T>): Promise<T> => {
    if (lost) throw stateLost()
    let sealed = false
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
          await commit(durable, standing, changes)
          sealed = true
        }
        standing.shape = shape
        return value
      })
      return result
    } catch (error) {
      // What lasts has the commit and the memory has not: going on would build on something else than what is written.
      if (sealed) lost = true
      throw error
    }
  }
  return {
    name: durable.name,
    query: (text, values) =>
      lost || !/^\s*select\b/i.test(text)
        ? transaction((tx) => tx.query(text, values))
        : working.query(text, values),
    run: (text) => transaction((tx) => tx.run(text)),
    transaction,
    async close() {
      if (!lost) {
        // Whatever is under way ends first, and nothing begins any more.
        await working.transaction(async () => {
          lost = true
        })
        await keepImage(options, working, standing).catch(options.onImageError ?? (() => undefined))
      }
      await working.close()
      await durable.close()
    },
  }
}

async function keepImage(
  { images, rowsOfImage: least = rowsOfImage }: SealedStoreOptions,
  working: StateStore | EmbeddedStore,
  { cipher, known, total, version, destroyed }: Standing,
): Promise<void> {
  if (images === undefined || destroyed || !('files' in working) || countOfRows(known) < least) return
  const state: ImagedState = { store: cipher.store, version, rows: totalText(known, total) }
  await images.keep(state, known, working)
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
): Promise<void> {
  const { cipher, known } = standing
  const version = standing.version + 1
  const added: SealedCommit['added'][number][] = []
  const changed: SealedCommit['changed'][number][] = []
  const removed: SealedCommit['removed'][number][] = []
  const after: { table: string; key: string; row: KnownRow | null }[] = []
  let { total } = standing
  let count = countOfRows(known)
  for (const { table, key, row } of wholeTables(changes, known)) {
    const before = known.get(table)?.get(key)
    const place = { name: cipher.name(table, key), version }
    total -= before?.weight ?? 0n
    count += (row === null ? 0 : 1) - (before === undefined ? 0 : 1)
    if (row === null) {
      if (before === undefined) continue
      removed.push({ name: place.name, before: before.version })
      after.push({ table, key, row: null })
      continue
    }
    const sealed = cipher.seal(`${table}\n${key}\n${row}`, place)
    const weight = cipher.weight(sealed, place)
    total += weight
    if (before === undefined) added.push({ ...place, sealed })
    else changed.push({ ...place, sealed, before: before.version })
    after.push({ table, key, row: { version, weight } })
  }
  total = ((total % modulus) + modulus) % modulus
  const head = { version, sealed: cipher.seal(headText(count, total), headPlace(cipher, version)) }
  await durable.transaction((tx) => writeCommit(tx, { added, changed, removed, head }))
  standing.total = total
  standing.version = version
  standing.destroyed ||= after.some(({ table, row }) =>
    row === null ? !passing.has(table) : table === 'deletions',
  )
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

interface StoredRows {
  /** Rows as JSON, by table. */
  readonly rows: ReadonlyMap<string, readonly string[]>
  readonly known: KnownRows
  readonly total: bigint
}

async function readAll(
  durable: Sql,
  cipher: RowCipher,
  noteRow: (row: SealedRow) => void = () => undefined,
): Promise<StoredRows> {
  const rows = new Map<string, string[]>()
  const known: KnownRows = new Map()
  let total = 0n
  for await (const row of readSealedRows(durable, cipher.decode)) {
    const { sealed, ...place } = row
    noteRow(row)
    const line = cipher.open(sealed, place)
    if (line === undefined)
      throw tampered('a stored row does not open: it was changed, or belongs to another place')
    const weight = cipher.weight(sealed, place)
    total = (total + weight) % modulus
    const endOfTable = line.indexOf('\n')
    const endOfKey = line.indexOf('\n', endOfTable + 1)
    const table = line.slice(0, endOfTable)
    rememberRow(known, table, line.slice(endOfTable + 1, endOfKey), { version: place.version, weight })
    const others = rows.get(table)
    if (others === undefined) rows.set(table, [line.slice(endOfKey + 1)])
    else others.push(line.slice(endOfKey + 1))
  }
  return { rows, known, total }
}

/** Makes the tables as they were when the rows were sealed, and fills them. */
async function putAll(working: StateStore, rows: StoredRows['rows']): Promise<void> {
  const versions = (rows.get('schema_migrations') ?? []).map(
    (row) => (JSON.parse(row) as { version: number }).version,
  )
  const version = Math.max(0, ...versions)
  if (version > currentVersion) {
    throw new NodeError(
      'STATE_TOO_NEW',
      `schema version ${version}`,
      `this release knows versions up to ${currentVersion}; start the release that wrote this data directory`,
    )
  }
  await migrate(working, version)
  await working.transaction(async (tx) => {
    for (const [table, lines] of rows) {
      if (table === 'schema_migrations') continue
      for (let from = 0; from < lines.length; from += rowsPutAtOnce) {
        await putRows(tx, table, lines.slice(from, from + rowsPutAtOnce))
      }
    }
  })
  await watchTables(working)
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

function headPlace(
  cipher: RowCipher,
  version: number,
): { readonly name: Uint8Array; readonly version: number } {
  return { name: cipher.name('', 'head'), version }
}

function totalText(known: KnownRows, total: bigint): string {
  return headText(countOfRows(known), total)
}

function headText(count: number, total: bigint): string {
  return `${count} ${total.toString(16)}`
}

function stateLost(): NodeError {
  return new NodeError(
    'STATE_LOST',
    'state',
    'the memory does not follow what was written; start the node again, it reads what is written',
  )
}
