import { dayMicroseconds } from '@sealpool/privacy'
import type { Span } from '../errors.js'
import { combine, constantNumber, remainder, roundTo } from './arithmetic.js'
import { type CalendarUnit, civilOf, positiveShift, unitSeconds } from './calendar.js'
import type { DatePart, TypedMoment, TypedNumber } from './expression.js'
import { monthsAdded } from './interval.js'
import { asMoment, daysIn, momentOf, quantityOf, secondDecimals, secondsOfDays, timeIn } from './moment.js'
import { domainOf, floorDivide, mostValues, startUnits } from './moment-domain.js'

const partRange = {
  day: [1, 31],
  'day-of-year': [1, 366],
  month: [1, 12],
  week: [1, 53],
} as const

/** A part of the calendar day, as the engine's own calendar has it. */
function calendarPart(part: DatePart, days: TypedNumber): TypedNumber {
  const [low, high] =
    part === 'year' || part === 'iso-year'
      ? [civilOf(Number(days.low)).year - 1, civilOf(Number(days.high)).year + 1]
      : partRange[part]
  return {
    ...days,
    expression: { kind: 'date-part', part, operand: days.expression },
    low: BigInt(low),
    high: BigInt(high),
  }
}

/** What EXTRACT can take out of a moment. */
export const momentParts = [
  'year',
  'quarter',
  'month',
  'week',
  'isoyear',
  'day',
  'doy',
  'dow',
  'isodow',
  'hour',
  'minute',
  'second',
  'epoch',
] as const
export type MomentPart = (typeof momentParts)[number]

/**
 * EXTRACT: a part of a moment as a number, with the list of its values where it is short. `second` has its fraction, as in
 * PostgreSQL; `epoch` counts seconds since 1970.
 *
 * @throws QueryError `NUMBER_RANGE`
 */
export function extractPart(part: MomentPart, moment: TypedMoment, at: Span): TypedNumber {
  const days = () => daysIn(moment, at)
  const whole = (number: TypedNumber, least: number, most: number): TypedNumber => {
    const values = Array.from({ length: most - least + 1 }, (_, index) => least + index)
    return { ...number, decimals: 0, low: BigInt(least), high: BigInt(most), domain: values }
  }
  const ofWeek = (first: bigint): TypedNumber =>
    remainder(
      combine('add', days(), constantNumber(BigInt(positiveShift) + first, 0), at),
      constantNumber(7n, 0),
      at,
    )
  const ofTime = (unit: bigint, count: bigint): TypedNumber => {
    const units = roundDown(timeIn(moment, at), unit * 1_000_000n)
    return remainder(units, constantNumber(count, 0), at)
  }
  switch (part) {
    case 'year':
    case 'isoyear': {
      const year = calendarPart(part === 'year' ? 'year' : 'iso-year', days())
      const slack = part === 'year' ? 0 : 1
      const [low, high] = [yearIn(moment, 'low') - slack, yearIn(moment, 'high') + slack]
      const exact = { ...year, low: BigInt(low), high: BigInt(high) }
      if (high - low < mostValues) return whole(exact, low, high)
      return moment.domain === 'open' ? { ...exact, domain: 'open' } : exact
    }
    case 'quarter': {
      const month = calendarPart('month', days())
      return whole(roundDown(combine('add', month, constantNumber(2n, 0), at), 3n), 1, 4)
    }
    case 'month':
      return whole(calendarPart('month', days()), 1, 12)
    case 'week':
      return whole(calendarPart('week', days()), 1, 53)
    case 'day':
      return whole(calendarPart('day', days()), 1, 31)
    case 'doy':
      return whole(calendarPart('day-of-year', days()), 1, 366)
    // The first of January 1970 was a Thursday.
    case 'dow':
      return whole(ofWeek(4n), 0, 6)
    case 'isodow':
      return whole(combine('add', ofWeek(3n), constantNumber(1n, 0), at), 1, 7)
    case 'hour':
      return whole(ofTime(3600n, 24n), 0, 23)
    case 'minute':
      return whole(ofTime(60n, 60n), 0, 59)
    case 'second':
      return remainder(timeIn(moment, at), constantNumber(60_000_000n, secondDecimals), at)
    case 'epoch':
      return quantityOf(asMoment(moment, 'timestamp', at))
  }
}

function yearIn(moment: TypedMoment, end: 'low' | 'high'): number {
  const step = moment.type === 'date' ? 1n : dayMicroseconds
  return civilOf(Number(floorDivide(moment[end], step))).year
}

/** Whole divisors of a number that is not negative. */
function roundDown(number: TypedNumber, factor: bigint): TypedNumber {
  return {
    ...roundTo({ ...number, decimals: 0 }, 0, 'trunc'),
    expression: { kind: 'rounded', mode: 'trunc', factor: String(factor), operand: number.expression },
    decimals: 0,
    low: number.low / factor,
    high: number.high / factor,
  }
}

/**
 * DATE_TRUNC: the first moment of the unit that a moment is in, of the moment's own type, with the list of such moments where it is
 * short: between the policy's earliest and latest all months are public.
 *
 * @throws QueryError `NUMBER_RANGE`
 */
export function truncateMoment(unit: CalendarUnit, moment: TypedMoment, at: Span): TypedMoment {
  const listed = domainOf(moment, unit, moment.type)
  if (unit === 'hour' || unit === 'minute' || unit === 'second') {
    if (moment.type === 'date') return { ...moment, ...listed }
    const size = constantNumber((unitSeconds[unit] ?? 1n) * 1_000_000n, secondDecimals)
    const cut = combine('subtract', quantityOf(moment), remainder(timeIn(moment, at), size, at), at)
    return { ...momentOf(moment.type, within(cut, moment, unit), at), ...listed }
  }
  const days = daysIn(moment, at)
  const start = ((): TypedNumber => {
    switch (unit) {
      case 'day':
        return days
      case 'week': {
        const weekday = remainder(
          combine('add', days, constantNumber(BigInt(positiveShift) + 3n, 0), at),
          constantNumber(7n, 0),
          at,
        )
        return combine('subtract', days, weekday, at)
      }
      case 'month':
        return firstOf(days, calendarPart('day', days), at)
      case 'year':
        return firstOf(days, calendarPart('day-of-year', days), at)
      case 'quarter': {
        const month = firstOf(days, calendarPart('day', days), at)
        const later = remainder(
          combine('add', calendarPart('month', days), constantNumber(2n, 0), at),
          constantNumber(3n, 0),
          at,
        )
        return monthsAdded(month, combine('subtract', constantNumber(0n, 0), later, at), at)
      }
    }
  })()
  const cut = moment.type === 'date' ? start : secondsOfDays(start, at)
  return { ...momentOf(moment.type, within(cut, moment, unit), at), ...listed }
}

/** The first day of a month or a year, from a day and its number. */
function firstOf(days: TypedNumber, number: TypedNumber, at: Span): TypedNumber {
  return combine('add', combine('subtract', days, number, at), constantNumber(1n, 0), at)
}

/** The exact range of a moment that was cut down. */
function within(cut: TypedNumber, moment: TypedMoment, unit: CalendarUnit): TypedNumber {
  return {
    ...cut,
    low: startUnits(moment.type, unit, moment.low),
    high: startUnits(moment.type, unit, moment.high),
  }
}

/**
 * How many boundaries of a unit lie between two moments: DATE_DIFF.
 *
 * @throws QueryError `NUMBER_RANGE`
 */
export function boundariesBetween(
  unit: CalendarUnit,
  from: TypedMoment,
  to: TypedMoment,
  at: Span,
): TypedNumber {
  const position = (moment: TypedMoment): TypedNumber => {
    const days = daysIn(moment, at)
    const year = () => calendarPart('year', days)
    const times = (number: TypedNumber, by: bigint) => combine('multiply', number, constantNumber(by, 0), at)
    const plain = ({ domain: _, ...number }: TypedNumber): TypedNumber => number
    switch (unit) {
      case 'year':
        return year()
      case 'quarter':
        return combine('add', times(year(), 4n), plain(extractPart('quarter', moment, at)), at)
      case 'month':
        return combine('add', times(year(), 12n), calendarPart('month', days), at)
      case 'week': {
        const monday = combine('add', days, constantNumber(BigInt(positiveShift) + 3n, 0), at)
        return roundDown(monday, 7n)
      }
      case 'day':
        return days
      default: {
        const size = (unitSeconds[unit] ?? 1n) * 1_000_000n
        const shift = constantNumber(BigInt(positiveShift) * dayMicroseconds, secondDecimals)
        return roundDown(combine('add', quantityOf(asMoment(moment, 'timestamp', at)), shift, at), size)
      }
    }
  }
  return combine('subtract', position(to), position(from), at)
}
