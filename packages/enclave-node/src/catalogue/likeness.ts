/**
 * How alike two entries are: what they declare in common (schema, columns with type and unit, words), as a share of what either declares,
 * each counted by its kind and by how few entries have it. Whole numbers alone, so that one set of entries gives one answer everywhere.
 * It says nothing about the data: whoever copies another's description is alike.
 * @module
 */
import type { CatalogueEntry } from './catalogue-entry.js'
import { wordsOf } from './words-of.js'

/** What an entry declares, each as a place in the counts and how much its kind counts. */
export type Traits = Uint32Array

/** An entry among those that are compared. */
export interface Likened {
  readonly traits: Traits
  /** All that it declares together, as it counted when the table was last changed at `asOf`. */
  sum: number
  asOf: number
}

/** Counts over all entries of a catalogue. */
export interface LikenessTable {
  add(traits: Traits): Likened
  remove(one: Likened): void
  /** @returns how alike others of the table are to `one`, in thousandths */
  comparing(one: Likened): (other: Likened) => number
}

/** Traits of one entry: what comes after them is not compared. */
const maximumTraits = 400
// No trait is kept as text, so that a peer's words fill no memory; two of them that share a place by chance are taken for the same one.
const placeBits = 20
const places = 2 ** placeBits
const weightBits = 8
const weights = { schema: 24, column: 8, columnWord: 4, name: 4, purpose: 2, description: 1 } as const

/** @returns what an entry declares: bounded, and the same for the same declarations */
export function traitsOf(entry: CatalogueEntry): Traits {
  const found = new Map<number, number>()
  for (const [text, weight] of declared(entry)) {
    const place = placeOf(text)
    if (found.size >= maximumTraits && !found.has(place)) break
    found.set(place, Math.max(found.get(place) ?? 0, weight))
  }
  return Uint32Array.from(found, ([place, weight]) => place * 2 ** weightBits + weight)
}

/** @returns a table of no entries */
export function likenessTable(): LikenessTable {
  const counts = new Uint32Array(places)
  let [entries, changes] = [0, 0]
  const change = (traits: Traits, by: 1 | -1): void => {
    entries += by
    changes += 1
    for (const trait of traits) counts[trait >>> weightBits] = (counts[trait >>> weightBits] ?? 0) + by
  }
  /** Binary digits of how many entries there are for each that has it: a logarithm that is the same on every machine. */
  const rarityOf = (place: number): number => 32 - Math.clz32(entries / Math.max(counts[place] ?? 0, 1))
  const sumOf = (one: Likened): number => {
    // A catalogue changes seldom: sums are as dear as all the rest.
    if (one.asOf === changes) return one.sum
    let sum = 0
    for (const trait of one.traits) sum += (trait & (2 ** weightBits - 1)) * rarityOf(trait >>> weightBits)
    one.sum = sum
    one.asOf = changes
    return sum
  }
  return {
    add(traits) {
      change(traits, 1)
      return { traits, sum: 0, asOf: 0 }
    },
    remove: ({ traits }) => change(traits, -1),
    comparing(one) {
      const own = new Uint8Array(places)
      for (const trait of one.traits) own[trait >>> weightBits] = trait & (2 ** weightBits - 1)
      const ownSum = sumOf(one)
      return (other) => {
        let shared = 0
        for (const trait of other.traits) {
          const weight = own[trait >>> weightBits] ?? 0
          if (weight === 0) continue
          shared += Math.min(weight, trait & (2 ** weightBits - 1)) * rarityOf(trait >>> weightBits)
        }
        const either = ownSum + sumOf(other) - shared
        return either === 0 ? 0 : Math.floor((1_000 * shared) / either)
      }
    },
  }
}

/** What says most comes first, since the last is left out of an entry that says too much. */
function* declared(entry: CatalogueEntry): Generator<readonly [string, number]> {
  const words = (text: string, weight: number) => wordsOf(text).map((word) => [word, weight] as const)
  yield [`schema ${entry.schema}`, weights.schema]
  yield* words(entry.name, weights.name)
  for (const { columns } of entry.tables)
    for (const { name, type, unit } of columns) {
      yield [`column ${JSON.stringify([name, type, unit])}`, weights.column]
      yield* words(name, weights.columnWord)
    }
  for (const purpose of entry.purposes) yield* words(purpose, weights.purpose)
  yield* words(entry.description, weights.description)
  for (const table of entry.tables) {
    yield* words(`${table.name} ${table.description}`, weights.description)
    for (const column of table.columns) yield* words(column.description, weights.description)
  }
}

/** FNV-1a over the text's 16-bit units, folded to the table's size. */
function placeOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return ((hash >>> placeBits) ^ hash) & (places - 1)
}
