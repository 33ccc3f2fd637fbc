import type { RefineErrorCode } from '../errors.js'
import type { ColumnSchema } from '../schema/table-schema.js'

/**
 * What a column takes, in words of the schema, which is public.
 *
 * @param column of a table
 * @returns for example `decimal with at most 2 places, from 0 to 100`
 */
export function expectedValue(column: ColumnSchema): string {
  const { type, decimals, values, min, max, maxLength, nullable } = column
  const forms: Readonly<Record<ColumnSchema['type'], string>> = {
    integer: 'a whole number',
    decimal: `a number with at most ${decimals ?? 0} places`,
    text: `text of at most ${maxLength ?? 1024} characters`,
    boolean: 'true or false',
    date: 'a day as YYYY-MM-DD',
    timestamp: 'an instant as YYYY-MM-DDThh:mm:ssZ',
    vector: "what the pool's model makes of a text",
  }
  const shown = values?.slice(0, 10).map(String).join(', ')
  const range =
    min !== undefined && max !== undefined
      ? ` from ${min} to ${max}`
      : min !== undefined
        ? ` from ${min}`
        : max !== undefined
          ? ` up to ${max}`
          : ''
  const form =
    values === undefined ? `${forms[type]}${range}` : `one of ${shown}${values.length > 10 ? ', …' : ''}`
  return nullable === true ? `${form}, or nothing` : form
}

/** What is wrong, for people; a code that is not here says it by itself. */
const reasons: Readonly<Partial<Record<RefineErrorCode, string>>> = {
  VALUE_MISSING: 'a value is missing',
  VALUE_TYPE: 'the value is of another kind',
  VALUE_RANGE: 'the value is too small, too large or too long',
  VALUE_NOT_ALLOWED: 'the value is none of those that are allowed',
  DECIMAL_PLACES: 'the number has too many places',
  PII_FOUND: 'personal data stands where none may',
  COLUMN_UNKNOWN: 'the mapping makes a column that the table does not have',
  FIELD_MISSING:
    'the export has no such field; is it another export, or parted by other characters than commas?',
  MAP_FAILED: 'the mapping does not understand it',
  MAP_OUTPUT_INVALID: 'it is no record with named fields',
  MEDIA_TYPE_MISMATCH: 'the pool reads another kind of file',
  FORMAT_UNKNOWN: 'no reader knows this kind of file',
  LIMIT_EXCEEDED: 'it is larger or deeper than allowed; export a shorter period',
  ENCODING_INVALID: 'the file is not UTF-8 text',
  CSV_INVALID: 'the file is not strict CSV',
  CSV_HEADER_INVALID: 'the header is absent, or a name in it is empty or stands twice',
  CSV_FIELD_COUNT: 'the row has another number of fields than the header',
  JSON_INVALID: 'the file is not strict JSON',
  REFINER_MISMATCH: 'this check is made for another table schema than the one that is contributed to',
}

/** @returns the meaning of a code, for people */
export function faultReason(code: RefineErrorCode): string {
  return reasons[code] ?? 'it cannot be read'
}
