import { scaledDecimal } from '../schema/decimal.js'
import type { ColumnSchema, DirectColumn } from '../schema/table-schema.js'

/**
 * What a field's value becomes in a column when the mapping is data: the one meaning that all paths share. Empty text and what
 * is absent are null. Numbers and booleans may stand as text, an integer in any form that JSON has (`5.0`, `1e3`); integers and booleans may
 * stand in a column of text. A number with a fraction may not: `1.50` out of JSON is `1.5`, and out of CSV `1.50`. What does not fit is passed on, so that the check of the row
 * refuses it with its place.
 *
 * @param column - type and whether it may be null
 * @param spec - where the value comes from
 * @param value - text out of CSV, any JSON value out of the others
 * @returns the value to be checked; an object, which no column takes, for text that `values` does not name
 */
export function directCell(
  column: Pick<ColumnSchema, 'type' | 'nullable'>,
  spec: Pick<DirectColumn, 'values'>,
  value: unknown,
): unknown {
  const missing = value === undefined || value === null || value === ''
  if (spec.values !== undefined) {
    const key = missing ? '' : typeof value === 'object' ? undefined : String(value)
    if (key !== undefined && Object.hasOwn(spec.values, key)) return spec.values[key]
    // A value of no known code must not turn into null.
    return missing ? null : { unknown: true }
  }
  if (missing) return column.type === 'text' && column.nullable !== true && value === '' ? '' : null
  if (typeof value !== 'string') {
    const written = typeof value === 'boolean' || (Number.isSafeInteger(value) && !Object.is(value, -0))
    return column.type === 'text' && written ? String(value) : value
  }
  switch (column.type) {
    case 'integer': {
      const whole = scaledDecimal(value, 0)
      return typeof whole === 'bigint' ? Number(whole) : value
    }
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value
    default:
      return value
  }
}
