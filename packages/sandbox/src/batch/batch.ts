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
  /** Reads an array of objects (`json`), an object a line (`jsonl`) or RFC 4180 (`csv`) into columns. */
  table(format: 'json' | 'jsonl' | 'csv', text: string): BatchTable
}
