/**
 * Strict CSV (RFC 4180) row by row: the rules of `parseCsvSource`, for exports that do not fit into memory. They are those of
 * `@sealpool/poc` as well, so that a proof and a refiner see the same rows: `conformance/csv/cases.json` holds both to them.
 */
import { RefineError, type RefineErrorCode } from '../errors.js'
import { recordChunks } from './record-chunks.js'
import { checkFields, type RequiredField } from './required-fields.js'
import type { FullSourceLimits } from './source-limits.js'
import { utf8Chunks } from './text-chunks.js'

const comma = 0x2c
const quote = 0x22
const lineFeed = 0x0a
const carriageReturn = 0x0d
const pieceBytes = 1 << 20

function fault(code: RefineErrorCode, line: number, message: string): RefineError {
  return new RefineError(code, `line ${line}`, message)
}

function decode(bytes: Uint8Array, line: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw fault('ENCODING_INVALID', line, 'A field is not UTF-8; export it as UTF-8')
  }
}

/**
 * Reads the rows of one piece.
 *
 * @param piece - bytes that begin with a row and end with one
 * @param firstLine - number of the piece's first line, from 1
 * @param limits - `fieldLength`, `columns`
 * @param onRow - gets each row's fields, its line, and whether the line has no character at all
 * @returns number of the line behind the piece
 * @throws RefineError with `CSV_INVALID`, `ENCODING_INVALID` or `LIMIT_EXCEEDED`; `place` is the row's first line
 */
export function readCsvPiece(
  piece: Uint8Array,
  firstLine: number,
  limits: Pick<FullSourceLimits, 'fieldLength' | 'columns'>,
  onRow: (fields: string[], line: number, empty: boolean) => void,
): number {
  let at = 0
  let line = firstLine
  while (at < piece.length) {
    const fields: string[] = []
    const rowLine = line
    const rowStart = at
    let empty = false
    for (;;) {
      let value: string
      if (piece[at] === quote) {
        const parts: string[] = []
        let start = at + 1
        for (;;) {
          const end = piece.indexOf(quote, start)
          if (end < 0) throw fault('CSV_INVALID', rowLine, 'A quoted field does not end')
          if (piece[end + 1] === quote) {
            parts.push(decode(piece.subarray(start, end + 1), rowLine))
            start = end + 2
            continue
          }
          parts.push(decode(piece.subarray(start, end), rowLine))
          for (let feed = at; feed < end; feed += 1) if (piece[feed] === lineFeed) line += 1
          at = end + 1
          break
        }
        value = parts.join('')
      } else {
        const start = at
        let byte = piece[at]
        while (byte !== undefined && byte !== comma && byte !== lineFeed && byte !== carriageReturn) {
          if (byte === quote)
            throw fault('CSV_INVALID', rowLine, 'A quote stands in a field that is not quoted')
          at += 1
          byte = piece[at]
        }
        value = decode(piece.subarray(start, at), rowLine)
      }
      if (value.length > limits.fieldLength)
        throw fault('LIMIT_EXCEEDED', rowLine, 'A field is longer than the limit')
      fields.push(value)
      if (fields.length > limits.columns + 1)
        throw fault('LIMIT_EXCEEDED', rowLine, `More than ${limits.columns} columns`)
      const stop = piece[at]
      if (stop === comma) {
        at += 1
        continue
      }
      empty = at === rowStart
      if (stop === carriageReturn && piece[at + 1] === lineFeed) at += 1
      else if (stop !== lineFeed && stop !== undefined) {
        throw fault('CSV_INVALID', rowLine, 'Expected a comma or the end of the line behind a field')
      }
      if (piece[at] === lineFeed) {
        at += 1
        line += 1
      }
      break
    }
    onRow(fields, rowLine, empty)
  }
  return line
}

/**
 * Checks a header.
 *
 * @param header - its names
 * @param limits - `columns`
 * @throws RefineError with `CSV_HEADER_INVALID` or `LIMIT_EXCEEDED`
 */
export function checkCsvHeader(header: readonly string[], limits: Pick<FullSourceLimits, 'columns'>): void {
  if (header.length > limits.columns) {
    throw new RefineError('LIMIT_EXCEEDED', 'line 1', `The export has more than ${limits.columns} columns`)
  }
  const seen = new Set<string>()
  for (const [index, name] of header.entries()) {
    if (name === '' || seen.has(name)) {
      throw new RefineError(
        'CSV_HEADER_INVALID',
        `line 1, field ${index + 1}`,
        'A column of the header has no name, or the name of another column',
      )
    }
    seen.add(name)
  }
}

/**
 * Holds a row against its header.
 *
 * @param row - its fields
 * @param count - how many the header has
 * @param line - the row's first line
 * @throws RefineError with `CSV_FIELD_COUNT`
 */
export function checkFieldCount(row: readonly string[], count: number, line: number): void {
  if (row.length === count) return
  throw fault('CSV_FIELD_COUNT', line, 'A row has another number of fields than the header')
}

/** Makes records of pieces of one CSV, which come in order. */
export interface CsvRecords {
  /** Reads a piece. @param piece - whole rows of UTF-8 @returns one object per row, keyed by the header's names */
  read(piece: Uint8Array): { [column: string]: string }[]
  /** Says that there are no more pieces. @throws RefineError `CSV_HEADER_INVALID` when there was no header */
  end(): void
}

/**
 * Reads a CSV piece by piece: the first row is the header, every other one has as many fields, empty lines aside.
 *
 * @param limits - see `SourceLimits`
 * @param fields - which must stand in the header
 * @returns the reader, which throws as `parseCsvSource`
 */
export function csvRecords(limits: FullSourceLimits, fields: readonly RequiredField[] = []): CsvRecords {
  let header: string[] | undefined
  let line = 1
  let count = 0
  return {
    read(piece) {
      const rows: { [column: string]: string }[] = []
      line = readCsvPiece(piece, line, limits, (row, rowLine, empty) => {
        if (header === undefined) {
          header = row
          checkCsvHeader(header, limits)
          checkFields(header, fields)
          return
        }
        // In one column an empty line is an empty value.
        if (empty && header.length > 1) return
        checkFieldCount(row, header.length, rowLine)
        count += 1
        if (count > limits.records) {
          throw new RefineError(
            'LIMIT_EXCEEDED',
            'source',
            `The export has more than ${limits.records} rows; split it`,
          )
        }
        rows.push(Object.fromEntries(header.map((name, index) => [name, row[index] ?? ''])))
      })
      return rows
    },
    end() {
      if (header === undefined)
        throw new RefineError('CSV_HEADER_INVALID', 'line 1', 'The export has no header')
    },
  }
}

/**
 * Reads a CSV export row by row, keyed by the header's names.
 *
 * @param chunks - the export
 * @param limits - see `SourceLimits`
 * @param fields - which must stand in the header
 * @returns one object per row below the header
 * @throws RefineError as `parseCsvSource`
 */
export async function* csvRows(
  chunks: AsyncIterable<Uint8Array>,
  limits: FullSourceLimits,
  fields: readonly RequiredField[] = [],
): AsyncGenerator<{ readonly [column: string]: string }, void, undefined> {
  const records = csvRecords(limits, fields)
  const pieces = recordChunks(utf8Chunks(chunks), {
    quoted: true,
    pieceBytes,
    recordBytes: limits.recordBytes,
  })
  for await (const piece of pieces) yield* records.read(piece)
  records.end()
}
