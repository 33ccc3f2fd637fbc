import { decodeUrlSafe } from '../authenticity/base64.js'
import { latin1 } from '../authenticity/dkim/message.js'
import { readCsv } from '../csv/read-csv.js'
import { essenceOf, isJson } from '../media-type.js'
import { cellOf, visible } from './cell-form.js'
import { itemOfCells, mostItems } from './item-of-cells.js'
import { rareWords } from './rare-words.js'
import { entriesOf, isObject } from './table-in.js'
import { type UnnamedRows, unnamedRows } from './unnamed-rows.js'

/** What a contribution consists of, for comparing contributions by what they share. */
export interface ContentItems {
  /** Distinct items in no order that matters: rows, single values, or runs of words. */
  readonly items: readonly string[]
  /** Of a file that was taken apart: the same with rows that have no names of columns, for these are the contributor's own. */
  readonly unnamed?: UnnamedRows
  /** Of a text: its distinct rare words, by which a copy in other words is seen. */
  readonly words?: readonly string[]
}

/** A file that is taken apart, or items of a contribution that was: see {@link itemsOf}. */
export type ItemSource = { readonly mediaType: string; readonly bytes: Uint8Array } | ContentItems

const WORDS_IN_A_RUN = 5
const DEEPEST = 64
/** What has no items: a byte of it that changes changes every run of its "words". */
const BINARY =
  /^((image|audio|video|font)\/|application\/(c2pa|gzip|octet-stream|pdf|vnd\.apache\.parquet|zip)$)/

/**
 * Takes a file apart. Objects in a list are rows, wherever the list is and however they are wrapped; other values of JSON are items
 * with their name; CSV gives rows; the payload of a token counts as JSON; any other text gives its runs of five words. Numbers count
 * with two significant digits, but Unix times (seconds or milliseconds, 2001 to 2099) by their day and `latitude` and `longitude` with two
 * decimals; days count without a time and in one form however their numbers are put together, and texts by their letters and digits (NFKD) without regard to case, accents and what is invisible,
 * so that a copy in which values were nudged is still a copy. Names of columns count without case, empty cells not at all, and the order of
 * rows and columns does not matter.
 *
 * Names of columns are the contributor's own, so rows are compared without them as well (`unnamed`). Whoever adds two columns of his own to
 * every row makes other rows of them. Against that a proof declares `items`: {@link itemsOf}.
 *
 * @param source `mediaType` and `bytes` of a file, or items that are there already
 * @returns at most 200,000 distinct items; an empty list for pictures, sound and archives
 */
export function contentItems(source: ItemSource): ContentItems {
  if ('items' in source) return source
  const essence = essenceOf(source.mediaType)
  if (BINARY.test(essence)) return { items: [] }
  const text = decode(source.bytes)
  const value = parseValue(text, essence)
  if (value !== undefined) {
    const unnamed = unnamedRows(value)
    return { items: valuesOf(value), ...(unnamed === undefined ? {} : { unnamed }) }
  }
  const words = wordsOf(text)
  const rare = rareWords(words)
  return { items: runsOfWords(words), ...(rare.length === 0 ? {} : { words: rare }) }
}

/**
 * Items of what a proof read: those columns that it pays for, and nothing that a contributor put beside them.
 *
 * @param values rows or other values, as the proof's `items` gives them
 * @returns at most 200,000 distinct items
 * @example
 * ```ts
 * import { itemsOf } from '@sealpool/poc'
 * console.log(itemsOf([{ day: '2026-01-01', steps: 5000 }, { steps: '5001', Day: '2026-01-01T10:00' }]).items.length) // 1
 * ```
 */
export function itemsOf(values: readonly unknown[]): ContentItems {
  return { items: valuesOf(values) }
}

/**
 * What a file says as JSON or as rows, the way {@link contentItems} reads it.
 *
 * @returns undefined for any other file
 */
export function valueOfFile(file: { readonly mediaType: string; readonly bytes: Uint8Array }): unknown {
  const essence = essenceOf(file.mediaType)
  return BINARY.test(essence) ? undefined : parseValue(decode(file.bytes), essence)
}

/** Bytes as text; what is no UTF-8 stands one to a character, as the code that judges sees mail. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return latin1(bytes)
  }
}

/** What the text says as JSON or as rows; undefined for anything else. A type that says `text` alone may be either. */
function parseValue(text: string, essence: string): unknown {
  if (/^application\/(.*\+)?(jwt|jose)$/.test(essence)) {
    const payload = decodeUrlSafe(text.split('.', 2)[1] ?? '')
    return payload === undefined ? undefined : parse(decode(payload))
  }
  const plain = essence.startsWith('text/') || essence === ''
  if (isJson(essence) || (plain && /^\s*[[{]/.test(text))) {
    const value = parse(text)
    if (value !== undefined) return value
  }
  if (essence === 'application/x-ndjson' || essence === 'application/jsonl') {
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(parse)
  }
  const table = plain ? readCsv(text) : undefined
  const isTable =
    table !== undefined && (essence === 'text/csv' || (table.header.length > 1 && table.rows.length > 0))
  if (!isTable) return undefined
  return table.rows.map((row) => new Map(table.header.map((name, index) => [name, row[index] ?? ''])))
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

function valuesOf(value: unknown): string[] {
  const items = new Set<string>()
  collect(value, '', items, 0)
  return [...items]
}

/** Takes a value apart: lists of objects are rows, anything else stands by its name. */
function collect(value: unknown, name: string, items: Set<string>, depth: number): void {
  if (items.size >= mostItems || depth > DEEPEST) return
  if (typeof value !== 'object' || value === null) {
    const cell = cellOf(name, value)
    if (cell !== undefined) items.add(cell)
    return
  }
  if (Array.isArray(value)) {
    for (const one of value) {
      if (isObject(one)) row(one, items, depth + 1)
      else collect(one, name, items, depth + 1)
    }
    return
  }
  for (const [own, member] of entriesOf(value)) collect(member, own, items, depth + 1)
}

/** A row: the cells of an object and of objects in it, without regard to how it is nested. Lists in it are taken apart by themselves. */
function row(value: object, items: Set<string>, depth: number): void {
  const cells = new Set<string>()
  const walk = (one: object, level: number): void => {
    if (level > DEEPEST) return
    for (const [name, member] of entriesOf(one)) {
      if (Array.isArray(member)) collect(member, name, items, level + 1)
      else if (isObject(member)) walk(member, level + 1)
      else {
        const cell = cellOf(name, member)
        if (cell !== undefined) cells.add(cell)
      }
    }
  }
  walk(value, depth)
  if (cells.size > 0 && items.size < mostItems) items.add(itemOfCells(cells))
}

function wordsOf(text: string): readonly string[] {
  return visible(text)
    .toUpperCase()
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
}

function runsOfWords(words: readonly string[]): string[] {
  const runs = new Set<string>()
  for (let at = 0; at + WORDS_IN_A_RUN <= words.length && runs.size < mostItems; at++) {
    runs.add(words.slice(at, at + WORDS_IN_A_RUN).join(' '))
  }
  // A text shorter than one run is its own only item.
  if (runs.size === 0 && words.length > 0) runs.add(words.join(' '))
  return [...runs]
}
