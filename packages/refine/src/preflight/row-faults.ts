import { mappedTable } from '../embedding/embedded-rows.js'
import { RefineError, type RefineErrorCode } from '../errors.js'
import { checkRow } from '../job/check-row.js'
import type { PiiPass } from '../pii/pii-pass.js'
import { tableOf } from '../schema/table-of.js'
import type { NamedTable, RefinerSchema, Row } from '../schema/table-schema.js'
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
 * Checks mapped rows with the very functions that `refineBatch` checks them with: what passes here passes there. Vectors are made there, by a
 * model that is not here: a text whose vector has no length is the one thing that is not seen.
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
    const mapped = mappedTable(table)
    return list.flatMap((row, index) => faultsOfRow({ table, mapped, pass }, row, index))
  })
}

/** How rows of one table are checked: `mapped` is what of it a mapping fills. */
interface Checking {
  readonly table: NamedTable
  readonly mapped: NamedTable
  readonly pass: PiiPass
}

function faultsOfRow({ table, mapped, pass }: Checking, row: unknown, index: number): readonly RowFault[] {
  const fault = (column: string | null, code: RefineErrorCode): RowFault => ({
    table: table.name,
    index,
    column,
    code,
  })
  const checked = checkedRow(mapped, row, pass)
  if (typeof checked !== 'string')
    return withoutVector(table, checked).map((name) => fault(name, 'VALUE_MISSING'))
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return [fault(null, checked)]
  const found = Object.entries(mapped.columns).flatMap(([name, column]) => {
    const value = Object.hasOwn(row, name) ? (row as Readonly<Record<string, unknown>>)[name] : undefined
    const code = checkedRow({ ...table, columns: { [name]: column } }, { [name]: value }, pass)
    return typeof code === 'string' ? [fault(name, code)] : []
  })
  return found.length === 0 ? [fault(null, checked)] : found
}

/** Columns of embeddings that may not be null, and whose text is empty: it has no vector. */
function withoutVector(table: NamedTable, row: Row): readonly string[] {
  return Object.entries(table.columns).flatMap(([name, { embedding, nullable }]) =>
    embedding !== undefined && nullable !== true && row[embedding.from] === '' ? [name] : [],
  )
}

/** The row as it would be stored, or what is wrong with it. */
function checkedRow(table: NamedTable, row: unknown, pass: PiiPass): Row | RefineErrorCode {
  try {
    return checkRow(table, pass(table, row, 0), 0, 0)
  } catch (error) {
    if (error instanceof RefineError) return error.code
    throw error
  }
}
