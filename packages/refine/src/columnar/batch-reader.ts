import { RefineError } from '../errors.js'
import { scalarOf } from '../job/direct-rows.js'
import type { DirectColumn, RefinerSchema } from '../schema/table-schema.js'
import { checkCsvHeader, readCsvPiece } from '../source/csv-rows.js'
import { parseJsonLine } from '../source/jsonl-source.js'
import type { FullSourceLimits } from '../source/source-limits.js'
import { type CellReader, createCellReader, setByRules } from './cell-reader.js'
import { type BatchColumn, type ColumnBatch, createColumn, setCell } from './column-batch.js'
import { createPendingColumn, type PendingColumn } from './pending-column.js'

const comma = 0x2c
const quote = 0x22
const lineFeed = 0x0a
const carriageReturn = 0x0d
const blank = 0x20

/** One target of a field. */
interface Target {
  readonly column: BatchColumn
  readonly spec: DirectColumn
  readonly read: CellReader
  readonly pending: PendingColumn | undefined
}

/** May a refiner's exports be read into columns? Its mapping must be data, without a pass over personal data. */
export function isColumnar(schema: RefinerSchema): boolean {
  const { direct } = schema
  if (direct === undefined) return false
  const columns = schema.tables[direct.table]?.columns ?? {}
  return Object.values(columns).every(({ pii }) => pii === undefined)
}

interface Layout {
  readonly table: string
  readonly columns: readonly BatchColumn[]
  readonly targets: ReadonlyMap<string, readonly Target[]>
  readonly unmapped: readonly BatchColumn[]
  readonly pending: readonly PendingColumn[]
}

function layoutOf(schema: RefinerSchema, rows: number, bytes: number): Layout {
  const { direct } = schema
  const table = direct === undefined ? undefined : schema.tables[direct.table]
  if (direct === undefined || table === undefined || !isColumnar(schema)) {
    throw new RefineError(
      'SCHEMA_INVALID',
      'direct',
      'The mapping of this schema cannot be read into columns',
    )
  }
  const targets = new Map<string, Target[]>()
  const unmapped: BatchColumn[] = []
  const pending: PendingColumn[] = []
  const columns = Object.entries(table.columns).map(([name, definition]) => {
    const column = createColumn(name, definition, rows, Math.ceil(bytes / 4))
    const spec = Object.hasOwn(direct.columns, name) ? direct.columns[name] : undefined
    if (spec === undefined) {
      unmapped.push(column)
      return column
    }
    const waiting = spec.by === undefined ? undefined : createPendingColumn(column, spec, rows)
    if (waiting !== undefined) pending.push(waiting)
    const read = waiting?.read ?? createCellReader(column, spec)
    targets.set(spec.from, [...(targets.get(spec.from) ?? []), { column, spec, read, pending: waiting }])
    return column
  })
  return { table: direct.table, columns, targets, unmapped, pending }
}

function countLines(piece: Uint8Array): number {
  let count = piece.at(-1) === lineFeed ? 0 : 1
  for (let at = piece.indexOf(lineFeed); at >= 0; at = piece.indexOf(lineFeed, at + 1)) count += 1
  return count
}

/** Ends in a line feed, so that scanning needs no other end; no Buffer, whose second shape would slow down every loop. */
function terminated(piece: Uint8Array): Uint8Array {
  if (piece.length === 0 || piece.at(-1) === lineFeed) {
    return new Uint8Array(piece.buffer, piece.byteOffset, piece.length)
  }
  const ended = new Uint8Array(piece.length + 1)
  ended.set(piece)
  ended[piece.length] = lineFeed
  return ended
}

// A decoder that refused begins anew with the next text, because none is given in parts (WHATWG Encoding, 7.2).
const utf8 = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A value by the rules that all paths share, or for the function that makes the column. */
function setValue(target: Target, value: unknown, row: number, table: string): void {
  const { column, spec, pending } = target
  if (pending === undefined) setByRules(column, spec, value, row, table)
  else pending.codes[row] = pending.codeOf(scalarOf(value, `${table}[${row}].${column.name}`))
}

function setText(target: Target, bytes: Uint8Array, row: number, table: string): void {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw new RefineError('ENCODING_INVALID', `${table}[${row}]`, 'A field is not UTF-8; export it as UTF-8')
  }
  setValue(target, text, row, table)
}

const csvStops = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === comma || byte === lineFeed || byte === carriageReturn || byte === quote ? 1 : 0,
)

/**
 * The header of a CSV's first piece.
 *
 * @param piece - the first piece
 * @param limits - `columns`, `fieldLength`
 * @returns the names, and the piece without its first row
 * @throws RefineError with `CSV_HEADER_INVALID`, `CSV_INVALID`, `ENCODING_INVALID` or `LIMIT_EXCEEDED`
 */
export function csvHeader(
  piece: Uint8Array,
  limits: FullSourceLimits,
): { readonly header: readonly string[]; readonly rest: Uint8Array } {
  // A name in quotes may hold line feeds: the header ends at the first one outside of quotes.
  let open = false
  let end = 0
  for (; end < piece.length && (open || piece[end] !== lineFeed); end += 1)
    if (piece[end] === quote) open = !open
  end = Math.min(end + 1, piece.length)
  const header: string[] = []
  readCsvPiece(piece.subarray(0, end), 1, limits, (fields) => header.push(...fields))
  checkCsvHeader(header, limits)
  return { header, rest: piece.subarray(end) }
}

/**
 * Reads a piece of a CSV into columns. It is as strict as `parseCsvSource` and gives the rows that `refineBatch` would.
 *
 * @param schema - a schema that {@link isColumnar}
 * @param header - the header's names
 * @param given - whole rows
 * @param limits - `fieldLength`
 * @returns the columns
 * @throws RefineError as `parseCsvSource` and `checkRow`; `place` counts the rows of the piece
 */
export function readCsvColumns(
  schema: RefinerSchema,
  header: readonly string[],
  given: Uint8Array,
  limits: FullSourceLimits,
): ColumnBatch {
  // A line feed of ours must not make a line end of a last byte that is none.
  const piece = given.at(-1) === carriageReturn ? given : terminated(given)
  const { table, columns, targets, unmapped, pending } = layoutOf(schema, countLines(piece), piece.length)
  const byField = header.map((name) => targets.get(name) ?? [])
  const absent = [...targets].filter(([name]) => !header.includes(name)).flatMap(([, list]) => list)
  const last = header.length - 1
  const fault = (code: 'CSV_INVALID' | 'CSV_FIELD_COUNT' | 'LIMIT_EXCEEDED', row: number, message: string) =>
    new RefineError(code, `${table}[${row}]`, message)
  let at = 0
  let row = 0
  for (; at < piece.length; row += 1) {
    if (last > 0) {
      // Empty lines: in one column they are empty values, here they are nothing.
      for (;;) {
        if (piece[at] === lineFeed) at += 1
        else if (piece[at] === carriageReturn && piece[at + 1] === lineFeed) at += 2
        else break
      }
      if (at === piece.length) break
    }
    for (let field = 0; field <= last; field += 1) {
      const list = byField[field] ?? []
      if (piece[at] === quote) {
        const { value, next } = quotedField(piece, at)
        if (next < 0) throw fault('CSV_INVALID', row, 'A quoted field does not end')
        if (value.length > limits.fieldLength)
          throw fault('LIMIT_EXCEEDED', row, 'A field is longer than the limit')
        for (const target of list) {
          if (!target.read(value, 0, value.length, row)) setText(target, value, row, table)
        }
        at = next
      } else {
        const start = at
        while (csvStops[piece[at] ?? 0] === 0) at += 1
        if (piece[at] === quote)
          throw fault('CSV_INVALID', row, 'A quote stands in a field that is not quoted')
        if (at - start > limits.fieldLength)
          throw fault('LIMIT_EXCEEDED', row, 'A field is longer than the limit')
        for (let index = 0; index < list.length; index += 1) {
          const target = list[index]
          if (target !== undefined && !target.read(piece, start, at, row)) {
            setText(target, piece.subarray(start, at), row, table)
          }
        }
      }
      const stop = piece[at]
      if (field < last) {
        if (stop === comma) {
          at += 1
          continue
        }
        if (stop === lineFeed || (stop === carriageReturn && piece[at + 1] === lineFeed)) {
          throw fault('CSV_FIELD_COUNT', row, 'A row has another number of fields than the header')
        }
        throw fault('CSV_INVALID', row, 'Expected a comma or the end of the line behind a field')
      }
      if (stop === comma)
        throw fault('CSV_FIELD_COUNT', row, 'A row has another number of fields than the header')
      if (stop === carriageReturn) at += 1
      if (piece[at] !== lineFeed) {
        throw fault('CSV_INVALID', row, 'Expected a comma or the end of the line behind a field')
      }
      at += 1
    }
    for (const target of absent) setValue(target, undefined, row, table)
    for (const column of unmapped) setCell(column, row, null)
  }
  return { rows: row, columns, pending }
}

/** A quoted field's bytes without its quotes, and where it ends; `next` is -1 when it does not. */
function quotedField(piece: Uint8Array, at: number): { readonly value: Uint8Array; readonly next: number } {
  let end = piece.indexOf(quote, at + 1)
  if (end < 0) return { value: piece, next: -1 }
  if (piece[end + 1] !== quote) return { value: piece.subarray(at + 1, end), next: end + 1 }
  const parts: number[] = []
  let from = at + 1
  while (piece[end + 1] === quote) {
    for (let index = from; index <= end; index += 1) parts.push(piece[index] ?? 0)
    from = end + 2
    end = piece.indexOf(quote, from)
    if (end < 0) return { value: piece, next: -1 }
  }
  for (let index = from; index < end; index += 1) parts.push(piece[index] ?? 0)
  return { value: Uint8Array.from(parts), next: end + 1 }
}

/** A key that lines are expected to have at this place: its bytes with quotes and colon, and where its value goes. */
interface ExpectedKey {
  readonly bytes: Uint8Array
  readonly targets: readonly Target[]
}

const stringStops = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === quote || byte === 0x5c || byte < 0x20 || byte > 0x7f ? 1 : 0,
)
const numberBytes = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2e ? 1 : 0,
)

/** A number whose JSON text and JavaScript text mean the same to a column: no exponent, no needless zeros in front. */
function isPlainNumber(piece: Uint8Array, start: number, end: number): boolean {
  const first = piece[start] === 0x2d ? start + 1 : start
  const digit = piece[first] ?? 0
  if (end === first || digit < 0x30 || digit > 0x39) return false
  const second = piece[first + 1]
  return !(digit === 0x30 && first + 1 < end && second !== undefined && second !== 0x2e) && end - first <= 16
}

/**
 * Reads a piece of JSON Lines into columns. Lines that have the same keys in the same order as the line before are read without
 * making objects; every other line by `parseJsonSource`. It gives the rows that `refineBatch` would.
 *
 * @param schema - a schema that {@link isColumnar}
 * @param given - whole lines
 * @param limits - as for `parseJsonSource`
 * @returns the columns
 * @throws RefineError as `parseJsonSource` (`place` counts the lines of the piece) and `checkRow`
 */
export function readJsonColumns(
  schema: RefinerSchema,
  given: Uint8Array,
  limits: FullSourceLimits,
): ColumnBatch {
  const piece = terminated(given)
  const { table, columns, targets, unmapped, pending } = layoutOf(schema, countLines(piece), piece.length)
  const encoder = new TextEncoder()
  let expected: readonly ExpectedKey[] = []
  let absent: readonly Target[] = []
  let row = 0

  /** The values of a line of the expected form; where it ends, or -1 when it has another form. */
  const fastLine = (start: number): number => {
    if (expected.length === 0) return -1
    let at = start + 1
    for (let index = 0; index < expected.length; index += 1) {
      const key = expected[index]
      if (key === undefined) return -1
      if (index > 0) {
        if (piece[at] !== comma) return -1
        at += 1
      }
      if (piece[at] === blank) at += 1
      const { bytes } = key
      for (let offset = 0; offset < bytes.length; offset += 1)
        if (piece[at + offset] !== bytes[offset]) return -1
      at += bytes.length
      if (piece[at] === blank) at += 1
      const first = piece[at]
      const from = at
      if (first === quote) {
        at += 1
        while (stringStops[piece[at] ?? 0] === 0) at += 1
        if (piece[at] !== quote || at - from > limits.fieldLength) return -1
        for (const target of key.targets) if (!readText(target, from + 1, at)) return -1
        at += 1
      } else if (first === 0x6e) {
        if (piece[at + 1] !== 0x75 || piece[at + 2] !== 0x6c || piece[at + 3] !== 0x6c) return -1
        at += 4
        for (const target of key.targets) if (!readNull(target)) return -1
      } else if (first !== undefined && numberBytes[first] === 1) {
        let points = 0
        while (numberBytes[piece[at] ?? 0] === 1) {
          if (piece[at] === 0x2e) points += 1
          at += 1
        }
        if (!isPlainNumber(piece, from, at)) return -1
        for (const target of key.targets) if (!readNumber(target, from, at, points)) return -1
        if (points > 1 || (points === 1 && piece[at - 1] === 0x2e)) return -1
      } else return -1
    }
    if (piece[at] !== 0x7d) return -1
    at += 1
    if (piece[at] === carriageReturn) at += 1
    return piece[at] === lineFeed ? at + 1 : -1
  }
  // Text out of JSON means what text out of CSV means.
  const readText = ({ read }: Target, from: number, to: number): boolean => read(piece, from, to, row)
  const readNull = ({ column, spec, pending: waiting }: Target): boolean => {
    if (waiting !== undefined) {
      waiting.codes[row] = waiting.codeOf(null)
      return true
    }
    if (spec.values !== undefined || column.column.nullable !== true) return false
    setCell(column, row, null)
    return true
  }
  const readNumber = (
    { column, spec, read, pending: waiting }: Target,
    from: number,
    to: number,
    points: number,
  ): boolean => {
    if (waiting !== undefined) {
      // As JavaScript reads it; the characters are plain and few.
      let text = ''
      for (let at = from; at < to; at += 1) text += String.fromCharCode(piece[at] ?? 0)
      waiting.codes[row] = waiting.codeOf(Number(text))
      return points <= 1
    }
    if (spec.values !== undefined) {
      const minusZero = piece[from] === 0x2d && piece[from + 1] === 0x30
      return points === 0 && !minusZero && read(piece, from, to, row)
    }
    return (
      (column.column.type === 'decimal' || column.column.type === 'integer') && read(piece, from, to, row)
    )
  }

  let line = 0
  for (let at = 0; at < piece.length; ) {
    line += 1
    const next = piece[at] === 0x7b ? fastLine(at) : -1
    if (next > 0) {
      for (const target of absent) setValue(target, undefined, row, table)
      for (const column of unmapped) setCell(column, row, null)
      at = next
      row += 1
      continue
    }
    const end = piece.indexOf(lineFeed, at)
    const bytes = piece.subarray(at, end)
    at = end + 1
    if (bytes.every((byte) => byte === blank || byte === 0x09 || byte === carriageReturn)) continue
    const record = parseJsonLine(bytes, line, limits)
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new RefineError(
        'MAP_OUTPUT_INVALID',
        `${table}[${row}]`,
        'A record is no object with named fields',
      )
    }
    const fields = record as Readonly<Record<string, unknown>>
    for (const [name, list] of targets) {
      const value = Object.hasOwn(fields, name) ? fields[name] : undefined
      for (const target of list) setValue(target, value, row, table)
    }
    for (const column of unmapped) setCell(column, row, null)
    row += 1
    const keys = Object.keys(fields)
    expected = keys.map((name) => ({
      bytes: encoder.encode(`${JSON.stringify(name)}:`),
      targets: targets.get(name) ?? [],
    }))
    absent = [...targets].filter(([name]) => !Object.hasOwn(fields, name)).flatMap(([, list]) => list)
  }
  return { rows: row, columns, pending }
}
