import type { JsonValue } from '../runtime.js'

/** A table that the host holds; the code has its number, its length and the names of its columns. */
export interface BatchTable {
  readonly count: number
  readonly columns: readonly string[]
  /** A table with one more (or another) column, its value computed for each row; see the README for expressions. */
  map(name: string, expression: JsonValue): BatchTable
  /** The rows for which the expression is neither 0 nor null. */
  filter(expression: JsonValue): BatchTable
  /** Figures (`count`, `present`, `distinct`, `sum`, `mean`, `min`, `max`) over all rows, or by the values of a column. */
  aggregate(
    figures: Readonly<Record<string, { readonly operation: string; readonly of?: string }>>,
    by?: string,
  ): { readonly group: JsonValue; readonly figures: Readonly<Record<string, JsonValue>> }[]
  /** Rows as objects, for what an expression cannot say. */
  rows(from?: number, to?: number, names?: readonly string[]): Readonly<Record<string, JsonValue>>[]
  /**
   * Attaches columns (all of them unless named) to the run's answer as JSON text `[[...], ...]`, which never enters the interpreter;
   * columns of numbers named in `booleans` are written as truth values. With `coded` a column whose values come again may be written as
   * `{ "values": [...], "codes": "..." }` (see `table`). Gives the attachment's number.
   */
  attach(names?: readonly string[], booleans?: readonly string[], coded?: boolean): number
  /** Lets the host forget it. Room that was taken stays counted: it is a bound on a run, not an allocator. */
  drop(): void
}

/**
 * `globalThis.batch` inside the QuickJS runtimes: pure functions that run on the host's side at native speed, so that the
 * interpreter only steers. They reach nothing but their arguments. Regular expressions here take time linear in the text and know
 * neither back references nor look-around.
 */
export interface Batch {
  /** SHA-256 of a text's UTF-8 bytes, in hexadecimal. */
  sha256(text: string): string
  /** Keccak-256 of a text's UTF-8 bytes, in hexadecimal. */
  keccak256(text: string): string
  sha256All(texts: readonly (string | null)[]): (string | null)[]
  keccak256All(texts: readonly (string | null)[]): (string | null)[]
  test(pattern: string, flags: string, text: string): boolean
  exec(pattern: string, flags: string, text: string): (string | null)[] | null
  matches(pattern: string, flags: string, text: string, most?: number): string[]
  replace(pattern: string, flags: string, text: string, replacement: string): string
  /**
   * Reads an array of objects (`json`), an object a line (`jsonl`), RFC 4180 (`csv`) or `{ "names": [...], "columns": [[...], ...] }`
   * (`columns`) into columns: a text, or one of the job's attachments, which then never enters the interpreter. A column of `columns` may be
   * `{ "values": [...], "codes": "..." }` as well: its different values, and per row the number of its value in one character where there are at
   * most 91, else in two of base 91, highest first (the characters from `#` to `~` without the backslash are the digits). What `map` makes of such a
   * column alone is computed once per value.
   */
  table(
    format: 'json' | 'jsonl' | 'csv' | 'columns',
    text: string | { readonly attachment: number },
  ): BatchTable
  /** One of the job's attachments by number, from 0. */
  attachment(number: number): string
  /** Attaches a text without U+0000 and lone surrogates to the run's answer; gives its number. It counts against `limits.outputBytes`. */
  attach(text: string): number
}
