import {
  calendarDays,
  dayMicroseconds,
  formatDay,
  formatInstant,
  parseDay,
  parseInstant,
} from '@sealpool/privacy'
import { QueryError, type Span } from '../errors.js'
import { combine, constantNumber, remainder, roundTo, withDecimals } from './arithmetic.js'
import {
  addMonths,
  type CalendarUnit,
  civilOf,
  computedDays,
  positiveShift,
  startOf,
  unitSeconds,
} from './calendar.js'
import type {
  DatePart,
  Domain,
  NumberExpression,
  Typed,
  TypedInterval,
  TypedMoment,
  TypedNumber,
} from './expression.js'

/** Digits after the point of a second: timestamps count microseconds. */
const secondDecimals = 6
/** Most values of a list of moments. */
const mostValues = 1000

export function isMoment(value: Typed): value is TypedMoment {
  return value.type === 'date' || value.type === 'timestamp'
}

/** A date as its days, a timestamp as its seconds with six digits. */
export function quantityOf({ type: _, domain: __, ...moment }: TypedMoment): TypedNumber {
  return { ...moment, type: 'number' }
}

/**
 * A number of days or seconds as a moment.
 *
 * @throws QueryError `NUMBER_RANGE` when its range leaves the years 1 to 290000, by its type and not by its data
 */
export function momentOf(
  type: TypedMoment['type'],
  { type: _, domain: __, ...number }: TypedNumber,
  at: Span,
): TypedMoment {
  const step = type === 'date' ? 1n : dayMicroseconds
  const [first, last] = [BigInt(computedDays.first) * step, BigInt(computedDays.last + 1) * step]
  if (number.low < first || number.high >= last) throw new QueryError('NUMBER_RANGE', at)
  return { ...number, type }
}

/** The type and the range of a stored column of moments, in days or microseconds. */
export function storedRange(column: {
  readonly type: string
  readonly earliest?: string | undefined
  readonly latest?: string | undefined
}): {
  readonly type: TypedMoment['type']
  readonly low: bigint
  readonly high: bigint
  readonly stated: boolean
} | null {
  if (column.type !== 'date' && column.type !== 'timestamp') return null
  const { type, earliest = '', latest = '' } = column
  const [low, high] = [unitsOf(type, earliest), unitsOf(type, latest)]
  const step = type === 'date' ? 1n : dayMicroseconds
  return {
    type,
    low: low ?? BigInt(calendarDays.first) * step,
    high: high ?? BigInt(calendarDays.last + 1) * step - 1n,
    stated: low !== null && high !== null,
  }
}

/** All days of a range of dates in ISO form, where they are at most a thousand. */
export function listedMoments({
  type,
  low,
  high,
}: {
  readonly type: TypedMoment['type']
  readonly low: bigint
  readonly high: bigint
}): readonly string[] | null {
  if (type !== 'date' || high - low >= BigInt(mostValues)) return null
  return Array.from({ length: Number(high - low) + 1 }, (_, index) => momentText(type, low + BigInt(index)))
}

/** A text in ISO form as a count of days or microseconds; null when it is none. */
export function unitsOf(type: TypedMoment['type'], text: string): bigint | null {
  if (type === 'timestamp') return parseInstant(text)
  const day = parseDay(text)
  return day === null ? null : BigInt(day)
}

/** A count of days or microseconds in ISO form. */
export function momentText(type: TypedMoment['type'], units: bigint): string {
  return type === 'date' ? formatDay(Number(units)) : formatInstant(units)
}

/**
 * A literal text as a moment; a moment of the other type as this one (a timestamp as the day that it is in).
 *
 * @throws QueryError `MOMENT_INVALID` for a text in another form, `TYPE_MISMATCH` for anything else
 */
export function asMoment(value: Typed, type: TypedMoment['type'], at: Span): TypedMoment {
  if (value.type === 'text' && value.expression.kind === 'text') {
    const units = unitsOf(type, value.expression.value)
    if (units === null) throw new QueryError('MOMENT_INVALID', at)
    return momentOf(type, constantNumber(units, type === 'date' ? 0 : secondDecimals), at)
  }
  if (!isMoment(value)) throw new QueryError('TYPE_MISMATCH', at)
  if (value.type === type) return value
  if (type === 'timestamp') return momentOf(type, secondsOfDays(quantityOf(value), at), at)
  const day = momentOf(type, daysIn(value, at), at)
  return { ...day, ...domainOf(value, 'day', 'date') }
}

/** What the moments among several values are compared as; null when none is a moment. */
export function commonMoment(values: readonly Typed[]): TypedMoment['type'] | null {
  const moments = values.filter(isMoment)
  if (moments.length === 0) return null
  return moments.some(({ type }) => type === 'timestamp') ? 'timestamp' : 'date'
}

function secondsOfDays(days: TypedNumber, at: Span): TypedNumber {
  return withDecimals(combine('multiply', days, constantNumber(86_400n, 0), at), secondDecimals, at)
}

/** Days since 1970-01-01 of a moment. */
export function daysIn(moment: TypedMoment, at: Span): TypedNumber {
  const number = quantityOf(moment)
  if (moment.type === 'date') return number
  const shifted = combine(
    'add',
    number,
    constantNumber(BigInt(positiveShift) * dayMicroseconds, secondDecimals),
    at,
  )
  const whole: TypedNumber = {
    ...shifted,
    expression: {
      kind: 'rounded',
      mode: 'trunc',
      factor: String(dayMicroseconds),
      operand: shifted.expression,
    },
    decimals: 0,
    low: shifted.low / dayMicroseconds,
    high: shifted.high / dayMicroseconds,
  }
  return combine('subtract', whole, constantNumber(BigInt(positiveShift), 0), at)
}

/** Seconds since midnight. */
function timeIn(moment: TypedMoment, at: Span): TypedNumber {
  if (moment.type === 'date') return { ...constantNumber(0n, secondDecimals), nullable: moment.nullable }
  const shift = constantNumber(BigInt(positiveShift) * dayMicroseconds, secondDecimals)
  return remainder(
    combine('add', quantityOf(moment), shift, at),
    constantNumber(dayMicroseconds, secondDecimals),
    at,
  )
}

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

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
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

function startUnits(type: TypedMoment['type'], unit: CalendarUnit, units: bigint): bigint {
  if (type === 'date') return BigInt(startOf(unit, Number(units)))
  const seconds = unit === 'week' ? undefined : unitSeconds[unit]
  if (seconds !== undefined) {
    const step = seconds * 1_000_000n
    return floorDivide(units, step) * step
  }
  return BigInt(startOf(unit, Number(floorDivide(units, dayMicroseconds)))) * dayMicroseconds
}

/** All starts of a unit between the ends of a moment's range, in ISO form; those of the data or nothing when there are too many. */
function domainOf(
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

/**
 * Days after so many months; a day that the month has not becomes its last one.
 *
 * @throws QueryError `NUMBER_RANGE` when the range of the result leaves the years 1 to 290000
 */
export function monthsAdded(days: TypedNumber, months: TypedNumber, at: Span): TypedNumber {
  if (months.expression.kind === 'constant' && months.low === 0n) return days
  const most = 12_000_000n
  if (months.low < -most || months.high > most) throw new QueryError('NUMBER_RANGE', at)
  const low = addMonths(Number(days.low), Number(months.low))
  const high = addMonths(Number(days.high), Number(months.high))
  if (low < computedDays.first || high > computedDays.last) throw new QueryError('NUMBER_RANGE', at)
  return {
    type: 'number',
    expression: { kind: 'months-added', days: days.expression, months: months.expression },
    decimals: 0,
    low: BigInt(low),
    high: BigInt(high),
    bounded: days.bounded && months.bounded,
    nullable: days.nullable || months.nullable,
  }
}

/**
 * A moment after an interval: months first, then days, then time, as SQL has it. Always a timestamp.
 *
 * @throws QueryError `NUMBER_RANGE`
 */
export function shifted(moment: TypedMoment, { months, seconds }: TypedInterval, at: Span): TypedMoment {
  const constant = months.expression.kind === 'constant' && months.low === 0n
  const later = constant
    ? quantityOf(asMoment(moment, 'timestamp', at))
    : combine('add', secondsOfDays(monthsAdded(daysIn(moment, at), months, at), at), timeIn(moment, at), at)
  return momentOf('timestamp', combine('add', later, seconds, at), at)
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

/** An interval without months. */
export function intervalOfSeconds(seconds: TypedNumber, at: Span): TypedInterval {
  return {
    type: 'interval',
    months: constantNumber(0n, 0),
    seconds: withDecimals(seconds, secondDecimals, at),
  }
}

const words: Readonly<Record<string, CalendarUnit>> = {
  year: 'year',
  mon: 'month',
  month: 'month',
  week: 'week',
  day: 'day',
  hour: 'hour',
  hr: 'hour',
  minute: 'minute',
  min: 'minute',
  second: 'second',
  sec: 'second',
}

/** The interval of so many of a unit, as constants. */
function unitInterval(unit: CalendarUnit): { readonly months: bigint; readonly seconds: bigint } {
  const months = { year: 12n, quarter: 3n, month: 1n }[unit as string] ?? 0n
  return { months, seconds: unitSeconds[unit] ?? 0n }
}

/**
 * `to_days(n)` and its like: n of a unit.
 *
 * @throws QueryError `TYPE_MISMATCH` for a number with a fraction, `NUMBER_RANGE`
 */
export function intervalOf(unit: CalendarUnit, count: TypedNumber, at: Span): TypedInterval {
  if (count.decimals > 0 && unit !== 'second') throw new QueryError('TYPE_MISMATCH', at)
  const { months, seconds } = unitInterval(unit)
  const times = (by: bigint): TypedNumber =>
    by === 0n ? constantNumber(0n, 0) : combine('multiply', count, constantNumber(by, 0), at)
  return { ...intervalOfSeconds(withSix(times(seconds), at), at), months: times(months) }
}

function withSix(number: TypedNumber, at: Span): TypedNumber {
  if (number.decimals > secondDecimals) throw new QueryError('NUMBER_RANGE', at)
  return number
}

/**
 * Reads the text of an interval: `1 year 2 months`, `36 hours`, `1 day 02:30:00`, or a whole number where the unit follows the text.
 *
 * @param unit the unit of `INTERVAL '3' MONTH`; null when the text has them
 * @throws QueryError `MOMENT_INVALID`
 */
export function parseInterval(text: string, unit: CalendarUnit | null, at: Span): TypedInterval {
  const refuse = (): never => {
    throw new QueryError('MOMENT_INVALID', at)
  }
  let months = 0n
  let micros = 0n
  const add = (sign: bigint, whole: string, fraction: string, of: CalendarUnit): void => {
    if (fraction !== '' && of !== 'second') refuse()
    const { months: each, seconds } = unitInterval(of)
    months += sign * BigInt(whole) * each
    micros += sign * (BigInt(whole) * seconds * 1_000_000n + BigInt(fraction.padEnd(6, '0')))
  }
  let rest = text.trim().toLowerCase()
  if (rest === '' || rest.length > 200) refuse()
  if (unit !== null) {
    const [, sign, whole = ''] = /^([+-]?)([0-9]{1,9})$/.exec(rest) ?? refuse()
    add(sign === '-' ? -1n : 1n, whole, '', unit)
    rest = ''
  }
  while (rest !== '') {
    const clock = /^([+-]?)([0-9]{1,4}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?$/.exec(rest)
    if (clock !== null) {
      const [, sign, hour = '0', minute = '0', second = '0', fraction = ''] = clock
      if (Number(minute) > 59 || Number(second) > 59) refuse()
      const direction = sign === '-' ? -1n : 1n
      add(direction, hour, '', 'hour')
      add(direction, minute, '', 'minute')
      add(direction, second, fraction, 'second')
      break
    }
    const part = /^([+-]?)([0-9]{1,9})(?:\.([0-9]{1,6}))? ?([a-z]{1,10}) ?/.exec(rest) ?? refuse()
    const [found, sign, whole = '', fraction = '', word = ''] = part
    const singular = word.replace(/s$/, '')
    const named = (Object.hasOwn(words, singular) ? words[singular] : undefined) ?? refuse()
    add(sign === '-' ? -1n : 1n, whole, fraction, named)
    rest = rest.slice(found.length)
  }
  return {
    type: 'interval',
    months: constantNumber(months, 0),
    seconds: constantNumber(micros, secondDecimals),
  }
}

/** The expression of a stored column of moments, kept within its range. */
export function storedMoment(
  source: number,
  column: string,
  { low, high }: { readonly low: bigint; readonly high: bigint },
): NumberExpression {
  return { kind: 'column', source, column, decimals: 0, clamp: { low: String(low), high: String(high) } }
}
