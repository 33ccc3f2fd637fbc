import { canonicalize, type JsonValue } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import { itemsOf, valueOfFile } from '../uniqueness/content-items.js'

/** Rows of one export that say what an earlier row of it says. */
export interface RepeatedRows {
  /** Rows that were looked at. */
  readonly rows: number
  /** Numbers from 1 of the first rows that repeat an earlier one exactly. */
  readonly first: readonly number[]
  /** How many rows repeat an earlier one exactly. */
  readonly equal: number
  /** How many more are one with an earlier row to the pool, which compares coarsely (numbers with two digits, days without times). */
  readonly alike: number
  /** False where there are more rows than are looked at. */
  readonly whole: boolean
}

/** Most rows of an export; what the pool's own comparison looks at. */
const mostRows = 200_000
const deepest = 64
const rowsBetweenBreaks = 1_000

/**
 * Looks for rows that repeat inside one export.
 *
 * @param options `mediaType` and `bytes` of the export; `key`: any 32 secret bytes; `named`: how many are named; `between`: waited for each
 *   thousand rows with their number, and ends it by throwing
 * @returns what was found; undefined for a file that has no rows (a picture, a text)
 */
export async function repeatedRows(options: {
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly key: Uint8Array
  readonly named: number
  readonly between: (rows: number) => void | Promise<void>
}): Promise<RepeatedRows | undefined> {
  const { key, named, between } = options
  const value = valueOfFile(options)
  if (value === undefined) return undefined
  const exact = new Set<string>()
  const coarse = new Set<string>()
  const first: number[] = []
  let [rows, equal, alike] = [0, 0, 0]
  const isNew = (seen: Set<string>, data: string): boolean => {
    // Prints instead of rows: memory does not grow with how long a row is.
    const print = keyedFingerprint({ key, domain: 'sealpool/preflight/row/1', data }).slice(0, 32)
    const before = seen.size
    return seen.add(print).size > before
  }
  for (const row of rowsIn(value, 0)) {
    if (rows === mostRows) return { rows, first, equal, alike, whole: false }
    if (rows % rowsBetweenBreaks === 0) await between(rows)
    rows += 1
    const text = textOf(row)
    const isExactlyNew = text === undefined || isNew(exact, text)
    const isCoarselyNew = isNew(coarse, [...itemsOf([row]).items].sort().join('\u001d'))
    if (!isExactlyNew) {
      equal += 1
      if (first.length < named) first.push(rows)
    } else if (!isCoarselyNew) alike += 1
  }
  return rows === 0 ? undefined : { rows, first, equal, alike, whole: true }
}

/** One text for one row, however its fields are ordered; undefined for one that is too deep to have any. */
function textOf(row: object): string | undefined {
  const plain = row instanceof Map ? (Object.fromEntries(row) as object) : row
  try {
    return canonicalize(plain as JsonValue)
  } catch {
    // Halves of characters, which have no canonical form.
    return plainText(plain)
  }
}

function plainText(row: object): string | undefined {
  try {
    return JSON.stringify(row)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Objects in lists, wherever the lists are, in other rows too: what the pool takes for rows. */
function* rowsIn(value: unknown, depth: number): Generator<object, void, undefined> {
  if (typeof value !== 'object' || value === null || depth > deepest) return
  if (Array.isArray(value)) {
    for (const one of value) {
      if (typeof one !== 'object' || one === null) continue
      if (!Array.isArray(one)) yield one
      yield* rowsIn(one, depth + 1)
    }
    return
  }
  for (const member of Object.values(value)) if (typeof member === 'object') yield* rowsIn(member, depth + 1)
}
