import { QueryError } from '../errors.js'
import type { FrameEndSyntax, Syntax, WindowFunction } from '../parse/syntax.js'
import type { Frame, TypedMoment, TypedNumber, WindowExpression } from '../type/expression.js'
import { isMoment, quantityOf } from '../type/moment.js'
import { average, ranged } from './per-contributor.js'
import type { Scope } from './scope.js'
import { asNumber, bindValue, type ValuePurpose } from './value.js'

type WindowSyntax = Syntax & { readonly kind: 'window' }
type Partitioned = Pick<WindowExpression, 'units' | 'ranked' | 'partitionBy' | 'orderBy' | 'frame'>

/** Most rows that LAG, LEAD and a frame reach away from the current one. */
const farthest = 1000

/**
 * Types a window function. The partition must hold the contributor: then a contributor changes its own rows only, whatever the
 * frame is.
 *
 * @throws QueryError `WINDOW_NOT_ALLOWED`, `TYPE_MISMATCH`
 */
export function bindWindow(
  syntax: WindowSyntax,
  outer: Scope,
  purpose: ValuePurpose,
): TypedNumber | TypedMoment {
  const { name, parameters, span } = syntax
  const scope = { ...outer, allowed: { windows: false, perContributor: null } }
  if (!syntax.partitionBy.some((entry) => scope.isUnit(entry))) {
    throw new QueryError('WINDOW_NOT_ALLOWED', span)
  }
  const bound = (value: Syntax, as: ValuePurpose): TypedNumber | TypedMoment => {
    const typed = bindValue(value, scope, as)
    return isMoment(typed) ? typed : asNumber(typed, value.span)
  }
  const partitioned: Partitioned = {
    units: scope.units,
    ranked: scope.relations.flatMap(({ relation }, source) => (relation.kind === 'table' ? [source] : [])),
    partitionBy: syntax.partitionBy
      .filter((entry) => !scope.isUnit(entry))
      .map((entry) => bound(entry, 'condition').expression),
    orderBy: syntax.orderBy.map(({ value, descending, nullsFirst }) => ({
      value: bound(value, 'condition').expression,
      descending,
      nullsFirst: nullsFirst ?? descending,
    })),
    ...frameOf(syntax, scope),
  }
  const [first, second, third] = parameters
  const window = (
    of: WindowExpression['name'],
    operand: TypedNumber | null,
    offset = 0,
  ): WindowExpression => ({
    kind: 'window',
    name: of,
    operand: operand?.expression ?? null,
    offset,
    ...partitioned,
  })
  const rows = framedRows(partitioned.frame, scope.rows)
  const over = (of: 'count' | 'sum' | 'min' | 'max', operand: TypedNumber | null): TypedNumber =>
    ranged(
      window(of, operand),
      of === 'count'
        ? { name: of, operand: null, rows, nullable: false }
        : { name: of, operand, rows, nullable: true },
    )
  /** A value of another row, or none. */
  const elsewhere = (of: WindowExpression['name'], offset = 0): TypedNumber | TypedMoment => {
    if (first === undefined || partitioned.orderBy.length === 0) {
      throw new QueryError('WINDOW_NOT_ALLOWED', span)
    }
    const value = bound(first, purpose)
    const { domain: _, ...number } = isMoment(value) ? quantityOf(value) : value
    return { ...number, type: value.type, expression: window(of, number, offset), nullable: true }
  }
  switch (name) {
    case 'row_number':
    case 'rank':
    case 'dense_rank':
      if (first !== undefined || partitioned.orderBy.length === 0 || partitioned.frame !== undefined) {
        throw new QueryError('WINDOW_NOT_ALLOWED', span)
      }
      return ranged(window(name, null), { name, operand: null, rows: scope.rows, nullable: false })
    case 'lag':
    case 'lead': {
      if (third !== undefined || partitioned.frame !== undefined)
        throw new QueryError('WINDOW_NOT_ALLOWED', span)
      return elsewhere(name, second === undefined ? 1 : offsetOf(second, scope))
    }
    case 'first_value':
    case 'last_value':
      if (second !== undefined || !isDefinite(name, partitioned.frame)) {
        throw new QueryError('WINDOW_NOT_ALLOWED', span)
      }
      return elsewhere(name)
    default:
      break
  }
  if (second !== undefined) throw new QueryError('WINDOW_NOT_ALLOWED', span)
  if (first === undefined || (name === 'count' && scope.isUnit(first))) {
    if (name !== 'count') throw new QueryError('WINDOW_NOT_ALLOWED', span)
    return over('count', null)
  }
  const value = bound(first, name === 'count' ? 'presence' : purpose)
  const operand = isMoment(value) ? quantityOf(value) : value
  if (name === 'count') return over('count', operand)
  if (isMoment(value)) {
    if (name !== 'min' && name !== 'max') throw new QueryError('TYPE_MISMATCH', first.span)
    return { ...over(name, operand), type: value.type }
  }
  return name === 'avg'
    ? average(over('sum', operand), over('count', operand), operand, span)
    : over(name, operand)
}

function offsetOf(syntax: Syntax, scope: Scope): number {
  const literal = scope.literal(syntax)
  const offset = literal?.type === 'number' ? Number(literal.text) : Number.NaN
  if (!Number.isInteger(offset) || offset < 0 || offset > farthest) {
    throw new QueryError('WINDOW_NOT_ALLOWED', syntax.span)
  }
  return offset
}

/** The frame with its offsets as numbers. */
function frameOf({ frame, orderBy, span }: WindowSyntax, scope: Scope): { readonly frame?: Frame } {
  if (frame === undefined) return {}
  const end = (written: FrameEndSyntax): number | null => {
    if (written === 'unbounded') return null
    if (written === 'current') return 0
    const offset = offsetOf(written.offset, scope)
    // Minus zero would print as a row before the current one.
    return written.direction === 'following' || offset === 0 ? offset : -offset
  }
  const read: Frame = { mode: frame.mode, from: end(frame.from), to: end(frame.to) }
  const whole = read.from === null && read.to === null
  // Without an order, which rows are near the current one is nobody's decision.
  if (!whole && orderBy.length === 0) throw new QueryError('WINDOW_NOT_ALLOWED', span)
  if (read.from !== null && read.to !== null && read.from > read.to) {
    throw new QueryError('WINDOW_NOT_ALLOWED', span)
  }
  return { frame: whole ? { ...read, mode: 'range' } : read }
}

/** Most rows of one frame. */
function framedRows(frame: Frame | undefined, rows: number): number {
  if (frame === undefined || frame.mode !== 'rows') return rows
  const { from, to } = frame
  return from === null || to === null ? rows : Math.min(rows, to - from + 1)
}

/** Whether rows of equal order are outside of what decides which row is the first or the last one. */
function isDefinite(name: WindowFunction, frame: Frame | undefined): boolean {
  if (frame?.mode === 'rows') return true
  return name === 'first_value' ? frame === undefined || frame.from === null : frame?.to === null
}
