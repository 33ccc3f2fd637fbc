/**
 * Reads columns out of rows that come untyped from the database: a wrong type there means a broken or foreign state,
 * which is named and stops the node instead of walking on as `undefined`.
 * @module
 */
import { NodeError } from '../errors.js'
import type { SqlRow } from './state-store.js'

function wrong(column: string, wanted: string): NodeError {
  return new NodeError(
    'STATE_UNREADABLE',
    column,
    `the stored value is not ${wanted}; restore the data directory from a backup or start with an empty one`,
  )
}

/** @returns the column as text. @throws NodeError `STATE_UNREADABLE` */
export function textOf(row: SqlRow, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw wrong(column, 'text')
  return value
}

/** @returns the column as text, or null. @throws NodeError `STATE_UNREADABLE` */
export function textOrNull(row: SqlRow, column: string): string | null {
  return row[column] === null || row[column] === undefined ? null : textOf(row, column)
}

/** @returns the column as a safe integer. @throws NodeError `STATE_UNREADABLE` */
export function integerOf(row: SqlRow, column: string): number {
  const value = Number(row[column])
  if (row[column] === null || !Number.isSafeInteger(value)) throw wrong(column, 'an integer')
  return value
}

/** @returns the column as bytes. @throws NodeError `STATE_UNREADABLE` */
export function bytesOf(row: SqlRow, column: string): Uint8Array {
  const value = row[column]
  if (!(value instanceof Uint8Array)) throw wrong(column, 'bytes')
  return Uint8Array.from(value)
}

/** @returns the column as bytes, or null. @throws NodeError `STATE_UNREADABLE` */
export function bytesOrNull(row: SqlRow, column: string): Uint8Array | null {
  return row[column] === null || row[column] === undefined ? null : bytesOf(row, column)
}

/**
 * Reads JSON that the node itself stored as text.
 * @returns the parsed value; its shape is the caller's own, written by the same release or migrated
 * @throws NodeError `STATE_UNREADABLE`
 */
export function jsonOf<T>(row: SqlRow, column: string): T {
  try {
    return JSON.parse(textOf(row, column)) as T
  } catch (cause) {
    if (cause instanceof NodeError) throw cause
    throw wrong(column, 'JSON')
  }
}

/** {@link jsonOf} for a column that may be empty. @throws NodeError `STATE_UNREADABLE` */
export function jsonOrNull<T>(row: SqlRow, column: string): T | null {
  return row[column] === null || row[column] === undefined ? null : jsonOf<T>(row, column)
}
