import { columnDecimals, type PolicyColumn } from '../catalogue/catalogue.js'
import type { Purpose } from '../enforce/use.js'
import { requireUse, usesOf } from '../enforce/use.js'
import { QueryError, type Span } from '../errors.js'
import { type Decimal, parseDecimal, rescale } from '../type/decimal.js'
import type { Domain, Typed } from '../type/expression.js'
import { listedMoments, storedMoment, storedRange } from '../type/moment.js'
import type { Scope } from './scope.js'
import type { ValuePurpose } from './value.js'

/** Fixed-point values are kept below this, by the policy's schema and by the loader: numbers stay exact in JSON. */
const largestUnits = BigInt(Number.MAX_SAFE_INTEGER)

/** The exact value of a number literal. */
export function exactDecimal(text: string, at: Span): Decimal {
  const decimal = parseDecimal(text)
  if (decimal === null) throw new QueryError('NUMBER_RANGE', at)
  return decimal
}

/**
 * Types a name as the column that it stands for: within the policy's bounds where it is a measure or carried, as it is elsewhere.
 *
 * @throws QueryError `COLUMN_UNKNOWN`, `COLUMN_NOT_FILTERABLE`, `COLUMN_NOT_MEASURABLE`, `MEASURE_UNBOUNDED`, ...
 */
export function bindColumn(path: readonly string[], at: Span, scope: Scope, purpose: ValuePurpose): Typed {
  const { source, column: found, optional } = scope.column(path, at)
  if (found.kind === 'value') {
    use(scope, found.uses, purpose, at)
    const typed = found.read(source)
    return optional && typed.type !== 'null' && typed.type !== 'interval'
      ? { ...typed, nullable: true }
      : typed
  }
  const { column } = found
  use(scope, usesOf(column), purpose, at)
  const { name } = column
  const nullable = column.nullable || optional
  const domain = publicDomain(column)
  const listed = domain === null ? {} : { domain }
  if (column.type === 'text') {
    return { type: 'text', expression: { kind: 'text-column', source, column: name }, nullable, ...listed }
  }
  if (column.type === 'boolean') {
    return { type: 'boolean', condition: { kind: 'flag', source, column: name }, nullable }
  }
  const range = storedRange(column)
  if (range !== null) {
    // Functions of a moment make lists of their own from its range.
    const whole = purpose === 'group' || purpose === 'carry'
    const list = range.stated && whole ? daysOfColumn(column, range) : null
    const open = column.open === true ? ('open' as const) : null
    const grouped = column.use.includes('group') ? (list ?? open) : null
    return {
      type: range.type,
      expression: storedMoment(source, name, range),
      decimals: range.type === 'date' ? 0 : 6,
      low: range.low,
      high: range.high,
      bounded: range.stated,
      nullable,
      ...(grouped === null ? {} : { domain: grouped }),
    }
  }
  const decimals = columnDecimals(column)
  const bounded = column.min !== undefined && column.max !== undefined
  const clamped = purpose === 'measure' || ((purpose === 'carry' || purpose === 'group') && bounded)
  const bounds = clamped ? policyBounds(column, decimals, at) : null
  return {
    type: 'number',
    expression: {
      kind: 'column',
      source,
      column: name,
      decimals,
      clamp: bounds === null ? null : { low: String(bounds.low), high: String(bounds.high) },
    },
    decimals,
    low: bounds?.low ?? -largestUnits,
    high: bounds?.high ?? largestUnits,
    bounded: bounds !== null,
    nullable,
    ...listed,
  }
}

const columnDays = new WeakMap<PolicyColumn, readonly string[] | null>()

/** The days of a column, listed once: a statement names a column several times. */
function daysOfColumn(
  column: PolicyColumn,
  range: NonNullable<ReturnType<typeof storedRange>>,
): readonly string[] | null {
  const known = columnDays.get(column)
  if (known !== undefined) return known
  const days = listedMoments(range)
  columnDays.set(column, days)
  return days
}

/** Notes what a value may be used for while it is carried, and checks it where it is used. */
function use(scope: Scope, uses: ReadonlySet<Purpose>, purpose: ValuePurpose, at: Span): void {
  if (purpose !== 'carry') {
    requireUse(uses, purpose, at)
    return
  }
  if (scope.collector === null) return
  scope.collector.uses = new Set([...scope.collector.uses].filter((entry) => uses.has(entry)))
}

/** The public values of a column: its list, its short range, or that it is open. */
function publicDomain(column: PolicyColumn): Domain | null {
  if (!column.use.includes('group')) return null
  if (column.values !== undefined) return column.values
  if (column.open === true) return 'open'
  if (column.type !== 'integer' || column.min === undefined || column.max === undefined) return null
  const { min, max } = column
  return max - min < 1000 ? Array.from({ length: max - min + 1 }, (_, index) => min + index) : null
}

function policyBounds(
  column: { readonly min?: number | undefined; readonly max?: number | undefined },
  decimals: number,
  at: Span,
): { readonly low: bigint; readonly high: bigint } {
  if (column.min === undefined || column.max === undefined) throw new QueryError('MEASURE_UNBOUNDED', at)
  const low = rescale(exactDecimal(String(column.min), at), decimals, 'down')
  const high = rescale(exactDecimal(String(column.max), at), decimals, 'up')
  if (low > high) throw new QueryError('MEASURE_UNBOUNDED', at)
  return { low, high }
}
