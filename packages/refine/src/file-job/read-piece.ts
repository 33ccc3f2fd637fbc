import { batchPages } from '../columnar/batch-pages.js'
import { type KeptColumns, readCsvColumns, readJsonColumns } from '../columnar/batch-reader.js'
import { canonicalRows } from '../columnar/canonical-rows.js'
import { type ColumnBatch, createColumn, setCell } from '../columnar/column-batch.js'
import { type PackedColumns, readPackedColumns } from '../columnar/packed-columns.js'
import { fillPending } from '../columnar/pending-column.js'
import { countLines } from '../columnar/piece-lines.js'
import { type RecordBatch, readRecordBatches } from '../columnar/record-columns.js'
import { createRecordScan, type RecordScan } from '../columnar/record-scan.js'
import { RefineError } from '../errors.js'
import { checkRow } from '../job/check-row.js'
import { tableOf } from '../schema/table-of.js'
import type { NamedTable, Scalar } from '../schema/table-schema.js'
import { createPieceMemory, type PieceMemory } from './file-pieces.js'
import { leafBytes, sha256Into } from './leaf-hash.js'
import type { FunctionCache, MappedBatch, PieceResult, TablePiece, WorkerData } from './piece-message.js'

/** Calls functions of the refiner for values. @param calls - function and values @returns one list of results per call */
export type CallFunctions = (
  calls: readonly { readonly by: string; readonly values: readonly Scalar[] }[],
) => Promise<readonly (readonly unknown[])[]>

/** Where a batch stands in its piece. */
export interface BatchPlace {
  /** Records of the piece before it, and all of the piece. */
  readonly before: number
  readonly total: number
}

/** Calls the refiner's mapping. @param batch - records @param place - where they stand in their piece @returns what it gave */
export type MapRecords = (batch: RecordBatch, place: BatchPlace) => Promise<MappedBatch>

/** How a piece reaches the sandbox. */
export interface PieceHost {
  readonly call: CallFunctions
  readonly map: MapRecords
}

/** What pieces of one export leave to those behind them in the same thread. */
export interface PieceCache {
  readonly values: FunctionCache
  readonly columns: KeptColumns
  /** Memory of pages that were stored. */
  readonly pages: PieceMemory
  /** For pieces of at most so many bytes. */
  records?: { readonly bytes: number; readonly scan: RecordScan | undefined }
}

/** Of one piece at once; it may have several tables. */
const mostPages = 4

/** @returns the cache of a thread's first piece */
export const emptyCache = (): PieceCache => ({
  values: new Map(),
  columns: {},
  pages: createPieceMemory(mostPages),
})

/** Bytes of a piece for which a memory for WebAssembly pays. */
const leastAhead = 65_536
/** Most results of one function that are kept for later pieces. */
const mostKept = 200_000

/** What reads the records of a piece ahead, where the mapping names their fields. */
function recordScanOf(data: WorkerData, cache: PieceCache, length: number): RecordScan | undefined {
  const { schema, limits, batchRecords } = data
  if (schema.fields === undefined || batchRecords === undefined) return undefined
  if (cache.records === undefined || cache.records.bytes < length) {
    const bytes = Math.ceil(1.25 * length)
    const fields = schema.fields.map(({ name }) => name)
    cache.records = {
      bytes,
      scan: createRecordScan({ fields, records: batchRecords, bytes, fieldLength: limits.fieldLength }),
    }
  }
  return cache.records.scan
}

/**
 * Reads a piece of an export into pages and leaf hashes.
 *
 * @param piece - whole records
 * @param data - what all pieces of the export share
 * @param cache - what pieces before left; changed
 * @param host - the sandbox
 * @returns pages and hashes by table
 * @throws RefineError as `readCsvColumns`; `place` counts the rows, records and lines of the piece
 */
export async function readPiece(
  piece: Uint8Array,
  data: WorkerData,
  cache: PieceCache,
  host: PieceHost,
): Promise<PieceResult> {
  const { schema, limits, format, header, batchRecords } = data
  const lines = countLines(piece)
  if (batchRecords !== undefined) {
    const scan = piece.length < leastAhead ? undefined : recordScanOf(data, cache, piece.length)
    const batches = readRecordBatches({ schema, format, header, piece, limits, batchRecords, scan })
    const total = batches.reduce((sum, { count }) => sum + count, 0)
    const pieces = createTablePieces(data, cache)
    let before = 0
    // One behind the other: what a mapping makes of a few records may be long.
    for (const batch of batches) {
      pieces.add(await host.map(batch, { before, total }))
      before += batch.count
    }
    return { records: total, lines, tables: pieces.finish() }
  }
  const options = { kept: cache.columns, lines, ahead: piece.length >= leastAhead }
  const batch =
    format === 'csv'
      ? readCsvColumns(schema, header, piece, limits, options)
      : readJsonColumns(schema, piece, limits, options)
  const table = schema.direct?.table ?? ''
  // Columns that are kept belong to the next piece from the first wait on; those that wait for functions are not kept.
  if (batch.pending.length > 0) await fillColumns(batch, table, cache.values, host.call)
  return { records: batch.rows, lines, tables: [tablePiece(table, batch, data, cache)] }
}

/** Fills the columns that wait for functions. */
async function fillColumns(
  batch: ColumnBatch,
  table: string,
  cache: FunctionCache,
  call: CallFunctions,
): Promise<void> {
  // Held from before the call: another piece may start the cache anew while this one waits.
  const waiting = batch.pending.map((pending) => {
    const known = cache.get(pending.by) ?? new Map<Scalar, unknown>()
    cache.set(pending.by, known)
    return { pending, known, values: pending.values.filter((value) => !known.has(value)) }
  })
  const asked = waiting.filter(({ values }) => values.length > 0)
  const calls = asked.map(({ pending: { by }, values }) => ({ by, values }))
  const results = calls.length === 0 ? [] : await call(calls)
  for (const [index, { known, values }] of asked.entries()) {
    for (const [at, value] of values.entries()) known.set(value, results[index]?.[at])
  }
  for (const { pending, known } of waiting) {
    fillPending(
      pending,
      pending.values.map((value) => known.get(value)),
      batch.rows,
      table,
    )
    if (known.size > mostKept && cache.get(pending.by) === known) cache.delete(pending.by)
  }
}

function tablePiece(table: string, batch: ColumnBatch, data: WorkerData, cache: PieceCache): TablePiece {
  const { contributor, salt, digest } = data
  const leaves = new Uint8Array(digest ? leafBytes * batch.rows : 0)
  if (digest) {
    const prefix = new Uint8Array(1 + salt.length)
    prefix.set(salt, 1)
    let at = 0
    canonicalRows(batch, contributor, prefix, (bytes) => {
      sha256Into(bytes, leaves, at)
      at += leafBytes
    })
  }
  return { table, rows: batch.rows, pages: batchPages(batch, contributor, cache.pages.take), leaves }
}

/** Rows that are no plain rows, as columns: checked one by one, which says what is wrong with the first of them that is refused. */
function columnsOfRows(table: NamedTable, rows: readonly unknown[], before: number): ColumnBatch {
  const columns = Object.entries(table.columns).map(([name, column]) =>
    createColumn(name, column, rows.length, 8 * rows.length),
  )
  for (const [index, row] of rows.entries()) {
    const checked = checkRow(table, row, 0, before + index)
    for (const column of columns) setCell(column, index, checked[column.name] ?? null)
  }
  return { rows: rows.length, columns, pending: [] }
}

/** Rows of a row group, about: what is held as text at most, also where a record becomes many rows. */
const groupRows = 65_536

/** Makes row groups of what the mapping gives for the batches of a piece. */
function createTablePieces(
  data: WorkerData,
  cache: PieceCache,
): {
  add(mapped: MappedBatch): void
  finish(): TablePiece[]
} {
  const { schema } = data
  const pieces: TablePiece[] = []
  const tables = new Map(
    Object.keys(schema.tables).map((name) => [
      name,
      { table: tableOf(schema, name), waiting: [] as PackedColumns[], rows: 0, before: 0 },
    ]),
  )
  type Growing = typeof tables extends Map<string, infer Value> ? Value : never
  const put = (growing: Growing, batch: ColumnBatch) => {
    growing.before += batch.rows
    if (batch.rows > 0) pieces.push(tablePiece(growing.table.name, batch, data, cache))
  }
  const flush = (growing: Growing) => {
    const { table, waiting, before } = growing
    if (waiting.length > 0) put(growing, packedBatch(table, waiting, before))
    growing.waiting = []
    growing.rows = 0
  }
  return {
    add(mapped) {
      for (const name of Object.keys('packed' in mapped ? mapped.packed : mapped.tables)) {
        if (tables.has(name)) continue
        throw new RefineError(
          'MAP_OUTPUT_INVALID',
          'output',
          'The mapping returned a table that is not declared',
        )
      }
      for (const [name, growing] of tables) {
        if ('tables' in mapped) {
          flush(growing)
          put(growing, columnsOfRows(growing.table, mapped.tables[name] ?? [], growing.before))
          continue
        }
        const columns = mapped.packed[name]
        if (columns === undefined) continue
        growing.waiting.push(columns)
        growing.rows += columns.rows
        if (growing.rows >= groupRows) flush(growing)
      }
    },
    finish() {
      for (const growing of tables.values()) flush(growing)
      return pieces
    },
  }
}

function packedBatch(table: NamedTable, packed: readonly PackedColumns[], before: number): ColumnBatch {
  try {
    return readPackedColumns(table, packed)
  } catch (error) {
    if (!(error instanceof RefineError) || before === 0) throw error
    const place = error.place.replace(/\[(\d+)\]/, (_, row: string) => `[${Number(row) + before}]`)
    throw new RefineError(error.code, place, error.message.replace(/ \(at [^)]*\)$/, ''))
  }
}
