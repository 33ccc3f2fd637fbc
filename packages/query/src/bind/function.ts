import { QueryError, type Span } from '../errors.js'
import type { Syntax } from '../parse/syntax.js'
import { aligned, combine, constantNumber, remainder, roundTo } from '../type/arithmetic.js'
import type { Condition, Typed, TypedNumber } from '../type/expression.js'
import { asMoment, commonMoment, momentOf, quantityOf } from '../type/moment.js'
import { exactDecimal } from './column.js'
import { bindMomentFunction } from './moment-function.js'
import { powerOf, realFunction } from './real-function.js'
import type { Scope } from './scope.js'
import { bindTextFunction } from './text-function.js'
import { asNumber, choose, isNull } from './value.js'

/**
 * Types a scalar function. All of them are written with CASE and exact division, so that engines cannot disagree and
 * nothing fails for some rows only.
 *
 * @throws QueryError `FUNCTION_NOT_ALLOWED`, `TYPE_MISMATCH`, `NUMBER_RANGE`
 */
export function bindFunction(
  syntax: Syntax & { readonly kind: 'call' },
  scope: Scope,
  bind: (value: Syntax) => Typed,
): Typed {
  const { name, parameters, span } = syntax
  const [first, second] = parameters
  const most = {
    coalesce: 32,
    date_diff: 3,
    date_trunc: 2,
    extract: 2,
    greatest: 32,
    least: 32,
    mod: 2,
    nullif: 2,
    power: 2,
    substring: 3,
    to_interval: 2,
    width_bucket: 4,
    round: 2,
    trunc: 2,
  }
  const allowed = name in most ? most[name as keyof typeof most] : 1
  if (first === undefined || parameters.length > allowed) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
  const number = (value: Syntax) => asNumber(bind(value), value.span)
  switch (name) {
    case 'coalesce':
      return coalesce(
        parameters.map((value) => ({ typed: bind(value), span: value.span })),
        span,
      )
    case 'greatest':
    case 'least':
      return extremeOf(
        name,
        parameters.map((value) => ({ typed: bind(value), span: value.span })),
        span,
      )
    case 'nullif': {
      if (second === undefined) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
      return nullIf(bind(first), bind(second), span)
    }
    case 'mod': {
      if (second === undefined) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
      return remainder(number(first), number(second), span)
    }
    case 'abs': {
      const value = number(first)
      const negated = combine('subtract', constantNumber(0n, 0), value, span)
      const size = pick([{ when: less(value, 0n), result: negated }], value, span)
      const reach = value.high > -value.low ? value.high : -value.low
      return { ...size, low: value.low > 0n ? value.low : value.high < 0n ? -value.high : 0n, high: reach }
    }
    case 'sign': {
      const value = number(first)
      return pick(
        [
          { when: isNull(value), result: null },
          { when: less(value, 0n), result: constantNumber(-1n, 0) },
          { when: equal(value, 0n), result: constantNumber(0n, 0) },
        ],
        constantNumber(1n, 0),
        span,
      )
    }
    case 'floor':
    case 'ceil':
      return roundTo(number(first), 0, name)
    case 'round':
    case 'trunc': {
      const decimals = second === undefined ? 0 : wholeLiteral(second, scope, 0, 9)
      return roundTo(number(first), decimals, name === 'round' ? 'half' : 'trunc')
    }
    case 'sqrt':
    case 'ln':
    case 'exp':
    case 'sin':
    case 'cos':
      return realFunction(name, number(first), span)
    case 'power': {
      if (second === undefined) throw new QueryError('FUNCTION_NOT_ALLOWED', span)
      return powerOf(number(first), second, scope, span)
    }
    case 'length':
    case 'lower':
    case 'substring':
    case 'trim':
    case 'upper':
      return bindTextFunction(syntax, scope, bind)
    case 'date_diff':
    case 'date_trunc':
    case 'extract':
    case 'to_interval':
      return bindMomentFunction(syntax, scope, bind)
    case 'width_bucket':
      return widthBucket(parameters, scope, number, span)
  }
}

function less(value: TypedNumber, units: bigint): Condition {
  return {
    kind: 'compare',
    operator: '<',
    left: value.expression,
    right: { kind: 'constant', units: String(units) },
  }
}

function equal(value: TypedNumber, units: bigint): Condition {
  return {
    kind: 'compare',
    operator: '=',
    left: value.expression,
    right: { kind: 'constant', units: String(units) },
  }
}

function pick(
  branches: readonly { readonly when: Condition; readonly result: TypedNumber | null }[],
  otherwise: TypedNumber,
  at: Span,
): TypedNumber {
  return asNumber(
    choose(
      branches.map(({ when, result }) => ({ when, result: result ?? { type: 'null' }, span: at })),
      otherwise,
      at,
      at,
    ),
    at,
  )
}

function coalesce(values: readonly { readonly typed: Typed; readonly span: Span }[], at: Span): Typed {
  const last = values.at(-1)
  if (last === undefined) throw new QueryError('FUNCTION_NOT_ALLOWED', at)
  const chosen = choose(
    values.slice(0, -1).map(({ typed, span }) => ({
      when: { kind: 'not', operand: isNull(typed) },
      result: typed,
      span,
    })),
    last.typed,
    last.span,
    at,
  )
  if (chosen.type === 'null' || chosen.type === 'interval' || last.typed.type === 'interval') return chosen
  return { ...chosen, nullable: last.typed.type === 'null' || last.typed.nullable }
}

/** As in PostgreSQL: nulls do not count. */
function extreme(name: 'greatest' | 'least', first: TypedNumber, second: TypedNumber, at: Span): TypedNumber {
  const [left, right] = aligned(first, second, at)
  const operator = name === 'greatest' ? '>=' : '<='
  const keepLeft: Condition = {
    kind: 'or',
    operands: [isNull(right), { kind: 'compare', operator, left: left.expression, right: right.expression }],
  }
  const chosen = pick([{ when: keepLeft, result: left }], right, at)
  return { ...chosen, nullable: left.nullable && right.nullable }
}

/** The same of any number of values: numbers, or moments of one type. */
function extremeOf(
  name: 'greatest' | 'least',
  values: readonly { readonly typed: Typed; readonly span: Span }[],
  at: Span,
): Typed {
  const moment = commonMoment(values.map(({ typed }) => typed))
  const number = ({ typed, span }: (typeof values)[number]): TypedNumber =>
    moment === null ? asNumber(typed, span) : quantityOf(asMoment(typed, moment, span))
  const best = values.map(number).reduce((found, value) => extreme(name, found, value, at))
  return moment === null ? best : momentOf(moment, best, at)
}

function nullIf(left: Typed, right: Typed, at: Span): Typed {
  if (left.type === 'null' || right.type === 'null') return left
  const same = ((): Condition => {
    if (left.type === 'number' && right.type === 'number') {
      const [one, other] = aligned(left, right, at)
      return { kind: 'compare', operator: '=', left: one.expression, right: other.expression }
    }
    const moment = commonMoment([left, right])
    if (moment !== null) {
      const [one, other] = [left, right].map((value) => asMoment(value, moment, at).expression)
      if (one !== undefined && other !== undefined)
        return { kind: 'compare', operator: '=', left: one, right: other }
    }
    if (left.type === 'text' && right.type === 'text') {
      return { kind: 'compare-text', operator: '=', left: left.expression, right: right.expression }
    }
    throw new QueryError('TYPE_MISMATCH', at)
  })()
  return choose([{ when: same, result: { type: 'null' }, span: at }], left, at, at)
}

function wholeLiteral(syntax: Syntax, scope: Scope, least: number, most: number): number {
  const literal = scope.literal(syntax)
  const value = literal?.type === 'number' ? Number(literal.text) : Number.NaN
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new QueryError('NUMBER_RANGE', syntax.span)
  }
  return value
}

/** `width_bucket(x, low, high, count)`: 0 below, count + 1 above, public bins between. */
function widthBucket(
  parameters: readonly Syntax[],
  scope: Scope,
  number: (value: Syntax) => TypedNumber,
  at: Span,
): Typed {
  const [operand, lowest, highest, bins] = parameters
  if (operand === undefined || lowest === undefined || highest === undefined || bins === undefined) {
    throw new QueryError('FUNCTION_NOT_ALLOWED', at)
  }
  const literal = (value: Syntax): TypedNumber => {
    const found = scope.literal(value)
    if (found?.type !== 'number') throw new QueryError('EXPRESSION_NOT_ALLOWED', value.span)
    const { units, decimals } = exactDecimal(found.text, value.span)
    return constantNumber(units, decimals)
  }
  const count = wholeLiteral(bins, scope, 1, 998)
  const [low, high] = aligned(literal(lowest), literal(highest), at)
  if (low.low >= high.low) throw new QueryError('NUMBER_RANGE', at)
  const [value, start] = aligned(number(operand), low, at)
  const [, end] = aligned(value, high, at)
  // floor((x - low) * count / (high - low)) + 1, in integers; x is at least low where this is looked at.
  const scaled = combine(
    'multiply',
    combine('subtract', value, start, at),
    constantNumber(BigInt(count), 0),
    at,
  )
  const inside: TypedNumber = {
    type: 'number',
    expression: {
      kind: 'add',
      left: {
        kind: 'rounded',
        mode: 'floor',
        factor: String(end.low * 10n ** BigInt(value.decimals - end.decimals) - start.low),
        operand: scaled.expression,
      },
      right: { kind: 'constant', units: '1' },
    },
    decimals: 0,
    low: 0n,
    high: BigInt(count) + 1n,
    bounded: true,
    nullable: value.nullable,
  }
  const bucket = pick(
    [
      { when: isNull(value), result: null },
      {
        when: { kind: 'compare', operator: '<', left: value.expression, right: start.expression },
        result: constantNumber(0n, 0),
      },
      {
        when: {
          kind: 'compare',
          operator: '>=',
          left: value.expression,
          right: end.expression,
        },
        result: constantNumber(BigInt(count) + 1n, 0),
      },
    ],
    inside,
    at,
  )
  return {
    ...bucket,
    low: 0n,
    high: BigInt(count) + 1n,
    bounded: true,
    nullable: value.nullable,
    domain: Array.from({ length: count + 2 }, (_, index) => index),
  }
}
