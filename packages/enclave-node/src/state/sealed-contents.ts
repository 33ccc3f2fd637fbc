/**
 * Opens what a store holds in sealed rows, and checks it against the sealed head.
 * @module
 */
import { NodeError } from '../errors.js'
import { countOfRows, headText, type KnownRows, rememberRow, totalWith } from './known-rows.js'
import type { RowCipher, SealedPlace } from './row-cipher.js'
import { readHead, readSealedRows, type SealedHead, type SealedRow, tampered } from './sealed-rows.js'
import type { Sql } from './state-store.js'

/** What is sealed in a store, at one moment. */
export interface SealedContents {
  readonly head: SealedHead
  readonly sealed: readonly SealedRow[]
  /** The same rows opened, as JSON, by table. */
  readonly rows: ReadonlyMap<string, readonly string[]>
}

/** Rows of a store, opened. */
export interface StoredRows {
  /** Rows as JSON, by table. */
  readonly rows: ReadonlyMap<string, readonly string[]>
  readonly known: KnownRows
  readonly total: bigint
}

/**
 * Reads all that a store holds, and checks it.
 * @param sql one transaction of the store that lasts, in which nothing else is seen to change
 * @returns undefined for a store that holds nothing yet
 * @throws NodeError `STATE_TAMPERED`, `STATE_OF_ANOTHER_NODE`
 */
export async function readSealedContents(
  sql: Sql,
  cipherOf: (store: Uint8Array) => RowCipher,
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

/** @throws NodeError `STATE_OF_ANOTHER_NODE` when a head was sealed with another key */
export function requireKey(head: SealedHead, cipher: RowCipher): void {
  if (String(head.keyId) === String(Uint8Array.from(cipher.keyId))) return
  throw new NodeError(
    'STATE_OF_ANOTHER_NODE',
    'data directory',
    'it was sealed with the key of another node or for other contracts; choose another data directory',
  )
}

/** @throws NodeError `STATE_TAMPERED` when a head says something else of all rows */
export function requireWhole(
  { known, total }: Pick<StoredRows, 'known' | 'total'>,
  cipher: RowCipher,
  head: SealedHead,
): void {
  if (isWhole({ known, total }, cipher, head)) return
  throw tampered('rows are missing, added, or older or newer than the rest')
}

/** @returns whether a head says of all rows what they come to */
export function isWhole(
  { known, total }: Pick<StoredRows, 'known' | 'total'>,
  cipher: RowCipher,
  head: SealedHead,
): boolean {
  return cipher.open(head.sealed, headPlace(cipher, head.version)) === headText(countOfRows(known), total)
}

/** @returns where the head lies */
export function headPlace(cipher: RowCipher, version: number): SealedPlace {
  return { name: cipher.name('', 'head'), version }
}

/** What a row is sealed as. */
export interface SealedLine {
  readonly table: string
  readonly key: string
  /** JSON; empty for a row that went. */
  readonly row: string
}

/** @returns a row as one text */
export function lineOf({ table, key, row }: SealedLine): string {
  return `${table}\n${key}\n${row}`
}

/** Reads {@link lineOf}. */
export function readLine(line: string): SealedLine {
  const endOfTable = line.indexOf('\n')
  const endOfKey = line.indexOf('\n', endOfTable + 1)
  return {
    table: line.slice(0, endOfTable),
    key: line.slice(endOfTable + 1, endOfKey),
    row: line.slice(endOfKey + 1),
  }
}

/** @throws NodeError `STATE_TAMPERED` */
export async function readAll(
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
    total = totalWith(total, weight)
    const { table, key, row: json } = readLine(line)
    rememberRow(known, table, key, { version: place.version, weight })
    const others = rows.get(table)
    if (others === undefined) rows.set(table, [json])
    else others.push(json)
  }
  return { rows, known, total }
}
