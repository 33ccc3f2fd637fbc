import { calendarDays, dayMicroseconds } from '@sealpool/privacy'
import { addMonths, type CalendarUnit, startOf, unitSeconds } from './calendar.js'
import type { Domain, TypedMoment } from './expression.js'
import { momentText } from './moment-text.js'

/** Most values of a list of moments. */
export const mostValues = 1000

/** The quotient, rounded down. */
export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

/** The first count of a unit that a count of days or microseconds is in. */
export function startUnits(type: TypedMoment['type'], unit: CalendarUnit, units: bigint): bigint {
  if (type === 'date') return BigInt(startOf(unit, Number(units)))
  const seconds = unit === 'week' ? undefined : unitSeconds[unit]
  if (seconds !== undefined) {
    const step = seconds * 1_000_000n
    return floorDivide(units, step) * step
  }
  return BigInt(startOf(unit, Number(floorDivide(units, dayMicroseconds)))) * dayMicroseconds
}

/** All starts of a unit between the ends of a moment's range, in ISO form; those of the data or nothing when there are too many. */
export function domainOf(
  moment: TypedMoment,
  unit: CalendarUnit,
  as: TypedMoment['type'],
): { readonly domain?: Domain } {
  const { type, low, high } = moment
  const none = moment.domain === 'open' ? ({ domain: 'open' } as const) : {}
  const step = type === 'date' ? 1n : dayMicroseconds
  const latest = BigInt(calendarDays.last + 1) * step
  const size = (unitSeconds[unit] ?? 28n * 86_400n) * 1_000_000n
  const span = (high - low) * (type === 'date' ? dayMicroseconds : 1n)
  // A month has at most 31 days, a year 366: what is far too long is not listed to be counted.
  const months = { month: 1n, quarter: 3n, year: 12n }[unit as string] ?? 1n
  if (!moment.bounded || high >= latest || span / (size * months) > BigInt(2 * mostValues)) return none
  const starts = new Set<bigint>()
  let units = startUnits(type, unit, low)
  while (units <= high) {
    starts.add(units)
    if (starts.size > mostValues) return none
    units = nextStart(type, unit, units)
  }
  const text = (start: bigint) => momentText(as, as === type ? start : floorDivide(start, dayMicroseconds))
  return { domain: [...starts].map(text) }
}

function nextStart(type: TypedMoment['type'], unit: CalendarUnit, units: bigint): bigint {
  const seconds = unitSeconds[unit]
  if (seconds !== undefined) {
    return type === 'timestamp' ? units + seconds * 1_000_000n : units + (unit === 'week' ? 7n : 1n)
  }
  const months = { quarter: 3, year: 12 }[unit as string] ?? 1
  const step = type === 'date' ? 1n : dayMicroseconds
  return BigInt(addMonths(Number(units / step), months)) * step
}
