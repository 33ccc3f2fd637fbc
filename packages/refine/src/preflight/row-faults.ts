import { RefineError, type RefineErrorCode } from '../errors.js'
import { checkRow } from '../job/check-row.js'
import type { PiiPass } from '../pii/pii-pass.js'
import { tableOf } from '../schema/parse-schema.js'
import type { NamedTable, RefinerSchema } from '../schema/table-schema.js'
import type { MappedRows } from './mapped-export.js'

/** What is wrong with one row. */
export interface RowFault {
  readonly table: string
  /** Number of the row among those of its records, from 0. */
  readonly index: number
  /** Null where it is the row as a whole. */
  readonly column: string | null
  readonly code: RefineErrorCode
}

/**
 * Checks mapped rows with the very functions that `refineBatch` checks them with: what passes here passes there.
 *
 * @param rows as the mapping gave them
 * @returns the faults of each row, every column's first
 * @throws RefineError for a table that is not declared
 */
export function rowFaults(schema: RefinerSchema, rows: MappedRows, pass: PiiPass): readonly RowFault[] {
  return Object.entries(rows).flatMap(([name, list]) => {
    if (!Object.hasOwn(schema.tables, name)) {
      throw new RefineError(
        'MAP_OUTPUT_INVALID',
        'output',
        'The mapping returned a table that is not declared',
      )
    }
    const table = tableOf(schema, name)
    return list.flatMap((row, index) => faultsOfRow(table, row, index, pass))
  })
}

function faultsOfRow(table: NamedTable, row: unknown, index: number, pass: PiiPass): readonly RowFault[] {
  const whole = codeOf(table, row, pass)
  if (whole === undefined) return []
  const fault = (column: string | null, code: RefineErrorCode): RowFault => ({
    table: table.name,
    index,
    column,
    code,
  })
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return [fault(null, whole)]
  const found = Object.entries(table.columns).flatMap(([name, column]) => {
    const value = Object.hasOwn(row, name) ? (row as Readonly<Record<string, unknown>>)[name] : undefined
    const code = codeOf({ ...table, columns: { [name]: column } }, { [name]: value }, pass)
    return code === undefined ? [] : [fault(name, code)]
  })
  return found.length === 0 ? [fault(null, whole)] : found
}

function codeOf(table: NamedTable, row: unknown, pass: PiiPass): RefineErrorCode | undefined {
  try {
    checkRow(table, pass(table, row, 0), 0, 0)
    return undefined
  } catch (error) {
    if (error instanceof RefineError) return error.code
    throw error
  }
}
