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
/** What a column of a nested query stands for: engines put it where the column is read. */
const stoodFor = new WeakMap<object, number>()

/** Characters of a text, or of a pattern that is looked for at every place, that weigh as much as one part of an expression. */
const characters = 4

/** Marks a column of a nested query, so that its parts count wherever it is read. */
export function standsFor<Column extends object>(column: Column, values: readonly unknown[]): Column {
  stoodFor.set(
    column,
    values.reduce((sum: number, value) => sum + printedSize(value), 1),
  )
  return column
}

/**
 * How many parts a bound expression has when it is written out. Parts are shared while they are bound (`abs(x)` holds x twice), so a
 * short text can stand for more than any machine can print; this counts without writing out.
 */
export function printedSize(value: unknown): number {
  return sizeOf(value, known, () => false)
}

/** As {@link printedSize}, without what is `isElsewhere` by its kind; `counted` keeps what was counted so. */
export function sizeOf(
  value: unknown,
  counted: WeakMap<object, number>,
  isElsewhere: (kind: string) => boolean,
): number {
  if (typeof value !== 'object' || value === null) return 0
  const before = counted.get(value) ?? stoodFor.get(value)
  if (before !== undefined) return before
  const kind = kindOf(value)
  if (isElsewhere(kind)) return 0
  const often = copiesOf(value)
  let size = 1
  if (kind === 'text' && 'value' in value && typeof value.value === 'string') {
    size += Math.floor(value.value.length / characters)
  }
  const pattern = kind === 'like' && 'pattern' in value ? String(value.pattern).length : 0
  const times = 1 + Math.floor(pattern / characters / 2)
  for (const [name, part] of Object.entries(value)) {
    size += sizeOf(part, counted, isElsewhere) * (often?.[name] ?? times)
  }
  counted.set(value, size)
  return size
}

function kindOf(value: object): string {
  return 'kind' in value && typeof value.kind === 'string' ? value.kind : ''
}

/** How often printers write each operand of an expression; once, where it is not said. */
export function copiesOf(value: object): Readonly<Record<string, number>> | undefined {
  const kind = kindOf(value)
  return Object.hasOwn(copies, kind) ? copies[kind] : undefined
}

/** @throws QueryError `TOO_LARGE` */
export function requireSmall(value: unknown, what: keyof typeof most, at: Span): void {
  if (printedSize(value) > most[what]) throw new QueryError('TOO_LARGE', at)
}
