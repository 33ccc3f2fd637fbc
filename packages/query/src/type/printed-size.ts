import { QueryError, type Span } from '../errors.js'

/**
 * How often printers write an operand more than once, at most over all dialects: what is nested in such operations grows with the
 * product. Everything that is not named is written once.
 */
const copies: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  quotient: { right: 4 },
  remainder: { right: 4 },
  rounded: { operand: 3 },
  real: { operand: 12 },
  'date-part': { operand: 2 },
  'months-added': { days: 8, months: 8 },
  'text-length': { operand: 2 },
}

/** Most parts of one expression, and of all that a statement asks an engine for. */
const most = { expression: 20_000, statement: 80_000 } as const

const known = new WeakMap<object, number>()

/**
 * How many parts a bound expression has when it is written out. Parts are shared while they are bound (`abs(x)` holds x twice), so a
 * short text can stand for more than any machine can print; this counts without writing out.
 */
export function printedSize(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const before = known.get(value)
  if (before !== undefined) return before
  const kind = 'kind' in value && typeof value.kind === 'string' ? value.kind : ''
  const often = Object.hasOwn(copies, kind) ? copies[kind] : undefined
  let size = 1
  for (const [name, part] of Object.entries(value)) size += printedSize(part) * (often?.[name] ?? 1)
  known.set(value, size)
  return size
}

/** @throws QueryError `TOO_LARGE` */
export function requireSmall(value: unknown, what: keyof typeof most, at: Span): void {
  if (printedSize(value) > most[what]) throw new QueryError('TOO_LARGE', at)
}
