/** Columns that a mapping in the sandbox gave, checked against their table. What comes from there is hostile: nothing of it is believed. */
import { RefineError } from '../errors.js'
import { checkRow } from '../job/check-row.js'
import type { NamedTable, Scalar } from '../schema/table-schema.js'
import { type BatchColumn, type ColumnBatch, createColumn, setCell, setInt64 } from './column-batch.js'
import { createPendingColumn, fillPending } from './pending-column.js'

/** Rows of a table by column. */
export interface PackedColumns {
  readonly rows: number
  /** Names of the columns that are there; the others are null. */
  readonly columns: readonly string[]
  /** JSON text of as many lists of as many values. */
  readonly text: string
}

/** Most cells of the rows that are made at once: columns that the code leaves out cost room as well. */
const mostCells = 1 << 26

function invalid(table: NamedTable): RefineError {
  return new RefineError('MAP_OUTPUT_INVALID', table.name, 'The mapping gave columns that are none')
}

/** The lists of one answer, by column of the table. */
function listsOf(table: NamedTable, { rows, columns, text }: PackedColumns): Map<string, readonly unknown[]> {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    throw invalid(table)
  }
  if (!Array.isArray(given) || given.length !== columns.length) throw invalid(table)
  // Rows without any column would be a number alone, as large as the code likes.
  if (columns.length === 0 && rows > 0) throw invalid(table)
  const lists = new Map<string, readonly unknown[]>()
  for (const [index, name] of columns.entries()) {
    const list: unknown = given[index]
    if (!Array.isArray(list) || list.length !== rows || lists.has(name)) throw invalid(table)
    if (!Object.hasOwn(table.columns, name)) throw invalid(table)
    lists.set(name, list)
  }
  return lists
}

/**
 * Reads what runs of a mapping gave into columns, each value checked as `checkRow` does.
 *
 * @param table - the table
 * @param answers - of runs over records that follow each other
 * @returns the columns
 * @throws RefineError with `MAP_OUTPUT_INVALID`, `LIMIT_EXCEEDED` for more than 67,108,864 cells, or as `checkRow`, `place` counting the rows of all answers
 */
export function readPackedColumns(table: NamedTable, answers: readonly PackedColumns[]): ColumnBatch {
  // Read before anything is made of `rows`, which is believed only where lists of as many values are there.
  const parts = answers.map((answer) => ({ rows: answer.rows, lists: listsOf(table, answer) }))
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  if (rows * Object.keys(table.columns).length > mostCells) {
    throw new RefineError(
      'LIMIT_EXCEEDED',
      table.name,
      'The mapping gave too many rows at once; make fewer of a record',
    )
  }
  const columns: BatchColumn[] = []
  try {
    for (const [name, definition] of Object.entries(table.columns)) {
      const column = createColumn(name, definition, rows, 8 * rows)
      const values = parts.map(
        ({ rows: count, lists }) => lists.get(name) ?? new Array<null>(count).fill(null),
      )
      fillColumn(column, values, rows, table.name)
      columns.push(column)
    }
  } catch (error) {
    if (!(error instanceof RefineError)) throw error
    // The first row that is refused is told, as where rows are checked one by one.
    let before = 0
    for (const { rows: count, lists } of parts) {
      for (let row = 0; row < count; row += 1) {
        checkRow(
          table,
          Object.fromEntries([...lists].map(([name, list]) => [name, list[row]])),
          0,
          before + row,
        )
      }
      before += count
    }
    throw error
  }
  return { rows, columns, pending: [] }
}

/** Numbers and truth values at once; everything else once for each different value. */
function fillColumn(
  column: BatchColumn,
  lists: readonly (readonly unknown[])[],
  rows: number,
  table: string,
): void {
  const { type, values, nullable, min, max } = column.column
  const low = typeof min === 'number' ? min : -Number.MAX_SAFE_INTEGER
  const high = typeof max === 'number' ? max : Number.MAX_SAFE_INTEGER
  const isWhole = type === 'integer' && values === undefined
  const isTruth = type === 'boolean' && values === undefined
  const waiting = createPendingColumn(column, { from: '', by: '' }, isWhole || isTruth ? 0 : rows)
  const fault = (row: number) =>
    new RefineError('VALUE_TYPE', `${table}[${row}].${column.name}`, `Expected ${type}`)
  let row = 0
  for (const list of lists) {
    for (let at = 0; at < list.length; at += 1, row += 1) {
      const value = list[at]
      if (isWhole || isTruth) {
        if (value === null && nullable === true) setCell(column, row, null)
        else if (
          isWhole &&
          Number.isSafeInteger(value) &&
          (value as number) >= low &&
          (value as number) <= high
        )
          setInt64(column, row, value as number)
        else if (isTruth && typeof value === 'boolean') setCell(column, row, value)
        else throw fault(row)
      } else {
        if (typeof value === 'object' && value !== null) throw fault(row)
        waiting.codes[row] = waiting.codeOf(value as Scalar)
      }
    }
  }
  if (!isWhole && !isTruth) fillPending(waiting, waiting.values, rows, table)
}
