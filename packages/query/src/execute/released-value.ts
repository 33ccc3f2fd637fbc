import { parseInstant } from '@sealpool/privacy'
import type { BoundStage } from '../bind/bind.js'
import type { PublicValue } from '../bind/key.js'
import type { Released, ReleasedCondition, ReleasedFunction } from '../bind/released.js'
import type { ArithmeticOperator, ComparisonOperator } from '../parse/syntax.js'
import type { NoisyNumber } from './cell.js'

/** A row of released values: a group after noise, or a row that was made of such. */
export interface ReleasedGroup {
  readonly keys: readonly PublicValue[]
  readonly aggregates: readonly NoisyNumber[]
  /** Keys of the group's grouping set; all of them when absent. */
  readonly set?: readonly number[]
  /** Columns of a released query that is read. */
  readonly fields?: readonly PublicValue[]
}

/** Gives the number of a released query. */
export type ScalarOf = (stage: BoundStage) => PublicValue

const none: ScalarOf = () => null

/** The value of an expression for a row. It is total: what has no value is null. */
export function releasedValue(
  released: Released,
  group: ReleasedGroup,
  scalar: ScalarOf = none,
): PublicValue {
  const value = (operand: Released) => releasedValue(operand, group, scalar)
  switch (released.kind) {
    case 'literal':
      return released.value
    case 'key':
      return group.keys[released.key] ?? null
    case 'aggregate':
      return group.aggregates[released.aggregate]?.value ?? null
    case 'field':
      return group.fields?.[released.field] ?? null
    case 'grouping': {
      const set = group.set ?? [...group.keys.keys()]
      return released.keys.reduce((bits, key) => bits * 2 + (set.includes(key) ? 0 : 1), 0)
    }
    case 'scalar':
      return scalar(released.stage)
    case 'arithmetic':
      return calculate(released.operator, value(released.left), value(released.right))
    case 'case': {
      const branch = released.branches.find(({ when }) => satisfies(when, group, scalar) === true)
      return value(branch?.result ?? released.otherwise)
    }
    case 'call':
      return call(released.name, released.parameters.map(value))
  }
}

function calculate(operator: ArithmeticOperator, left: PublicValue, right: PublicValue): PublicValue {
  if (typeof left !== 'number' || typeof right !== 'number') return null
  switch (operator) {
    case '+':
      return finite(left + right)
    case '-':
      return finite(left - right)
    case '*':
      return finite(left * right)
    case '/':
      return right === 0 ? null : finite(left / right)
    case '%':
      return right === 0 ? null : finite(left % right)
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function call(name: ReleasedFunction, values: readonly PublicValue[]): PublicValue {
  const [first = null, second = null] = values
  const numbers = values.filter((value) => typeof value === 'number')
  const number = typeof first === 'number' ? first : null
  switch (name) {
    case 'coalesce':
      return values.find((value) => value !== null) ?? null
    case 'nullif':
      return first === second ? null : first
    case 'greatest':
      return numbers.length === 0 ? null : Math.max(...numbers)
    case 'least':
      return numbers.length === 0 ? null : Math.min(...numbers)
    case 'mod':
      return calculate('%', first, second)
    case 'power':
      return number === null || typeof second !== 'number' ? null : finite(number ** second)
    default:
      break
  }
  if (number === null) return null
  // NULL digits, unlike none.
  if ((name === 'round' || name === 'trunc') && values.length > 1 && second === null) return null
  const digits = typeof second === 'number' ? Math.trunc(second) : 0
  switch (name) {
    case 'cos':
      return finite(Math.cos(number))
    case 'exp':
      return finite(Math.exp(number))
    case 'ln':
      return number > 0 ? finite(Math.log(number)) : null
    case 'sin':
      return finite(Math.sin(number))
    case 'sqrt':
      return number < 0 ? null : Math.sqrt(number)
    case 'abs':
      return Math.abs(number)
    case 'sign':
      return Math.sign(number)
    case 'ceil':
      return Math.ceil(number)
    case 'floor':
      return Math.floor(number)
    case 'trunc':
      return toDigits(number, digits, Math.trunc)
    case 'round':
      // Away from zero, as SQL rounds decimals.
      return toDigits(number, digits, (scaled) => Math.sign(scaled) * Math.round(Math.abs(scaled)))
  }
}

/** A number to so many digits after the point; tens, hundreds and so on where there are fewer than none. */
function toDigits(number: number, digits: number, whole: (scaled: number) => number): number | null {
  if (number === 0 || digits < -308) return 0
  // A power of ten with a fraction is not exact: tens are divided by, not multiplied with.
  const scale = 10 ** Math.abs(digits)
  // Adding zero makes zero of minus zero.
  if (digits < 0) return finite(whole(number / scale) * scale + 0)
  const scaled = number * scale
  // Past 2^53 there is nothing after the point of what is scaled, and nothing to take away.
  return Math.abs(scaled) > Number.MAX_SAFE_INTEGER ? number : finite(whole(scaled) / scale + 0)
}

/** HAVING over a released row, with SQL's three values: null is unknown. */
export function satisfies(
  condition: ReleasedCondition,
  group: ReleasedGroup,
  scalar: ScalarOf = none,
): boolean | null {
  const value = (operand: Released) => releasedValue(operand, group, scalar)
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const decisive = condition.kind === 'or'
      const results = condition.operands.map((operand) => satisfies(operand, group, scalar))
      if (results.includes(decisive)) return decisive
      return results.includes(null) ? null : !decisive
    }
    case 'not': {
      const result = satisfies(condition.operand, group, scalar)
      return result === null ? null : !result
    }
    case 'is-null':
      return value(condition.operand) === null
    case 'in': {
      const operand = value(condition.operand)
      if (operand === null) return null
      const equal = (item: PublicValue) =>
        item === operand ||
        (typeof item === 'string' && typeof operand === 'string' && compareReleased(item, operand) === 0)
      if (condition.items.some(equal)) return true
      return condition.items.includes(null) ? null : false
    }
    case 'compare':
      return compared(condition.operator, value(condition.left), value(condition.right))
  }
}

function compared(operator: ComparisonOperator, left: PublicValue, right: PublicValue): boolean | null {
  if (left === null || right === null) return null
  const order = compareReleased(left, right)
  return {
    '=': order === 0,
    '<>': order !== 0,
    '<': order < 0,
    '<=': order <= 0,
    '>': order > 0,
    '>=': order >= 0,
  }[operator]
}

/**
 * Numbers by size, moments by time, other texts by code point, false before true. Types differ only in refused statements.
 */
export function compareReleased(left: NonNullable<PublicValue>, right: NonNullable<PublicValue>): number {
  if (typeof left === 'string' && typeof right === 'string') {
    const [first, last] = [parseInstant(left), parseInstant(right)]
    if (first !== null && last !== null) return first < last ? -1 : first > last ? 1 : 0
    return left < right ? -1 : left > right ? 1 : 0
  }
  return Math.sign(Number(left) - Number(right))
}
