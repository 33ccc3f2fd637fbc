/** Strict CSV (RFC 4180): one header, the same number of fields in every row, quotes only where the RFC has them. */
import { CsvError, parse } from 'csv-parse/sync'
import { RefineError } from '../errors.js'
import { decodeText } from './decode-text.js'
import { defaultSourceLimits, type SourceLimits } from './source-limits.js'

function parseFault(error: unknown): RefineError {
  // csv-parse's messages quote the data; only its code and line number go further.
  if (!(error instanceof CsvError)) return new RefineError('CSV_INVALID', 'source', 'The export is not CSV')
  const line = (error as unknown as { lines?: unknown }).lines
  const place = typeof line === 'number' ? `line ${line}` : 'source'
  switch (error.code) {
    case 'CSV_MAX_RECORD_SIZE':
      return new RefineError('LIMIT_EXCEEDED', place, 'A row is longer than the limit')
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
      return new RefineError('CSV_FIELD_COUNT', place, 'A row has another number of fields than the header')
    default:
      return new RefineError('CSV_INVALID', place, 'The export is not strict CSV: check quotes and line ends')
  }
}

/**
 * Reads a CSV export into one record per row, keyed by the header's names. Values stay text: only the mapping knows what
 * they mean.
 *
 * @param bytes - UTF-8 text, comma-separated, header first
 * @param limits - see {@link SourceLimits}
 * @returns one object per row below the header
 * @throws RefineError with `LIMIT_EXCEEDED`, `ENCODING_INVALID`, `CSV_HEADER_INVALID`, `CSV_FIELD_COUNT` or `CSV_INVALID`;
 *   `place` is a line or a header column, counted from 1
 *
 * @example
 * ```ts
 * import { parseCsvSource } from '@sealpool/refine'
 * console.log(parseCsvSource(new TextEncoder().encode('age,south\r\n33,1\r\n'))) // [{ age: '33', south: '1' }]
 * ```
 */
export function parseCsvSource(
  bytes: Uint8Array,
  limits: SourceLimits = defaultSourceLimits,
): { [column: string]: string }[] {
  const text = decodeText(bytes, limits)
  let lines: string[][]
  try {
    lines = parse(text, {
      columns: false,
      delimiter: ',',
      quote: '"',
      escape: '"',
      max_record_size: limits.fieldLength,
      to: limits.records + 2,
    })
  } catch (error) {
    throw parseFault(error)
  }
  const header = lines[0]
  if (header === undefined) throw new RefineError('CSV_HEADER_INVALID', 'line 1', 'The export has no header')
  if (header.length > limits.columns) {
    throw new RefineError('LIMIT_EXCEEDED', 'line 1', `The export has more than ${limits.columns} columns`)
  }
  if (lines.length - 1 > limits.records) {
    throw new RefineError(
      'LIMIT_EXCEEDED',
      'source',
      `The export has more than ${limits.records} rows; split it`,
    )
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
  return lines
    .slice(1)
    .map((line) => Object.fromEntries(header.map((name, index) => [name, line[index] ?? ''])))
}
