import { readCsv } from '../csv/read-csv.js'
import { isWithinDepth } from '../json-depth.js'
import { essenceOf, isJson } from '../media-type.js'

/** What a file consists of, for comparing files by what they share. */
export interface ContentItems {
  /** Distinct items in no order that matters: rows, members of an object, or runs of words. */
  readonly items: readonly string[]
  /** What an item is. */
  readonly kind: 'row' | 'member' | 'words'
}

const WORDS_IN_A_RUN = 5
const MOST_ITEMS = 200_000
const DEEPEST = 64

/**
 * Takes a file apart. Tables (CSV, JSON arrays of objects, JSON lines) give rows, other JSON its leaves, text its runs of five words.
 * Numbers count with two significant digits and texts without regard to case (of ASCII) and white space, so that a copy in which
 * values were nudged is still a copy. The order of rows and columns does not matter.
 *
 * @param options `mediaType` of the file; `bytes`
 * @returns at most 200,000 distinct items; an empty list for bytes that are no text
 */
export function contentItems(options: {
  readonly mediaType: string
  readonly bytes: Uint8Array
}): ContentItems {
  const essence = essenceOf(options.mediaType)
  const text = decode(options.bytes)
  if (text === undefined) return { items: [], kind: 'words' }
  if (essence === 'text/csv') {
    const table = readCsv(text)
    if (table !== undefined) {
      return rowsOf(
        table.rows.map((row) => table.header.map((name, index) => [name, row[index] ?? ''] as const)),
      )
    }
  }
  if (isJson(essence) || essence === 'application/x-ndjson' || essence === 'application/jsonl') {
    const value = isJson(essence)
      ? parse(text)
      : text
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map(parse)
    const rows = tableOf(value)
    if (rows !== undefined) return rowsOf(rows)
    if (value !== undefined) {
      const items = new Set<string>()
      leaves(value, '', items, 0)
      return { items: [...items], kind: 'member' }
    }
  }
  return { items: runsOfWords(text), kind: 'words' }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** Rows of an array of objects, or of an array in the only member that holds one (`{ "payload": [...] }`). */
function tableOf(value: unknown): (readonly (readonly [string, unknown])[])[] | undefined {
  if (Array.isArray(value) && value.length > 0) {
    const isRow = (row: unknown): boolean => typeof row === 'object' && row !== null && !Array.isArray(row)
    return value.every(isRow) ? value.map((row) => Object.entries(row as object)) : undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const tables = Object.values(value).filter((one) => Array.isArray(one) && one.length > 0)
  return tables.length === 1 ? tableOf(tables[0]) : undefined
}

function rowsOf(rows: readonly (readonly (readonly [string, unknown])[])[]): ContentItems {
  const items = new Set<string>()
  for (const row of rows) {
    if (items.size >= MOST_ITEMS) break
    const cells = row.map(([name, value]) => `${name}\u001f${essence(value)}`)
    items.add(cells.sort(byCodeUnits).join('\u001e'))
  }
  return { items: [...items], kind: 'row' }
}

function leaves(value: unknown, path: string, into: Set<string>, depth: number): void {
  if (into.size >= MOST_ITEMS || depth > DEEPEST) return
  if (typeof value === 'object' && value !== null) {
    // Positions in a list do not count: they shift when one is left out.
    const entries = Array.isArray(value) ? value.map((one) => ['', one] as const) : Object.entries(value)
    for (const [name, member] of entries) leaves(member, `${path}\u001f${name}`, into, depth + 1)
    return
  }
  into.add(`${path}\u001e${essence(value)}`)
}

/** A value without what a nudge changes. */
function essence(value: unknown): string {
  // What nests too deep to be written down is one and the same item, so that depth makes nothing new.
  if (!isWithinDepth(value, DEEPEST)) return ''
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  const number = text.length < 40 && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(number)) return number.toPrecision(2)
  return text
    .replace(/[A-Z]+/g, (part) => part.toLowerCase())
    .replace(/\s+/g, ' ')
    .trim()
}

function runsOfWords(text: string): string[] {
  const words = text
    .replace(/[A-Z]+/g, (part) => part.toLowerCase())
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
  const runs = new Set<string>()
  for (let at = 0; at + WORDS_IN_A_RUN <= words.length && runs.size < MOST_ITEMS; at++) {
    runs.add(words.slice(at, at + WORDS_IN_A_RUN).join(' '))
  }
  // A text shorter than one run is its own only item.
  if (runs.size === 0 && words.length > 0) runs.add(words.join(' '))
  return [...runs]
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
