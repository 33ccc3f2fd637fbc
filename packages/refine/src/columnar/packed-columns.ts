/** Columns that a mapping in the sandbox gave, checked against their table. What comes from there is hostile: nothing of it is believed. */
import { decodeCodes } from '@sealpool/sandbox'
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
  /** JSON text of as many columns of as many values: lists, or `{ "values", "codes" }` as `Batch.table` says. */
  readonly text: string
}

/** Values of a column: one per row, or the different ones and per row the number of its value. */
interface Cells {
  readonly list: readonly unknown[]
  readonly codes?: Uint16Array
}

const cellOf = ({ list, codes }: Cells, row: number): unknown =>
  list[codes === undefined ? row : (codes[row] ?? 0)]

function cellsOf(given: unknown, rows: number): Cells | undefined {
  if (Array.isArray(given)) return given.length === rows ? { list: given } : undefined
  const { values, codes: text } = (given ?? {}) as { readonly values?: unknown; readonly codes?: unknown }
  if (!Array.isArray(values) || typeof text !== 'string') return undefined
  const codes = decodeCodes(text, values.length)
  return codes?.length === rows ? { list: values, codes } : undefined
}

/** Most cells of the rows that are made at once: columns that the code leaves out cost room as well. */
const mostCells = 1 << 26

function invalid(table: NamedTable): RefineError {
  return new RefineError('MAP_OUTPUT_INVALID', table.name, 'The mapping gave columns that are none')
}

/** The lists of one answer, by column of the table. */
function listsOf(table: NamedTable, { rows, columns, text }: PackedColumns): Map<string, Cells> {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    throw invalid(table)
  }
  if (!Array.isArray(given) || given.length !== columns.length) throw invalid(table)
  // Rows without any column would be a number alone, as large as the code likes.
  if (columns.length === 0 && rows > 0) throw invalid(table)
  const lists = new Map<string, Cells>()
  for (const [index, name] of columns.entries()) {
    const cells = cellsOf(given[index], rows)
    if (cells === undefined || lists.has(name)) throw invalid(table)
    if (!Object.hasOwn(table.columns, name)) throw invalid(table)
    lists.set(name, cells)
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
        ({ rows: count, lists }): Cells => lists.get(name) ?? { list: [null], codes: new Uint16Array(count) },
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
          Object.fromEntries([...lists].map(([name, cells]) => [name, cellOf(cells, row)])),
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
function fillColumn(column: BatchColumn, lists: readonly Cells[], rows: number, table: string): void {
  const { type, values, nullable, min, max } = column.column
  const low = typeof min === 'number' ? min : -Number.MAX_SAFE_INTEGER
  const high = typeof max === 'number' ? max : Number.MAX_SAFE_INTEGER
  // Values that come again are checked once each.
  const isCoded = lists.some(({ codes }) => codes !== undefined)
  const isWhole = type === 'integer' && values === undefined && !isCoded
  const isTruth = type === 'boolean' && values === undefined && !isCoded
  const waiting = createPendingColumn(column, { from: '', by: '' }, isWhole || isTruth ? 0 : rows)
  const fault = (row: number) =>
    new RefineError('VALUE_TYPE', `${table}[${row}].${column.name}`, `Expected ${type}`)
  const codeAt = (value: unknown, row: number) => {
    if (typeof value === 'object' && value !== null) throw fault(row)
    return waiting.codeOf(value as Scalar)
  }
  let row = 0
  for (const { list, codes } of lists) {
    if (codes !== undefined) {
      // Of the values that a row has: what else stands there is nothing to this table.
      const own = new Int32Array(list.length).fill(-1)
      for (let at = 0; at < codes.length; at += 1, row += 1) {
        const code = codes[at] ?? 0
        if ((own[code] ?? 0) < 0) own[code] = codeAt(list[code], row)
        waiting.codes[row] = own[code] ?? 0
      }
      continue
    }
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
      } else waiting.codes[row] = codeAt(value, row)
    }
  }
  if (!isWhole && !isTruth) fillPending(waiting, waiting.values, rows, table)
}
