import { QueryError, type Span } from '../errors.js'
import type { Condition, TypedNumber } from './expression.js'

/** Engines compute in 128-bit integers; a range within this bound can be added and compared once more. */
const maximumMagnitude = 2n ** 120n
const maximumScale = 18
/** Digits that a quotient has beyond those of its operands. */
const quotientDecimals = 6

function checked(value: TypedNumber, at: Span): TypedNumber {
  const large = value.high > maximumMagnitude || value.low < -maximumMagnitude
  if (large || value.decimals > maximumScale) throw new QueryError('NUMBER_RANGE', at)
  return value
}

/** A literal with its exact value. */
export function constantNumber(units: bigint, decimals: number): TypedNumber {
  return {
    type: 'number',
    expression: { kind: 'constant', units: String(units) },
    decimals,
    low: units,
    high: units,
    bounded: true,
    nullable: false,
  }
}

/** Writes the same number with more decimals. */
export function withDecimals(value: TypedNumber, decimals: number, at: Span): TypedNumber {
  if (decimals === value.decimals) return value
  const factor = 10n ** BigInt(decimals - value.decimals)
  const expression = value.expression
  return checked(
    {
      ...value,
      expression:
        expression.kind === 'constant'
          ? { kind: 'constant', units: String(BigInt(expression.units) * factor) }
          : { kind: 'scale', factor: String(factor), operand: expression },
      decimals,
      low: value.low * factor,
      high: value.high * factor,
    },
    at,
  )
}

/** Brings two numbers to the same decimals. */
export function aligned(
  left: TypedNumber,
  right: TypedNumber,
  at: Span,
): readonly [TypedNumber, TypedNumber] {
  const decimals = Math.max(left.decimals, right.decimals)
  return [withDecimals(left, decimals, at), withDecimals(right, decimals, at)]
}

/**
 * Adds, subtracts or multiplies with the range of the result.
 *
 * @throws QueryError `NUMBER_RANGE` when a result could leave 120 bits or 18 decimals: refusing by the range of the
 *   types keeps overflow from depending on the data
 */
export function combine(
  kind: 'add' | 'subtract' | 'multiply',
  first: TypedNumber,
  second: TypedNumber,
  at: Span,
): TypedNumber {
  const [left, right] = kind === 'multiply' ? [first, second] : aligned(first, second, at)
  const ends =
    kind === 'add'
      ? [left.low + right.low, left.high + right.high]
      : kind === 'subtract'
        ? [left.low - right.high, left.high - right.low]
        : [left.low * right.low, left.low * right.high, left.high * right.low, left.high * right.high]
  return checked(
    {
      type: 'number',
      expression: { kind, left: left.expression, right: right.expression },
      decimals: kind === 'multiply' ? left.decimals + right.decimals : left.decimals,
      low: least(ends),
      high: greatest(ends),
      bounded: left.bounded && right.bounded,
      nullable: left.nullable || right.nullable,
    },
    at,
  )
}

/** A CASE over numbers: its range is the hull of its branches; a branch or an ELSE that is missing gives null. */
export function chooseNumber(
  branches: readonly { readonly when: Condition; readonly result: TypedNumber | null }[],
  otherwise: TypedNumber | null,
  at: Span,
): TypedNumber {
  const values = [...branches.map((branch) => branch.result), otherwise].filter((value) => value !== null)
  if (values.length === 0) throw new QueryError('TYPE_MISMATCH', at)
  const decimals = Math.max(...values.map((value) => value.decimals))
  const same = (value: TypedNumber | null) => (value === null ? null : withDecimals(value, decimals, at))
  const scaled = values.map((value) => withDecimals(value, decimals, at))
  return {
    type: 'number',
    expression: {
      kind: 'case',
      branches: branches.map(({ when, result }) => ({ when, result: same(result)?.expression ?? null })),
      otherwise: same(otherwise)?.expression ?? null,
    },
    decimals,
    low: least(scaled.map((value) => value.low)),
    high: greatest(scaled.map((value) => value.high)),
    bounded: scaled.every((value) => value.bounded),
    nullable:
      otherwise === null ||
      branches.some((branch) => branch.result === null) ||
      scaled.some((value) => value.nullable),
  }
}

function least(values: readonly bigint[]): bigint {
  return values.reduce((best, value) => (value < best ? value : best))
}

function greatest(values: readonly bigint[]): bigint {
  return values.reduce((best, value) => (value > best ? value : best))
}

/** The same number without its public list. */
function plain({ domain: _, ...value }: TypedNumber): TypedNumber {
  return value
}

/**
 * Divides exactly, towards zero after 6 more digits than the dividend has; null where the divisor is zero.
 *
 * @throws QueryError `NUMBER_RANGE`
 */
export function divide(dividend: TypedNumber, divisor: TypedNumber, at: Span): TypedNumber {
  const decimals = dividend.decimals + quotientDecimals
  const left = withDecimals(dividend, decimals + divisor.decimals, at)
  // The smallest divisor that is not zero is one unit, unless its range stays away from zero.
  const smallest = divisor.low > 0n ? divisor.low : divisor.high < 0n ? -divisor.high : 1n
  const reach = greatest([left.high, -left.low, 0n]) / smallest
  const negative = left.low < 0n || divisor.low < 0n
  // Above zero a divisor keeps the sign: each end of the range is divided by itself, towards zero.
  const positive = divisor.low > 0n
  const low = positive ? least([left.low, 0n]) / smallest : negative ? -reach : 0n
  return checked(
    {
      type: 'number',
      expression: { kind: 'quotient', left: left.expression, right: divisor.expression },
      decimals,
      low,
      high: positive ? greatest([left.high, 0n]) / smallest : reach,
      bounded: dividend.bounded && divisor.bounded,
      nullable: dividend.nullable || divisor.nullable || (divisor.low <= 0n && divisor.high >= 0n),
    },
    at,
  )
}

/** What division towards zero leaves, with the sign of the dividend; null where the divisor is zero. */
export function remainder(dividend: TypedNumber, divisor: TypedNumber, at: Span): TypedNumber {
  const [left, right] = aligned(dividend, divisor, at)
  const reach = greatest([right.high, -right.low, 1n]) - 1n
  const largest = greatest([left.high, 0n])
  const least_ = least([left.low, 0n])
  return checked(
    {
      type: 'number',
      expression: { kind: 'remainder', left: left.expression, right: right.expression },
      decimals: left.decimals,
      low: least_ < -reach ? -reach : least_,
      high: largest > reach ? reach : largest,
      bounded: left.bounded && right.bounded,
      nullable: left.nullable || right.nullable || (right.low <= 0n && right.high >= 0n),
    },
    at,
  )
}

/** Rounds to a number of decimals that is at least 0; a number with fewer stays as it is. */
export function roundTo(
  value: TypedNumber,
  decimals: number,
  mode: 'floor' | 'ceil' | 'trunc' | 'half',
): TypedNumber {
  if (decimals >= value.decimals) return plain(value)
  const factor = 10n ** BigInt(value.decimals - decimals)
  return {
    type: 'number',
    expression: { kind: 'rounded', mode, factor: String(factor), operand: value.expression },
    decimals,
    // Rounding keeps the order, so that the ends of the range are the range's ends.
    low: rounded(value.low, factor, mode),
    high: rounded(value.high, factor, mode),
    bounded: value.bounded,
    nullable: value.nullable,
  }
}

/** A number of units over a power of ten, rounded as engines are asked to: half goes away from zero. */
function rounded(units: bigint, factor: bigint, mode: 'floor' | 'ceil' | 'trunc' | 'half'): bigint {
  const negative = units < 0n
  const size = negative ? -units : units
  const up =
    mode === 'half'
      ? (size % factor) * 2n >= factor
      : (mode === 'floor') === negative && mode !== 'trunc' && size % factor > 0n
  const whole = size / factor + (up ? 1n : 0n)
  return negative ? -whole : whole
}
