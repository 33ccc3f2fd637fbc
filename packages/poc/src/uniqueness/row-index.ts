import { keyedFingerprint } from '@sealpool/privacy'
import { PocError } from '../errors.js'
import { contentItems } from './content-items.js'

/** Remembers single rows of all contributions, so that a row sold twice is seen wherever it hides. */
export interface RowIndex {
  /** Distinct rows in it. */
  readonly size: number
  /** Bytes that it takes. */
  readonly bytes: number
  /** Share of a file's distinct rows that no earlier contribution held, 0 to 1; 0 for a file without rows. */
  novelty(file: RowFile): number
  /** Takes a file's rows in; @returns how many were new */
  add(file: RowFile): number
}

/** A file whose rows are asked about. */
export interface RowFile {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/**
 * Makes a row index under the pool's key. It keeps 64 bits of a keyed fingerprint for each row, so whoever has the index but not the
 * key cannot test for a row.
 *
 * @param options `key`: at least 32 secret bytes, one per pool
 * @returns an empty index, in memory alone; it grows by doubling
 * @throws PocError `KEY_INVALID`
 */
export function createRowIndex(options: { readonly key: Uint8Array }): RowIndex {
  const { key } = options
  if (key.length < 32) {
    throw new PocError('KEY_INVALID', 'key', 'a sketch key has at least 32 bytes; derive one per pool')
  }
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
  const prints = (file: RowFile): (readonly [number, number])[] => {
    const { items, kind } = contentItems(file)
    return items.map((item) => {
      const hex = keyedFingerprint({ key, domain: `sealpool/row/${kind}`, data: item })
      const high = Number.parseInt(hex.slice(0, 8), 16)
      return [high, Number.parseInt(hex.slice(8, 16), 16) || 1]
    })
  }
  return {
    get size() {
      return size
    },
    get bytes() {
      return table.byteLength
    },
    novelty(file) {
      const rows = prints(file)
      const fresh = rows.filter(([high, low]) => !has(find(high, low))).length
      return rows.length === 0 ? 0 : fresh / rows.length
    },
    add(file) {
      return prints(file).filter(([high, low]) => insert(high, low)).length
    },
  }
}
