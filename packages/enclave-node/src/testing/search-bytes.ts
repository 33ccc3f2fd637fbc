/**
 * Looks for many byte strings at once in bytes that come in pieces.
 * @module
 */
import type { Sought } from './secret-forms.js'

/** How often one form of a secret was found. */
export interface Found {
  readonly what: string
  readonly encoding: string
  readonly count: number
}

/** One look at a sequence of bytes. */
export interface ByteSearch {
  /** Takes the next bytes, which may be overwritten afterwards; what lies across two pieces is found as well. */
  push(bytes: Buffer): void
  /** What follows does not continue what came before. */
  gap(): void
  /** @returns what was found so far */
  found(): Found[]
}

interface Needle {
  readonly what: string
  readonly encoding: string
  readonly bytes: Buffer
}

/** Bytes by which a place is chosen to be compared. */
const anchorBytes = 4
const slotBits = 20

const slotOf = (word: number): number => Math.imul(word, 0x9e3779b1) >>> (32 - slotBits)

/**
 * Prepares a search. How long it takes depends on the bytes that are looked through, hardly on how much is looked for.
 * @param sought secrets in all their forms
 * @returns begins a look
 */
export function byteSearch(sought: readonly Sought[]): () => ByteSearch {
  const filter = new Uint8Array(2 ** slotBits)
  const needles = new Map<number, Needle[]>()
  let longest = anchorBytes
  for (const { what, forms } of sought) {
    for (const { encoding, bytes } of forms) {
      const word = bytes.readInt32LE(0)
      filter[slotOf(word)] = 1
      needles.set(word, [...(needles.get(word) ?? []), { what, encoding, bytes }])
      longest = Math.max(longest, bytes.length)
    }
  }

  return () => {
    const counts = new Map<string, Found>()
    let tail = Buffer.alloc(0)
    /** Counts what begins at a place, and ends behind `border`. */
    const compare = (bytes: Buffer, from: number, word: number, border: number): void => {
      for (const { what, encoding, bytes: needle } of needles.get(word) ?? []) {
        const to = from + needle.length
        if (to <= border || to > bytes.length) continue
        if (bytes.compare(needle, 0, needle.length, from, to) !== 0) continue
        const key = `${what}\n${encoding}`
        counts.set(key, { what, encoding, count: (counts.get(key)?.count ?? 0) + 1 })
      }
    }
    return {
      push(bytes) {
        // What begins before these bytes and ends in them.
        const seam = Buffer.concat([tail, bytes.subarray(0, longest - 1)])
        for (let from = 0; from < tail.length && from + anchorBytes <= seam.length; from++)
          compare(seam, from, seam.readInt32LE(from), tail.length)
        let word = 0
        let at = 0
        for (const byte of bytes.subarray(0, anchorBytes - 1)) {
          word = (word >>> 8) | (byte << 24)
          at += 1
        }
        for (; at < bytes.length; at++) {
          word = (word >>> 8) | ((bytes[at] ?? 0) << 24)
          if (filter[slotOf(word)] === 1) compare(bytes, at - anchorBytes + 1, word, 0)
        }
        const last = bytes.length >= longest ? bytes : Buffer.concat([tail, bytes])
        tail = Buffer.from(last.subarray(Math.max(0, last.length - longest + 1)))
      },
      gap() {
        tail = Buffer.alloc(0)
      },
      found: () => [...counts.values()],
    }
  }
}
