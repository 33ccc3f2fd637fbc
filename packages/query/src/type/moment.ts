import { calendarDays, dayMicroseconds } from '@sealpool/privacy'
import { QueryError, type Span } from '../errors.js'
import { combine, constantNumber, remainder, withDecimals } from './arithmetic.js'
import { computedDays, positiveShift } from './calendar.js'
import type { NumberExpression, Typed, TypedMoment, TypedNumber } from './expression.js'
import { domainOf, mostValues } from './moment-domain.js'
import { momentText, unitsOf } from './moment-text.js'

/** Digits after the point of a second: timestamps count microseconds. */
export const secondDecimals = 6

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

/** All moments of a range in ISO form, where they are at most a thousand. */
export function listedMoments({
  type,
  low,
  high,
}: {
  readonly type: TypedMoment['type']
  readonly low: bigint
  readonly high: bigint
}): readonly string[] | null {
  if (high - low >= BigInt(mostValues)) return null
  return Array.from({ length: Number(high - low) + 1 }, (_, index) => momentText(type, low + BigInt(index)))
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

/** Seconds since 1970 of a number of days. */
export function secondsOfDays(days: TypedNumber, at: Span): TypedNumber {
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
export function timeIn(moment: TypedMoment, at: Span): TypedNumber {
  if (moment.type === 'date') return { ...constantNumber(0n, secondDecimals), nullable: moment.nullable }
  const shift = constantNumber(BigInt(positiveShift) * dayMicroseconds, secondDecimals)
  return remainder(
    combine('add', quantityOf(moment), shift, at),
    constantNumber(dayMicroseconds, secondDecimals),
    at,
  )
}

/** The expression of a stored column of moments, kept within its range. */
export function storedMoment(
  source: number,
  column: string,
  { low, high }: { readonly low: bigint; readonly high: bigint },
): NumberExpression {
  return { kind: 'column', source, column, decimals: 0, clamp: { low: String(low), high: String(high) } }
}
