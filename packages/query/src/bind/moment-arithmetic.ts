import { QueryError, type Span } from '../errors.js'
import type { ArithmeticOperator } from '../parse/syntax.js'
import { combine, constantNumber } from '../type/arithmetic.js'
import type { Typed, TypedInterval, TypedMoment, TypedNumber } from '../type/expression.js'
import { intervalOfSeconds, shifted } from '../type/interval.js'
import { asMoment, isMoment, momentOf, quantityOf } from '../type/moment.js'

/** Whether an operation is one of dates, timestamps and intervals, and not of numbers. */
export function concernsMoments(left: Typed, right: Typed): boolean {
  return [left, right].some((value) => isMoment(value) || value.type === 'interval')
}

/**
 * Types `left operator right` where one is a moment or an interval: a date and whole days, a moment and an interval, the difference
 * of two moments (days of two dates, an interval otherwise), intervals added and multiplied. Everything is total: what could leave
 * the calendar is refused by its range.
 *
 * @throws QueryError `TYPE_MISMATCH`, `NUMBER_RANGE`
 */
export function momentArithmetic(operator: ArithmeticOperator, left: Typed, right: Typed, at: Span): Typed {
  const refuse = (): never => {
    throw new QueryError('TYPE_MISMATCH', at)
  }
  if (left.type === 'null' || right.type === 'null') return { type: 'null' }
  if (operator === '*') {
    if (left.type === 'interval' && right.type === 'number') return multiplied(left, right, at)
    if (left.type === 'number' && right.type === 'interval') return multiplied(right, left, at)
    return refuse()
  }
  if (operator === '+') {
    if (isMoment(left)) return added(left, right, at)
    if (isMoment(right)) return added(right, left, at)
  }
  if (operator === '-') {
    if (isMoment(left) && isMoment(right)) return difference(left, right, at)
    if (isMoment(left) && right.type === 'interval') return shifted(left, negatedInterval(right, at), at)
    if (isMoment(left) && right.type === 'number') {
      return added(left, combine('subtract', constantNumber(0n, 0), right, at), at)
    }
  }
  if ((operator === '+' || operator === '-') && left.type === 'interval' && right.type === 'interval') {
    const kind = operator === '+' ? 'add' : 'subtract'
    return {
      type: 'interval',
      months: folded(combine(kind, left.months, right.months, at)),
      seconds: combine(kind, left.seconds, right.seconds, at),
    }
  }
  return refuse()
}

/** The interval back in time. */
export function negatedInterval({ months, seconds }: TypedInterval, at: Span): TypedInterval {
  const zero = constantNumber(0n, 0)
  return {
    type: 'interval',
    months: folded(combine('subtract', zero, months, at)),
    seconds: combine('subtract', zero, seconds, at),
  }
}

/** A number of one possible value as a literal: intervals without months are told by it. */
function folded(number: TypedNumber): TypedNumber {
  return number.low === number.high && !number.nullable ? constantNumber(number.low, number.decimals) : number
}

function added(moment: TypedMoment, other: Typed, at: Span): Typed {
  if (other.type === 'interval') return shifted(moment, other, at)
  // A date and whole days; nobody says whether a number beside a timestamp means days or seconds.
  if (other.type !== 'number' || moment.type !== 'date' || other.decimals > 0) {
    throw new QueryError('TYPE_MISMATCH', at)
  }
  return momentOf('date', combine('add', quantityOf(moment), other, at), at)
}

function difference(left: TypedMoment, right: TypedMoment, at: Span): Typed {
  if (left.type === 'date' && right.type === 'date') {
    return combine('subtract', quantityOf(left), quantityOf(right), at)
  }
  const seconds = (moment: TypedMoment) => quantityOf(asMoment(moment, 'timestamp', at))
  return intervalOfSeconds(combine('subtract', seconds(left), seconds(right), at), at)
}

function multiplied({ months, seconds }: TypedInterval, count: TypedNumber, at: Span): TypedInterval {
  // Half a month has no length.
  if (count.decimals > 0) throw new QueryError('TYPE_MISMATCH', at)
  const { domain: _, ...times } = count
  return {
    type: 'interval',
    months: folded(combine('multiply', months, times, at)),
    seconds: combine('multiply', seconds, times, at),
  }
}
