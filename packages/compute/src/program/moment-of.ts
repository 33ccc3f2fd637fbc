import {
  calendarDays,
  dayMicroseconds,
  formatDay,
  formatInstant,
  parseDay,
  parseInstant,
} from '@sealpool/privacy'

/** Types of columns that hold moments. */
export type MomentType = 'date' | 'timestamp'

/**
 * A moment as programs are given it. Engines hold moments as whole numbers, which say nothing to who does not know the engine.
 *
 * @param value - Days (of a date) or microseconds (of a timestamp) since 1970 in UTC, as a number or its decimal text; or ISO text.
 * @param type - Of the column.
 * @returns `2024-02-29` or `2024-02-29T23:59:59Z`, with six more digits where it is no whole second; null for what is no moment of the
 *   years 100 to 9999.
 */
export function momentOf(value: unknown, type: MomentType): string | null {
  const units = unitsOf(value, type)
  if (units === null) return null
  const step = type === 'date' ? 1n : dayMicroseconds
  const [first, end] = [BigInt(calendarDays.first) * step, BigInt(calendarDays.last + 1) * step]
  if (units < first || units >= end) return null
  return type === 'date' ? formatDay(Number(units)) : formatInstant(units)
}

function unitsOf(value: unknown, type: MomentType): bigint | null {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : null
  if (typeof value !== 'string') return null
  if (/^-?[0-9]{1,18}$/.test(value)) return BigInt(value)
  if (type === 'timestamp') return parseInstant(value)
  const day = parseDay(value)
  return day === null ? null : BigInt(day)
}
