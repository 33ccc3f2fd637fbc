import { createKeyedFingerprint } from '@sealpool/privacy'
import { PocError } from '../errors.js'
import { coarseRows } from './coarse-rows.js'
import { contentItems, type ItemSource } from './content-items.js'
import { assertSketchKey } from './content-sketch.js'
import { shareOfNudgedRows } from './nudged-rows.js'
import { isTelling, withoutOneCell } from './telling-row.js'

/** Remembers single rows of all contributions, so that a row sold twice is seen wherever it hides. */
export interface RowIndex {
  /** Rows in it: each distinct one, and those of files once more without the names of columns, as they are and with each column left out. */
  readonly size: number
  /** Bytes that it takes. */
  readonly bytes: number
  /**
   * Share of a file's distinct rows that no earlier contribution held, 0 to 1; 0 for a file without rows. Where most of the rows are held or
   * next to ones that are (numbers a step of two significant digits away), it falls to 0 with what is left of them: a copy whose numbers
   * were moved out of their steps is none of it new. Coarse rows of earlier contributions (`coarseRows`) count for coarse rows alone: who
   * lists all values that others can have takes nothing from them. Of a file that was taken apart the smaller of two shares counts: with the
   * names of columns, and without them (`ContentItems.unnamed`), where a row with one column more or fewer is the same row.
   */
  novelty(file: RowFile): number
  /** @returns whether it holds an item (`ContentItems.items`) that no contribution brought as a coarse row */
  holds(item: string): boolean
  /** Takes a file's rows in; @returns how many were new */
  add(file: RowFile): number
  /** What a file keeps of it: 64 bits of each row, big-endian, in rising order; the same rows give the same bytes. */
  toBytes(): Uint8Array
}

/** Bytes of one row in a file. */
export const ROW_ENTRY_BYTES = 8

/** A file whose rows are asked about, or its items (`itemsOf`). */
export type RowFile = ItemSource

/**
 * Makes a row index under the pool's key. It keeps 64 bits of a keyed fingerprint for each row, so whoever has the index but not the
 * key cannot test for a row.
 *
 * @param options `key`: at least 32 secret bytes, one per pool; `from`: what `toBytes` gave
 * @returns an index in memory, empty or as it was; it grows by doubling
 * @throws PocError `KEY_INVALID`, `OPTION_INVALID`
 */
export function createRowIndex(options: { readonly key: Uint8Array; readonly from?: Uint8Array }): RowIndex {
  const { key, from = new Uint8Array() } = options
  assertSketchKey(key)
  let room = 4096
  let size = 0
  // Open addressing; a row is two words, and the pair of zeros marks a free slot.
  let table = new Uint32Array(room * 2)

  const find = (high: number, low: number): number => {
    for (let slot = low & (room - 1); ; slot = (slot + 1) & (room - 1)) {
      const first = table[slot * 2] ?? 0
      const second = table[slot * 2 + 1] ?? 0
      if ((first === high && second === low) || (first === 0 && second === 0)) return slot
    }
  }
  const has = (slot: number): boolean => table[slot * 2] !== 0 || table[slot * 2 + 1] !== 0
  const insert = (high: number, low: number): boolean => {
    const slot = find(high, low)
    if (has(slot)) return false
    table[slot * 2] = high
    table[slot * 2 + 1] = low
    size++
    if (size * 2 > room) {
      const old = table
      room *= 2
      table = new Uint32Array(room * 2)
      for (let at = 0; at < old.length; at += 2) {
        const [first = 0, second = 0] = [old[at], old[at + 1]]
        if (first === 0 && second === 0) continue
        const place = find(first, second)
        table[place * 2] = first
        table[place * 2 + 1] = second
      }
    }
    return true
  }
  const wordsOf = (hex: string): readonly [number, number] => {
    const high = Number.parseInt(hex.slice(0, 8), 16)
    return [high, Number.parseInt(hex.slice(8, 16), 16) || 1]
  }
  /** Rows with names of columns and without are in domains of their own, and so are those that lack a column. */
  const domains = (kind: '' | '/unnamed' | '/lacking') => ({
    fine: createKeyedFingerprint({ key, domain: `sealpool/row/3${kind}` }),
    coarse: createKeyedFingerprint({ key, domain: `sealpool/row/3${kind}/coarse` }),
  })
  const [named, unnamed, lacking] = [domains(''), domains('/unnamed'), domains('/lacking')]
  const isIn = (item: string, isCoarse: boolean, { fine, coarse }: typeof named): boolean =>
    has(find(...wordsOf(fine(item)))) || (isCoarse && has(find(...wordsOf(coarse(item)))))
  const put = (item: string, isCoarse: boolean, { fine, coarse }: typeof named): boolean =>
    isCoarse
      ? !has(find(...wordsOf(fine(item)))) && insert(...wordsOf(coarse(item)))
      : insert(...wordsOf(fine(item)))
  const isHeld = (item: string, isCoarse: boolean): boolean => isIn(item, isCoarse, named)
  /** Share of items that are new: neither held, nor most of them next to ones that are. */
  const shareOfNew = (
    items: readonly string[],
    coarse: ReadonlySet<string>,
    isKnownNext: (item: string, isCoarse: boolean) => boolean,
    isKnown: (item: string, isCoarse: boolean) => boolean = isKnownNext,
  ): number => {
    const fresh = items.flatMap((item) => {
      const isCoarse = coarse.has(item)
      return isKnown(item, isCoarse) ? [] : [{ item, order: wordsOf(named.fine(item))[0], isCoarse }]
    })
    if (fresh.length === 0) return 0
    const share = fresh.length / items.length
    const held = 1 - share + share * shareOfNudgedRows({ rows: fresh, isKnown: isKnownNext })
    // Honest rows stand beside others by chance, up to half of them for nothing; of a nudged copy all do.
    return Math.min(share, 2 * (1 - held))
  }
  if (from.length % ROW_ENTRY_BYTES !== 0) {
    throw new PocError(
      'OPTION_INVALID',
      'from',
      'the bytes of an index are whole entries; give what toBytes gave',
    )
  }
  const view = new DataView(from.buffer, from.byteOffset, from.length)
  for (let at = 0; at < from.length; at += ROW_ENTRY_BYTES) {
    const [high, low] = [view.getUint32(at), view.getUint32(at + 4)]
    // No fingerprint ends in 32 zeros (see `prints`), and none is there twice.
    if (low === 0 || !insert(high, low)) {
      throw new PocError(
        'OPTION_INVALID',
        'from',
        'a row is none or stands there twice; give what toBytes gave',
      )
    }
  }
  return {
    get size() {
      return size
    },
    get bytes() {
      return table.byteLength
    },
    novelty(file) {
      const { items, unnamed: rows } = contentItems(file)
      const share = shareOfNew(items, coarseRows(items), isHeld)
      if (rows === undefined || share === 0) return share
      const isKnown = (row: string, isCoarse: boolean): boolean =>
        isTelling(row) && isIn(row, isCoarse, unnamed)
      const isKnownButForAColumn = (row: string, isCoarse: boolean): boolean =>
        isKnown(row, isCoarse) ||
        (isTelling(row) && isIn(row, isCoarse, lacking)) ||
        withoutOneCell(row, rows.items.length).some((less) => isKnown(less, isCoarse))
      const withoutNames = shareOfNew(rows.items, rows.coarse, isKnown, isKnownButForAColumn)
      return Math.min(share, withoutNames)
    },
    holds: (item) => isHeld(item, false),
    add(file) {
      const { items, unnamed: rows = { items: [], coarse: new Set<string>() } } = contentItems(file)
      for (const row of rows.items) {
        if (!isTelling(row)) continue
        const isCoarse = rows.coarse.has(row)
        put(row, isCoarse, unnamed)
        for (const less of withoutOneCell(row, rows.items.length))
          if (isTelling(less)) put(less, isCoarse, lacking)
      }
      const coarse = coarseRows(items)
      return items.filter((item) => put(item, coarse.has(item), named)).length
    },
    toBytes() {
      const rows = new BigUint64Array(size)
      let count = 0
      for (let at = 0; at < table.length; at += 2) {
        const [high = 0, low = 0] = [table[at], table[at + 1]]
        if (high !== 0 || low !== 0) rows[count++] = (BigInt(high) << 32n) | BigInt(low)
      }
      rows.sort()
      const bytes = new Uint8Array(size * ROW_ENTRY_BYTES)
      const into = new DataView(bytes.buffer)
      rows.forEach((row, index) => {
        into.setBigUint64(index * ROW_ENTRY_BYTES, row)
      })
      return bytes
    },
  }
}
