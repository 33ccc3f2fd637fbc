import { PocError } from '../errors.js'
import { type ContentSketch, ORDERS } from './content-sketch.js'
import { typicalSize } from './contribution-size.js'

const BANDS = 16
const ROWS = ORDERS / BANDS
/** Candidates of a band that are looked at, newest first: what bounds the time of an answer when many share a band. */
const MOST_CANDIDATES = 200
const NONE = 0xffffffff
const LARGEST = 2 ** 28

/** The contribution that is most like one that is asked about. */
export interface Nearest {
  /** Number under which it was added. */
  readonly entry: number
  /** Estimated share of common items (Jaccard), 0 to 1; standard error at most 0.07. */
  readonly similarity: number
  /** Estimated share of the asked contribution's items that the other one holds. */
  readonly contained: number
}

/** Finds contributions that share most of their content with a new one. */
export interface NearDuplicateIndex {
  /** Contributions in it. */
  readonly size: number
  /** Bytes that it takes. */
  readonly bytes: number
  /** Items of a typical contribution in it, with two significant digits (`contributionSize`); undefined of fewer than five. */
  readonly typicalItems: number | undefined
  /** Adds a contribution and returns its number, from 0 in order. */
  add(sketch: ContentSketch): number
  /** The most similar contribution that was found, or undefined. */
  nearest(sketch: ContentSketch): Nearest | undefined
  /** What a file keeps of it: each contribution's 64 bytes, then each one's count of items (32 bits, little-endian). */
  toBytes(): Uint8Array
}

/** Bytes of one contribution in what an index gives to be kept. */
export const NEAR_ENTRY_BYTES = ORDERS + 4

/**
 * Makes an index of near duplicates: locality-sensitive hashing in 16 bands of 4 orders (Indyk and Motwani 1998; Broder 1997), in typed
 * arrays. A contribution that shares 80 % of its items with one of the index is found with a probability of 0.9998, one that shares half
 * with 0.64, one that shares a fifth with 0.03. A contribution that holds only a small part of a large one is not found here: that
 * is what the row index is for.
 *
 * @param options `capacity`: contributions for which room is taken at first; it grows by doubling; `from`: what `toBytes` gave
 * @returns an index in memory, empty or as it was; `encodeIndex` makes a file of it
 * @throws PocError `OPTION_INVALID`
 */
export function createNearDuplicateIndex(
  options: { readonly capacity?: number; readonly from?: Uint8Array } = {},
): NearDuplicateIndex {
  const { capacity = 1024, from = new Uint8Array() } = options
  const kept = from.length / NEAR_ENTRY_BYTES
  if (!Number.isSafeInteger(kept) || kept > LARGEST) {
    throw new PocError(
      'OPTION_INVALID',
      'from',
      'the bytes of an index are whole entries; give what toBytes gave',
    )
  }
  if (!Number.isSafeInteger(capacity) || capacity < 1 || capacity > LARGEST) {
    throw new PocError('OPTION_INVALID', 'capacity', `capacity is a whole number from 1 to ${LARGEST}`)
  }
  let room = 1024
  while (room < Math.max(capacity, kept)) room *= 2
  let size = 0
  let marks = new Uint8Array(room * ORDERS)
  let counts = new Uint32Array(room)
  // For each band a hash table of chains: the newest entry of a slot, and for each entry the one before it.
  let heads = filled(room * BANDS)
  let before = filled(room * BANDS)

  const link = (entry: number, slots: Uint32Array): void => {
    for (let band = 0; band < BANDS; band++) {
      const slot = band * room + (slots[band] ?? 0)
      before[band * room + entry] = heads[slot] ?? NONE
      heads[slot] = entry
    }
  }

  const grow = (): void => {
    if (room * 2 > LARGEST)
      throw new PocError('OPTION_INVALID', 'capacity', `the index holds at most ${LARGEST}`)
    const old = room
    room *= 2
    const longer = new Uint8Array(room * ORDERS)
    longer.set(marks)
    marks = longer
    const more = new Uint32Array(room)
    more.set(counts)
    counts = more
    heads = filled(room * BANDS)
    before = filled(room * BANDS)
    const slots = new Uint32Array(BANDS)
    for (let entry = 0; entry < old; entry++) {
      slotsOf(marks.subarray(entry * ORDERS, (entry + 1) * ORDERS), room, slots)
      link(entry, slots)
    }
  }

  if (kept > 0) {
    marks.set(from.subarray(0, kept * ORDERS))
    const view = new DataView(from.buffer, from.byteOffset + kept * ORDERS, kept * 4)
    const slots = new Uint32Array(BANDS)
    for (; size < kept; size++) {
      counts[size] = view.getUint32(4 * size, true)
      link(size, slotsOf(marks.subarray(size * ORDERS, (size + 1) * ORDERS), room, slots))
    }
  }

  const sizes = typicalSize()
  let sized = 0

  return {
    get size() {
      return size
    },
    get typicalItems() {
      for (; sized < size; sized++) sizes.add(counts[sized] ?? 0)
      return sizes.items
    },
    get bytes() {
      return marks.byteLength + counts.byteLength + heads.byteLength + before.byteLength
    },
    add(sketch) {
      if (size === room) grow()
      const entry = size++
      const own = marks.subarray(entry * ORDERS, (entry + 1) * ORDERS)
      own.set(marksOf(sketch))
      counts[entry] = sketch.items
      link(entry, slotsOf(own, room, new Uint32Array(BANDS)))
      return entry
    },
    nearest(sketch) {
      // Files without items have nothing in common; all of them would share one sketch.
      if (sketch.items === 0) return undefined
      const own = marksOf(sketch)
      const slots = slotsOf(own, room, new Uint32Array(BANDS))
      const seen = new Set<number>()
      let best = -1
      let equal = 0
      for (let band = 0; band < BANDS && equal < ORDERS; band++) {
        let entry = heads[band * room + (slots[band] ?? 0)] ?? NONE
        for (let looked = 0; entry !== NONE && looked < MOST_CANDIDATES; looked++) {
          if (!seen.has(entry)) {
            seen.add(entry)
            const same = equalMarks(own, marks, entry * ORDERS)
            if (same > equal) {
              equal = same
              best = entry
            }
          }
          entry = before[band * room + entry] ?? NONE
        }
      }
      if (best === -1) return undefined
      // Unequal words agree in their last byte once in 256.
      const similarity = Math.max(0, (equal / ORDERS - 1 / 256) / (1 - 1 / 256))
      const others = counts[best] ?? 0
      const shared = (similarity * (sketch.items + others)) / (1 + similarity)
      return { entry: best, similarity, contained: Math.min(1, shared / sketch.items) }
    },
    toBytes() {
      const bytes = new Uint8Array(size * NEAR_ENTRY_BYTES)
      bytes.set(marks.subarray(0, size * ORDERS))
      const view = new DataView(bytes.buffer, size * ORDERS)
      for (let entry = 0; entry < size; entry++) view.setUint32(4 * entry, counts[entry] ?? 0, true)
      return bytes
    },
  }
}

function filled(length: number): Uint32Array {
  return new Uint32Array(length).fill(NONE)
}

function marksOf({ words }: ContentSketch): Uint8Array {
  if (words.length !== ORDERS) {
    throw new PocError('OPTION_INVALID', 'sketch', `a sketch has ${ORDERS} words; make it with contentSketch`)
  }
  return Uint8Array.from(words, (word) => word & 255)
}

/** The slot of each band: its four bytes, mixed (the finaliser of MurmurHash3, public domain). */
function slotsOf(marks: Uint8Array, room: number, into: Uint32Array): Uint32Array {
  for (let band = 0; band < BANDS; band++) {
    let word = band + 1
    for (let row = 0; row < ROWS; row++) word = Math.imul(word, 257) ^ (marks[band * ROWS + row] ?? 0)
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
    into[band] = (word ^ (word >>> 16)) & (room - 1)
  }
  return into
}

function equalMarks(own: Uint8Array, all: Uint8Array, at: number): number {
  let equal = 0
  for (let index = 0; index < ORDERS; index++) if (own[index] === all[at + index]) equal++
  return equal
}
