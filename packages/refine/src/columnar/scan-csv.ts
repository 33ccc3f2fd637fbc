import { RefineError } from '../errors.js'
import { checkCsvHeader, checkFieldCount, readCsvPiece } from '../source/csv-rows.js'
import type { FullSourceLimits } from '../source/source-limits.js'
import type { FieldTarget } from './field-target.js'
import { terminated } from './piece-lines.js'
import type { RowsAhead } from './rows-ahead.js'

const comma = 0x2c
const quote = 0x22
const lineFeed = 0x0a
const carriageReturn = 0x0d

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

// A decoder that refused begins anew with the next text, because none is given in parts (WHATWG Encoding, 7.2).
const utf8 = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What {@link scanCsv} takes. */
export interface CsvScan {
  /** Whole rows. */
  readonly piece: Uint8Array
  /** Where each field of the header goes. */
  readonly fields: readonly (readonly FieldTarget[])[]
  /** What rows are called in refusals: `name[row]`. */
  readonly name: string
  readonly limits: Pick<FullSourceLimits, 'fieldLength' | 'columns'>
  /** Reads what it can of the rows before they are read here. */
  readonly ahead?: RowsAhead | undefined
  /** Told behind each row that was read here. */
  readonly onRow: (row: number) => void
}

/**
 * Reads the rows of a piece of a CSV, as strictly as `parseCsvSource`, without making objects or strings of the common forms.
 *
 * @param scan - see {@link CsvScan}
 * @returns how many rows there are
 * @throws RefineError as `parseCsvSource`, `place` counting the lines of the piece; where it takes all of the piece, what the targets throw
 */
export function scanCsv(scan: CsvScan): number {
  try {
    return scanRows(scan)
  } catch (error) {
    if (!(error instanceof RefineError)) throw error
    // Where rows are read one by one, all of them are read before any is mapped: the same fault at the same place is told.
    const { piece, fields, limits } = scan
    readCsvPiece(piece, 1, limits, (row, line, empty) => {
      if (!empty || fields.length === 1) checkFieldCount(row, fields.length, line)
    })
    throw error
  }
}

function scanRows({ piece: given, fields, name, limits, ahead, onRow }: CsvScan): number {
  // A line feed of ours must not make a line end of a last byte that is none.
  const piece = given.at(-1) === carriageReturn ? given : terminated(given)
  const decoded = (bytes: Uint8Array, row: number): string => {
    try {
      return utf8.decode(bytes)
    } catch {
      throw new RefineError('ENCODING_INVALID', `${name}[${row}]`, 'A field is not UTF-8; export it as UTF-8')
    }
  }
  const setText = (target: FieldTarget, bytes: Uint8Array, row: number) =>
    target.set(decoded(bytes, row), row)
  // What nobody reads is held to the encoding as well.
  const checkText = (bytes: Uint8Array, start: number, end: number, row: number) => {
    let from = start
    while (from < end && (bytes[from] ?? 0) < 0x80) from += 1
    if (from < end) decoded(bytes.subarray(from, end), row)
  }
  const last = fields.length - 1
  const fault = (code: 'CSV_INVALID' | 'CSV_FIELD_COUNT' | 'LIMIT_EXCEEDED', row: number, message: string) =>
    new RefineError(code, `${name}[${row}]`, message)
  let at = 0
  let row = 0
  for (; at < piece.length; row += 1) {
    if (ahead !== undefined) {
      at = ahead.read(at, row)
      row = ahead.row
      if (at === piece.length) break
    }
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
      const list = fields[field] ?? []
      if (piece[at] === quote) {
        const { value, next } = quotedField(piece, at)
        if (next < 0) throw fault('CSV_INVALID', row, 'A quoted field does not end')
        if (value.length > limits.fieldLength && decoded(value, row).length > limits.fieldLength)
          throw fault('LIMIT_EXCEEDED', row, 'A field is longer than the limit')
        if (list.length === 0) checkText(value, 0, value.length, row)
        for (const target of list) {
          if (!target.read(value, 0, value.length, row)) setText(target, value, row)
        }
        at = next
      } else {
        const start = at
        while (csvStops[piece[at] ?? 0] === 0) at += 1
        if (piece[at] === quote)
          throw fault('CSV_INVALID', row, 'A quote stands in a field that is not quoted')
        if (
          at - start > limits.fieldLength &&
          decoded(piece.subarray(start, at), row).length > limits.fieldLength
        )
          throw fault('LIMIT_EXCEEDED', row, 'A field is longer than the limit')
        if (list.length === 0) checkText(piece, start, at, row)
        for (let index = 0; index < list.length; index += 1) {
          const target = list[index]
          if (target !== undefined && !target.read(piece, start, at, row)) {
            setText(target, piece.subarray(start, at), row)
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
    onRow(row)
  }
  return row
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
