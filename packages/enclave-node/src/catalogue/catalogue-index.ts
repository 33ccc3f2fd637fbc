/**
 * Finds entries by words, in memory: bounded, in one order that follows from the entries alone.
 * @module
 */
import type { Digest } from '@sealpool/crypto'
import type { CatalogueEntry, SignedEntry } from './catalogue-entry.js'
import { type Likened, likenessTable, traitsOf } from './likeness.js'
import { wordsOf } from './words-of.js'

/** What is looked for. */
export interface CatalogueQuery {
  /** Words that must all occur, at least as beginnings; undefined: everything. */
  readonly text?: string | undefined
  readonly schema?: Digest | undefined
  /** Where the page before ended. */
  readonly after?: string | undefined
  readonly limit: number
  /** Unix seconds: what has expired by then is not there. */
  readonly now: number
}

/** One page. */
export interface CataloguePage {
  readonly entries: readonly SignedEntry[]
  /** How many there are in all. */
  readonly total: number
  /** For the next page; null when this is the last. */
  readonly next: string | null
}

/** An entry that is like another one. */
export interface SimilarEntry {
  readonly signed: SignedEntry
  /** In thousandths of all that either declares. */
  readonly likeness: number
}

/** The index. */
export interface CatalogueIndex {
  readonly size: number
  /** Adds an entry, or puts it in the place of the one of the same pool. @returns false when the index is full */
  put(entry: SignedEntry): boolean
  remove(pool: string): void
  search(query: CatalogueQuery): CataloguePage
  /**
   * What is most like the entry of `pool`, the most alike first.
   * @returns undefined when there is no such entry
   */
  similar(pool: string, options: Pick<CatalogueQuery, 'limit' | 'now'>): readonly SimilarEntry[] | undefined
}

/** Longest text of a search. */
export const maximumQueryLength = 200
/** The form of {@link CatalogueQuery.after}. */
export const cursorPattern = /^\d{1,9}\.0x[0-9a-f]{40}$/

const maximumWords = 8
/** Of one entry: descriptions may be long, and say nothing new after so many words. */
const maximumTerms = 300
/** Of all entries together, and how many of them differ: what comes when these are used up is found by fewer words. */
const maximumPostings = 1_000_000
const maximumDistinctWords = 100_000
/** Places that one word of a search is looked up in; past them, longer words that begin with it are left out. */
const maximumLooks = 50_000
/** A single letter of the alphabet is no beginning: too much begins with it. */
const beginning = /^(?![a-z0-9]$)/
const weights = { name: 16, column: 8, purpose: 4, description: 2 } as const

interface Slot {
  readonly pool: string
  signed: SignedEntry
  /** By word, how much it counts. */
  readonly terms: ReadonlyMap<string, number>
  readonly likened: Likened
  readonly searched: string
}

/**
 * Makes an index.
 * @param maximumEntries how many it takes
 * @returns an empty one
 */
export function catalogueIndex(maximumEntries: number): CatalogueIndex {
  /** By number; numbers of what was removed are given again. */
  const slots: (Slot | undefined)[] = []
  const free: number[] = []
  const numberOf = new Map<string, number>()
  /** By word, how much it counts in each slot. */
  const postings = new Map<string, Map<number, number>>()
  /** All words in order, made anew when a word came or went. */
  let words: readonly string[] | undefined
  let posted = 0
  const likenesses = likenessTable()

  function remove(pool: string): void {
    const number = numberOf.get(pool)
    const slot = number === undefined ? undefined : slots[number]
    if (number === undefined || slot === undefined) return
    numberOf.delete(pool)
    slots[number] = undefined
    free.push(number)
    likenesses.remove(slot.likened)
    for (const word of slot.terms.keys()) {
      const list = postings.get(word)
      if (list?.delete(number) === true) posted--
      if (list?.size !== 0) continue
      postings.delete(word)
      words = undefined
    }
  }

  /** By slot, the score of a word, or of the words that begin with it; 0 where none occurs. */
  function scoresOf(word: string): Int32Array {
    words ??= [...postings.keys()].sort()
    const scores = new Int32Array(slots.length)
    let looks = 0
    for (let at = firstFrom(words, word); at < words.length; at++) {
      const found = words[at]
      if (found === undefined || !found.startsWith(word)) break
      const list = postings.get(found) ?? new Map<number, number>()
      looks += list.size
      // The word itself comes first, and is looked up whole.
      if (found !== word && (looks > maximumLooks || !beginning.test(word))) break
      // The word itself counts double.
      const factor = found === word ? 2 : 1
      for (const [number, weight] of list) {
        const score = factor * weight
        if (score > (scores[number] ?? 0)) scores[number] = score
      }
    }
    return scores
  }

  return {
    get size() {
      return numberOf.size
    },
    put(signed) {
      const { pool } = signed.entry
      const searched = textOf(signed.entry)
      const known = numberOf.get(pool)
      const before = known === undefined ? undefined : slots[known]
      if (before?.searched === searched) {
        before.signed = signed
        return true
      }
      if (before === undefined && numberOf.size >= maximumEntries) return false
      remove(pool)
      const number = free.pop() ?? slots.length
      const terms = termsOf(signed.entry)
      const likened = likenesses.add(traitsOf(signed.entry))
      slots[number] = { pool, signed, terms, likened, searched }
      numberOf.set(pool, number)
      for (const [word, weight] of terms) {
        const list = postings.get(word)
        if (posted >= maximumPostings) break
        if (list === undefined && postings.size >= maximumDistinctWords) continue
        posted++
        if (list === undefined) {
          postings.set(word, new Map([[number, weight]]))
          words = undefined
        } else list.set(number, weight)
      }
      return true
    },
    remove,
    search({ text = '', schema, after, limit, now }) {
      const asked = [...new Set(wordsOf(text))].slice(0, maximumWords).map(scoresOf)
      const found: (Ranked & { readonly signed: SignedEntry })[] = []
      for (const [number, slot] of slots.entries()) {
        if (slot === undefined || slot.signed.entry.expiresAt <= now) continue
        if (schema !== undefined && slot.signed.entry.schema !== schema) continue
        let score = 0
        for (const scores of asked) {
          const one = scores[number] ?? 0
          if (one === 0) {
            score = -1
            break
          }
          score += one
        }
        if (score >= 0) found.push({ pool: slot.pool, score, signed: slot.signed })
      }
      found.sort(before)
      const start = after === undefined ? 0 : placeAfter(found, after)
      const page = found.slice(start, start + limit)
      const last = page.at(-1)
      return {
        entries: page.map(({ signed }) => signed),
        total: found.length,
        next: last === undefined || start + limit >= found.length ? null : `${last.score}.${last.pool}`,
      }
    },
    similar(pool, { limit, now }) {
      const number = numberOf.get(pool)
      const reference = number === undefined ? undefined : slots[number]
      if (reference === undefined || reference.signed.entry.expiresAt <= now) return undefined
      const likenessOf = likenesses.comparing(reference.likened)
      const found: (Ranked & SimilarEntry)[] = []
      for (const slot of slots) {
        if (slot === undefined || slot === reference || slot.signed.entry.expiresAt <= now) continue
        const likeness = likenessOf(slot.likened)
        if (likeness > 0) found.push({ pool: slot.pool, score: likeness, likeness, signed: slot.signed })
      }
      return found
        .sort(before)
        .slice(0, limit)
        .map(({ likeness, signed }) => ({ likeness, signed }))
    },
  }
}

interface Ranked {
  readonly pool: string
  readonly score: number
}

/** The best first; among equals by address, so that one set of entries has one order. */
function before(a: Ranked, b: Ranked): number {
  return b.score - a.score || (a.pool < b.pool ? -1 : a.pool > b.pool ? 1 : 0)
}

/** The first place after a cursor, also when the entry that it names has gone. */
function placeAfter(found: readonly Ranked[], after: string): number {
  const [score = '0', pool = ''] = after.split('.')
  const cursor = { score: Number(score), pool }
  const place = found.findIndex((one) => before(cursor, one) < 0)
  return place < 0 ? found.length : place
}

function firstFrom(words: readonly string[], word: string): number {
  let [low, high] = [0, words.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((words[middle] ?? '') < word) low = middle + 1
    else high = middle
  }
  return low
}

function fieldsOf(entry: CatalogueEntry): readonly (readonly [number, string])[] {
  const { name, description, purposes, tables } = entry
  return [
    [weights.name, name],
    ...tables.flatMap(
      (table) =>
        [
          [weights.column, table.name],
          ...table.columns.map((column) => [weights.column, column.name] as const),
        ] as const,
    ),
    ...purposes.map((purpose) => [weights.purpose, purpose] as const),
    [weights.description, description],
    ...tables.flatMap((table) => [
      [weights.description, table.description] as const,
      ...table.columns.map((column) => [weights.description, column.description] as const),
    ]),
  ]
}

function termsOf(entry: CatalogueEntry): ReadonlyMap<string, number> {
  const terms = new Map<string, number>()
  for (const [weight, text] of fieldsOf(entry)) {
    for (const word of wordsOf(text)) {
      if (terms.size >= maximumTerms && !terms.has(word)) continue
      terms.set(word, Math.max(terms.get(word) ?? 0, weight))
    }
  }
  return terms
}

/** All that words and likeness are read from. */
function textOf(entry: CatalogueEntry): string {
  return JSON.stringify([entry.schema, entry.name, entry.description, entry.purposes, entry.tables])
}
