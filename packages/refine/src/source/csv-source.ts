/** Strict CSV (RFC 4180): one header, the same number of fields in every row, quotes only where the RFC has them. */
import { csvRecords } from './csv-rows.js'
import { decodeText } from './decode-text.js'
import { defaultSourceLimits, fullLimits, type SourceLimits } from './source-limits.js'

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
  const records = csvRecords(fullLimits(limits))
  const rows = records.read(new TextEncoder().encode(decodeText(bytes, limits)))
  records.end()
  return rows
}
