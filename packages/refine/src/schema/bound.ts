import { RefineError } from '../errors.js'
import { isCalendarDay } from './calendar-day.js'
import { scaledDecimal } from './decimal.js'
import { daysFromCivil, instantMicroseconds } from './instant.js'
import type { ColumnSchema } from './table-schema.js'

/**
 * Where a bound or a value of an ordered column stands among the column's values. Text of numbers and instants does not sort
 * as what it means does (`'9.00'` and `'10.00'`, `00:00:00Z` and `00:00:00.5Z`), so bounds are compared by this alone.
 *
 * @param column - its type and places
 * @param bound - a number, a decimal's text, a day or an instant
 * @returns an integer that grows with the value: the number, value * 10^decimals, days or microseconds since 1970; undefined when
 *   this is no value of the column, or the column has no order
 */
export function boundPosition(
  column: Pick<ColumnSchema, 'type' | 'decimals'>,
  bound: number | string | boolean,
): bigint | undefined {
  switch (column.type) {
    case 'integer':
      return typeof bound === 'number' && Number.isSafeInteger(bound) ? BigInt(bound) : undefined
    case 'decimal': {
      const scaled =
        typeof bound === 'boolean' ? undefined : scaledDecimal(String(bound), column.decimals ?? 0)
      return typeof scaled === 'bigint' ? scaled : undefined
    }
    case 'date': {
      if (typeof bound !== 'string' || !isCalendarDay(bound)) return undefined
      const [year = 1, month = 1, day = 1] = bound.split('-').map(Number)
      return BigInt(daysFromCivil(year, month, day))
    }
    case 'timestamp':
      return typeof bound === 'string' ? instantMicroseconds(bound) : undefined
    default:
      return undefined
  }
}

/**
 * {@link boundPosition} of what must be a value of the column.
 *
 * @param column - its type and places
 * @param bound - `min`, `max` or one of `values`
 * @returns the position
 * @throws RefineError with `SCHEMA_INVALID` when it is none, which parseRefinerSchema rules out
 */
export function requiredPosition(
  column: Pick<ColumnSchema, 'type' | 'decimals'>,
  bound: number | string | boolean,
): bigint {
  const position = boundPosition(column, bound)
  if (position === undefined) {
    throw new RefineError('SCHEMA_INVALID', 'bound', 'A bound is no value of its column')
  }
  return position
}
