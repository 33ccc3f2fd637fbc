import { RefineError } from '../errors.js'
import { scalarOf } from '../job/direct-rows.js'
import type { DirectColumn, RefinerSchema } from '../schema/table-schema.js'
import type { FullSourceLimits } from '../source/source-limits.js'
import { createCellReader, setByRules } from './cell-reader.js'
import { type BatchColumn, type ColumnBatch, createColumn, setCell } from './column-batch.js'
import type { FieldTarget } from './field-target.js'
import { createPendingColumn, type PendingColumn } from './pending-column.js'
import { countLines } from './piece-lines.js'
import { type ColumnScan, createColumnScan } from './rows-ahead.js'
import { scanCsv } from './scan-csv.js'
import { scanJsonLines } from './scan-json-lines.js'

/** May a refiner's exports be read into columns? Its mapping must be data, without a pass over personal data. */
export function isColumnar(schema: RefinerSchema): boolean {
  const { direct } = schema
  if (direct === undefined) return false
  const columns = schema.tables[direct.table]?.columns ?? {}
  return Object.values(columns).every(({ pii }) => pii === undefined)
}

interface Layout {
  readonly table: string
  /** Rows that its columns hold. */
  readonly capacity: number
  readonly columns: readonly BatchColumn[]
  readonly targets: ReadonlyMap<string, readonly FieldTarget[]>
  readonly unmapped: readonly BatchColumn[]
  readonly pending: readonly PendingColumn[]
  /** Where rows are read ahead: bytes of the largest piece, and the memory that the columns stand in. */
  readonly bytes: number
  readonly memory: ColumnScan | undefined
}

/**
 * Columns and their readers, kept from piece to piece: making them anew is a good part of reading a piece, and their memory garbage. Every row
 * sets each of its columns, so that nothing of a piece before is left in it.
 */
export interface KeptColumns {
  layout?: Layout
}

/** What is known of a piece. */
export interface PieceOptions {
  /** Columns of the piece before, which are overwritten: it must have been used up. */
  readonly kept?: KeptColumns
  /** How many lines it has; counted when absent. */
  readonly lines?: number
  /** Read rows of the common form by WebAssembly, which pays for larger pieces. Default false. */
  readonly ahead?: boolean
}

interface PieceSize {
  readonly lines: number
  readonly bytes: number
  /** Most bytes of a field, where rows are read ahead. */
  readonly aheadLength: number | undefined
}

function layoutOf(schema: RefinerSchema, piece: PieceSize, kept: KeptColumns): Layout {
  const { layout } = kept
  if (layout !== undefined && layout.capacity >= piece.lines && layout.bytes >= piece.bytes) return layout
  const made = createLayout(schema, {
    ...piece,
    lines: Math.ceil(1.25 * piece.lines),
    bytes: Math.ceil(1.25 * piece.bytes),
  })
  // Values that wait for a function are a piece's own, and two pieces may wait at once.
  if (made.pending.length === 0) kept.layout = made
  return made
}

function createLayout(schema: RefinerSchema, { lines: rows, bytes, aheadLength }: PieceSize): Layout {
  const { direct } = schema
  const table = direct === undefined ? undefined : schema.tables[direct.table]
  if (direct === undefined || table === undefined || !isColumnar(schema)) {
    throw new RefineError(
      'SCHEMA_INVALID',
      'direct',
      'The mapping of this schema cannot be read into columns',
    )
  }
  // Values that wait for a function are not read ahead: which ones there are is known here alone.
  const isWaiting = Object.values(direct.columns).some(({ by }) => by !== undefined)
  const memory =
    aheadLength === undefined || isWaiting
      ? undefined
      : createColumnScan({
          columns: table.columns,
          direct: direct.columns,
          rows,
          bytes,
          fieldLength: aheadLength,
        })
  const targets = new Map<string, FieldTarget[]>()
  const unmapped: BatchColumn[] = []
  const pending: PendingColumn[] = []
  const columns = Object.entries(table.columns).map(([name, definition], index) => {
    const column = memory?.columns[index] ?? createColumn(name, definition, rows, Math.ceil(bytes / 4))
    const spec = Object.hasOwn(direct.columns, name) ? direct.columns[name] : undefined
    if (spec === undefined) {
      unmapped.push(column)
      return column
    }
    const waiting = spec.by === undefined ? undefined : createPendingColumn(column, spec, rows)
    if (waiting !== undefined) pending.push(waiting)
    const target =
      waiting === undefined
        ? ruledTarget(column, spec, direct.table)
        : pendingTarget(column, waiting, direct.table)
    targets.set(spec.from, [...(targets.get(spec.from) ?? []), target])
    return column
  })
  return { table: direct.table, capacity: rows, columns, targets, unmapped, pending, bytes, memory }
}

/** A column whose values go by the rules that all paths share. */
function ruledTarget(column: BatchColumn, spec: DirectColumn, table: string): FieldTarget {
  const read = createCellReader(column, spec)
  const { type, nullable } = column.column
  const coded = spec.values !== undefined
  return {
    // Text out of JSON means what text out of CSV means.
    read,
    set: (value, row) => setByRules(column, spec, value, row, table),
    nothing: (row) => {
      if (coded || nullable !== true) return false
      setCell(column, row, null)
      return true
    },
    number: (piece, from, to, points, row) => {
      if (coded) {
        const minusZero = piece[from] === 0x2d && piece[from + 1] === 0x30
        return points === 0 && !minusZero && read(piece, from, to, row)
      }
      return (type === 'decimal' || type === 'integer') && read(piece, from, to, row)
    },
  }
}

/** A column that waits for a function. */
function pendingTarget(column: BatchColumn, pending: PendingColumn, table: string): FieldTarget {
  return {
    read: pending.read,
    set: (value, row) => {
      pending.codes[row] = pending.codeOf(scalarOf(value, `${table}[${row}].${column.name}`))
    },
    nothing: (row) => {
      pending.codes[row] = pending.codeOf(null)
      return true
    },
    number: (piece, from, to, _points, row) => {
      // As JavaScript reads it; the characters are plain and few.
      let text = ''
      for (let at = from; at < to; at += 1) text += String.fromCharCode(piece[at] ?? 0)
      pending.codes[row] = pending.codeOf(Number(text))
      return true
    },
  }
}

/**
 * Reads a piece of a CSV into columns. It is as strict as `parseCsvSource` and gives the rows that `refineBatch` would.
 *
 * @param schema - a schema that {@link isColumnar}
 * @param header - the header's names
 * @param piece - whole rows
 * @param limits - `fieldLength`
 * @param options - see {@link PieceOptions}
 * @returns the columns
 * @throws RefineError as `parseCsvSource` and `checkRow`; `place` counts the rows of the piece
 */
export function readCsvColumns(
  schema: RefinerSchema,
  header: readonly string[],
  piece: Uint8Array,
  limits: FullSourceLimits,
  { kept = {}, lines = countLines(piece), ahead = false }: PieceOptions = {},
): ColumnBatch {
  const size = { lines, bytes: piece.length, aheadLength: ahead ? limits.fieldLength : undefined }
  const { table, columns, targets, unmapped, pending, memory } = layoutOf(schema, size, kept)
  const absent = [...targets].filter(([name]) => !header.includes(name)).flatMap(([, list]) => list)
  const rows = scanCsv({
    piece,
    fields: header.map((name) => targets.get(name) ?? []),
    name: table,
    limits,
    ahead: memory?.csv(piece, header),
    onRow: (row) => {
      for (const target of absent) target.set(undefined, row)
      for (const column of unmapped) setCell(column, row, null)
    },
  })
  return { rows, columns, pending, writer: memory?.writer }
}

/**
 * Reads a piece of JSON Lines into columns. Lines that have the same keys in the same order as the line before are read without
 * making objects; every other line by `parseJsonSource`. It gives the rows that `refineBatch` would.
 *
 * @param schema - a schema that {@link isColumnar}
 * @param piece - whole lines
 * @param limits - as for `parseJsonSource`
 * @param options - see {@link PieceOptions}
 * @returns the columns
 * @throws RefineError as `parseJsonSource` (`place` counts the lines of the piece) and `checkRow`
 */
export function readJsonColumns(
  schema: RefinerSchema,
  piece: Uint8Array,
  limits: FullSourceLimits,
  { kept = {}, lines = countLines(piece), ahead = false }: PieceOptions = {},
): ColumnBatch {
  const size = { lines, bytes: piece.length, aheadLength: ahead ? limits.fieldLength : undefined }
  const { table, columns, targets, unmapped, pending, memory } = layoutOf(schema, size, kept)
  let absent: readonly FieldTarget[] = []
  const rowsAhead = memory?.json(piece)
  const rows = scanJsonLines({
    piece,
    limits,
    ahead: rowsAhead,
    onRow: (row) => {
      for (const target of absent) target.set(undefined, row)
      for (const column of unmapped) setCell(column, row, null)
    },
    onDocument: (document, row) => {
      if (typeof document !== 'object' || document === null || Array.isArray(document)) {
        throw new RefineError(
          'MAP_OUTPUT_INVALID',
          `${table}[${row}]`,
          'A record is no object with named fields',
        )
      }
      const fields = document as Readonly<Record<string, unknown>>
      for (const [name, list] of targets) {
        const value = Object.hasOwn(fields, name) ? fields[name] : undefined
        for (const target of list) target.set(value, row)
      }
      for (const column of unmapped) setCell(column, row, null)
      absent = [...targets].filter(([name]) => !Object.hasOwn(fields, name)).flatMap(([, list]) => list)
      const keys = Object.keys(fields)
      rowsAhead?.expect(keys)
      return keys.map((name) => [name, targets.get(name) ?? []])
    },
  })
  return { rows, columns, pending, writer: memory?.writer }
}
