import { QueryError, type Span } from '../errors.js'
import { combine, constantNumber, withDecimals } from './arithmetic.js'
import { addMonths, type CalendarUnit, computedDays, unitSeconds } from './calendar.js'
import type { TypedInterval, TypedMoment, TypedNumber } from './expression.js'
import { asMoment, daysIn, momentOf, quantityOf, secondDecimals, secondsOfDays, timeIn } from './moment.js'

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
