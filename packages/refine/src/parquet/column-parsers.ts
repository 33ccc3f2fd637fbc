import type { ParquetParsers, SchemaElement } from 'hyparquet'
import { RefineError } from '../errors.js'
import { civilFromDays, printInstant } from '../schema/instant.js'
import { parseJsonText } from '../source/json-source.js'
import type { FullSourceLimits } from '../source/source-limits.js'

/**
 * hyparquet converts decimals, days and JSON by the older name of their type (`converted_type`) alone, and gives the bare integers where a
 * writer left it out: 150 for 1.50.
 *
 * @param column - as the footer has it
 * @returns the same with the older name, and its decimal places, where its logical type says them
 */
export function withOlderName(column: SchemaElement): SchemaElement {
  const { logical_type: logical } = column
  switch (logical?.type) {
    case 'DECIMAL':
      return { ...column, converted_type: 'DECIMAL', scale: column.scale ?? logical.scale }
    case 'DATE':
    case 'JSON':
      return { ...column, converted_type: logical.type }
    default:
      return column
  }
}

/**
 * What the values of a column become. hyparquet's own parsers put a sign in the place of what is no text, drop a mark in front of it, round
 * numbers in JSON, and give a `Date`, which has no microseconds.
 *
 * @param column - one that {@link withOlderName} gave
 * @param options - `place` of the column for refusals; `limits` of a JSON document
 * @returns parsers that throw RefineError with `PARQUET_INVALID`, `ENCODING_INVALID`, or what {@link parseJsonText} throws
 */
export function columnParsers(
  column: SchemaElement,
  { place, limits }: { readonly place: string; readonly limits: FullSourceLimits },
): Pick<
  ParquetParsers,
  | 'dateFromDays'
  | 'jsonFromBytes'
  | 'stringFromBytes'
  | 'timestampFromMicroseconds'
  | 'timestampFromMilliseconds'
  | 'timestampFromNanoseconds'
> {
  const { logical_type: logical } = column
  // What only the older name calls a time is of UTC (LogicalTypes.md).
  const zoneless = logical?.type === 'TIMESTAMP' && logical.isAdjustedToUTC === false
  const invalid = (what: string, message: string) =>
    new RefineError('PARQUET_INVALID', `${place}, ${what}`, message)
  const instant = (micro: bigint): string => {
    const text = printInstant(micro)
    if (text === undefined) throw invalid('timestamp', 'An instant is out of range')
    return zoneless ? text.slice(0, -1) : text
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const text = (bytes: Uint8Array): string => {
    try {
      return decoder.decode(bytes)
    } catch {
      throw new RefineError('ENCODING_INVALID', place, 'A column of text holds bytes that are not UTF-8')
    }
  }
  return {
    dateFromDays: (days) => {
      const [year, month, day] = civilFromDays(days)
      if (year < 1 || year > 9999) throw invalid('date', 'A day is out of range')
      return [
        String(year).padStart(4, '0'),
        ...[month, day].map((part) => String(part).padStart(2, '0')),
      ].join('-')
    },
    timestampFromMilliseconds: (value) => instant(value * 1000n),
    timestampFromMicroseconds: (value) => instant(value),
    timestampFromNanoseconds: (value) => {
      if (value % 1000n !== 0n) throw invalid('timestamp', 'An instant is finer than a microsecond')
      return instant(value / 1000n)
    },
    stringFromBytes: (bytes) => text(bytes),
    jsonFromBytes: (bytes) => parseJsonText(text(bytes), limits),
  }
}
