/**
 * Brings the image of a memory up to what lasts: by the rows that were written, and those that went, since it was taken.
 * @module
 */
import { equalBytes } from '@sealpool/crypto'
import { type ReplacedRows, replaceRows } from './change-capture.js'
import { readGoneRows } from './gone-rows.js'
import { rememberRow, totalOfRows } from './known-rows.js'
import type { MemoryImage } from './memory-image.js'
import type { RowCipher } from './row-cipher.js'
import { isWhole, readLine } from './sealed-contents.js'
import { readSealedRows, type SealedHead } from './sealed-rows.js'
import type { Sql } from './state-store.js'

/**
 * Brings an image up to date. What the head says of all rows is held against those of the image with the rows since: the same check as
 * over rows that were all read, so that an older or newer store, one of another course of things, and a row that was changed since the
 * image, are found. A row from before it is not read here; it is what it was when this node sealed the image.
 * @param image its memory and rows are changed; of no use when it is not brought up to date
 * @returns what all rows come to and how many are other rows than in the image, or undefined when the image does not lead to what lasts
 */
export async function bringUpToDate(
  image: MemoryImage,
  { durable, cipher, head }: { readonly durable: Sql; readonly cipher: RowCipher; readonly head: SealedHead },
): Promise<{ readonly total: bigint; readonly changes: number } | undefined> {
  const { known, working, version } = image
  if (version > head.version || !equalBytes(image.store, head.store)) return undefined
  const tables = new Map<string, { keys: string[]; rows: string[] }>()
  const tableOf = (table: string): { keys: string[]; rows: string[] } => {
    const found = tables.get(table) ?? { keys: [], rows: [] }
    tables.set(table, found)
    return found
  }
  let changes = 0
  // Those that went first: one may have come back.
  for (const { sealed, ...place } of await readGoneRows(durable, version)) {
    const line = cipher.open(sealed, place)
    if (line === undefined) return undefined
    const { table, key } = readLine(line)
    if (known.get(table)?.delete(key) === true) tableOf(table).keys.push(key)
    changes += 1
  }
  for await (const { sealed, ...place } of readSealedRows(durable, cipher.decode, { after: version })) {
    const line = cipher.open(sealed, place)
    if (line === undefined) return undefined
    const { table, key, row } = readLine(line)
    rememberRow(known, table, key, { version: place.version, weight: cipher.weight(sealed, place) })
    tableOf(table).keys.push(key)
    tableOf(table).rows.push(row)
    changes += 1
  }
  // The tables are others since.
  if (tables.has('schema_migrations')) return undefined
  const total = totalOfRows(known)
  if (!isWhole({ known, total }, cipher, head)) return undefined
  if (changes > 0)
    await working.transaction((tx) => replaceRows(tx, tables satisfies ReadonlyMap<string, ReplacedRows>))
  return { total, changes }
}
