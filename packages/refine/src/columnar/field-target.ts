import type { CellReader } from './cell-reader.js'

/** Where the values of a field go, row by row. */
export interface FieldTarget {
  /** Takes the common forms of a text out of its bytes; false when it did not, and nothing was taken. */
  readonly read: CellReader
  /** Takes any value. */
  set(value: unknown, row: number): void
  /** Takes JSON's null; false when `set` of a whole line must. */
  nothing(row: number): boolean
  /**
   * Takes a plain number of JSON out of its bytes (no exponent, no needless zeros in front, at most 15 digits);
   * false when it did not. `points`: how many points stand in it, 0 or 1.
   */
  number(piece: Uint8Array, from: number, to: number, points: number, row: number): boolean
}
