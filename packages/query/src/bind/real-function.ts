import { QueryError, type Span } from '../errors.js'
import type { Syntax } from '../parse/syntax.js'
import { combine, constantNumber } from '../type/arithmetic.js'
import type { TypedNumber } from '../type/expression.js'
import type { Scope } from './scope.js'

/** Digits after the point of a function of real numbers. */
const decimals = 6
const scale = 10 ** decimals

/** Largest result: its count of millionths stays exact in floating point. */
const largest = 2 ** 53 / scale

export type RealName = 'sqrt' | 'ln' | 'exp' | 'sin' | 'cos'

/**
 * Types a function of real numbers. Its value is rounded to six digits and held to a range that follows from the range of its
 * operand, so that sums stay exact and bounded; what has no value (a logarithm of zero, a root of a negative number) is null.
 *
 * @throws QueryError `NUMBER_RANGE` when a result could be too large: by its type, not by its data
 */
export function realFunction(name: RealName, operand: TypedNumber, at: Span): TypedNumber {
  const factor = 10 ** operand.decimals
  const [least, most] = [Number(operand.low) / factor, Number(operand.high) / factor]
  const range = ((): readonly [number, number] => {
    switch (name) {
      case 'sin':
      case 'cos':
        return [-1, 1]
      case 'sqrt':
        return [0, Math.sqrt(Math.max(0, most))]
      case 'exp':
        return [0, Math.exp(most)]
      case 'ln':
        // The smallest positive operand is one unit.
        return [Math.log(Math.max(least, 1 / factor)), Math.log(Math.max(most, 1 / factor))]
    }
  })()
  // A little room for what floating point rounds, on both sides.
  const low = Math.floor((range[0] - 1e-6 * Math.abs(range[0])) * scale) - 1
  const high = Math.ceil((range[1] + 1e-6 * Math.abs(range[1])) * scale) + 1
  if (!(range[1] < largest)) throw new QueryError('NUMBER_RANGE', at)
  const partial = (name === 'sqrt' && operand.low < 0n) || (name === 'ln' && operand.low <= 0n)
  return {
    type: 'number',
    expression: {
      kind: 'real',
      name,
      operand: operand.expression,
      operandDecimals: operand.decimals,
      decimals,
      low: String(low),
      high: String(high),
    },
    decimals,
    low: BigInt(low),
    high: BigInt(high),
    // Between bounds whatever the operand is.
    bounded: operand.bounded || name === 'sin' || name === 'cos',
    nullable: operand.nullable || partial,
  }
}

/**
 * Types `power(x, n)` for a whole number n from 0 to 8: exact, by multiplication.
 *
 * @throws QueryError `NUMBER_RANGE`
 */
export function powerOf(base: TypedNumber, exponent: Syntax, scope: Scope, at: Span): TypedNumber {
  const literal = scope.literal(exponent)
  const count = literal?.type === 'number' ? Number(literal.text) : Number.NaN
  if (!Number.isInteger(count) || count < 0 || count > 8) throw new QueryError('NUMBER_RANGE', exponent.span)
  const { domain: _, ...plain } = base
  let power: TypedNumber = count === 0 ? { ...combine('subtract', plain, plain, at) } : plain
  if (count === 0) {
    // x - x + 1 is one where x is there, and null where it is not.
    power = combine('add', power, constantNumber(1n, 0), at)
    return { ...power, low: 10n ** BigInt(power.decimals), high: 10n ** BigInt(power.decimals) }
  }
  for (let turn = 1; turn < count; turn += 1) power = combine('multiply', power, plain, at)
  return power
}
