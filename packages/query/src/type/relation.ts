import type { Condition, NumberExpression, TextExpression, Typed } from './expression.js'

/** A value of any type. */
export type ValueExpression =
  | { readonly type: 'number'; readonly number: NumberExpression }
  | { readonly type: 'text'; readonly text: TextExpression }
  | { readonly type: 'boolean'; readonly condition: Condition }

/** What an engine computes for a typed value; null is an unknown truth. */
export function expressionOf(typed: Typed): ValueExpression {
  switch (typed.type) {
    case 'number':
    case 'date':
    case 'timestamp':
      return { type: 'number', number: typed.expression }
    // Intervals are refused as values before they get here.
    case 'interval':
      return { type: 'number', number: typed.seconds.expression }
    case 'text':
      return { type: 'text', text: typed.expression }
    case 'boolean':
      return { type: 'boolean', condition: typed.condition }
    case 'null':
      return { type: 'boolean', condition: { kind: 'truth', value: null } }
  }
}

/** A table of a pool: at most `rows` rows of each contributor, by the rank that was drawn when it was loaded. */
export interface TableRelation {
  readonly kind: 'table'
  readonly pool: string
  readonly table: string
  readonly rows: number
}

/** A public table, written out: numbers as integers in fixed point. Nobody's data is in it. */
export interface PublicRelation {
  readonly kind: 'public'
  readonly columns: readonly { readonly name: string; readonly type: 'number' | 'text' | 'boolean' }[]
  readonly rows: readonly (readonly (string | boolean | null)[])[]
  /** Most rows that one row before it can meet: 1 when it is joined by a column without duplicates. */
  readonly matches: number
}

/** Rows of contributors, computed row by row, within the rows of one contributor, or per contributor. */
export interface SelectRelation extends Block {
  readonly kind: 'select'
  /** Keys beside the contributor; null when rows are not grouped. */
  readonly perContributor: readonly ValueExpression[] | null
  readonly having: Condition | null
  readonly distinct: boolean
  readonly columns: readonly { readonly name: string; readonly value: ValueExpression }[]
}

/** Rows of several relations with the same columns, one after the other. */
export interface UnionRelation {
  readonly kind: 'union'
  readonly inputs: readonly SelectRelation[]
}

export type RowRelation = SelectRelation | UnionRelation
/** What FROM can read: a pool's table, a public table, or rows that are computed from such. */
export type Relation = TableRelation | PublicRelation | RowRelation

/** One relation of FROM. `contributor` says that it is joined on the contributor, beside what `on` says. */
export interface FromItem {
  readonly relation: Relation
  /** `full` is the second of two relations that are joined on the contributor and on nothing else. */
  readonly join: 'first' | 'inner' | 'left' | 'full' | 'cross'
  readonly contributor: boolean
  readonly on: Condition | null
  /** What rows of a table must satisfy before it is joined: on both sides of a full join, where no later place is early enough. */
  readonly before?: Condition
}

/** FROM and WHERE. Every row belongs to the contributor of the item at `unit`, or of the one that is fully joined to it. */
export interface Block {
  readonly from: readonly FromItem[]
  readonly unit: number
  readonly where: Condition | null
}

/**
 * Most rows that joins and unions may make of one contributor's: a person who alone can keep an engine busy, or fill its memory, is
 * told by its failure. A table that a policy gives more rows of each contributor is read as it is.
 */
export const mostRows = 100_000

/**
 * Most rows that one contributor can have: the product over joined relations (a full join on the contributor alone has no more: it
 * adds rows for those who are missing on one side), the sum over UNION ALL, one for each
 * contributor that is grouped by alone.
 *
 * @returns a whole number, infinite past {@link mostRows}
 */
export function rowBound(relation: Relation): number {
  switch (relation.kind) {
    case 'table':
      return relation.rows
    case 'public':
      return relation.matches
    case 'union':
      return capped(
        relation.inputs.map(rowBound),
        relation.inputs.reduce((sum, input) => sum + rowBound(input), 0),
      )
    case 'select':
      return relation.perContributor?.length === 0 ? 1 : blockRowBound(relation)
  }
}

/** Most rows of one contributor after FROM. */
export function blockRowBound({ from }: Pick<Block, 'from'>): number {
  // Rows that a later table without rows takes away were there before.
  const bounds = from.map(({ relation }) => Math.max(1, rowBound(relation)))
  return capped(
    bounds,
    bounds.reduce((product, rows) => product * rows, 1),
  )
}

/** Positions of the items whose contributor a row belongs to: the one that is there, where two are fully joined. */
export function unitsOf({ from, unit }: Pick<Block, 'from' | 'unit'>): readonly number[] {
  const full = from.findIndex(({ join }) => join === 'full')
  return full < 0 ? [unit] : [unit, full]
}

/** Whether the rows of rank one in every relation are at most one row for each contributor. */
export function hasFirstRows(from: readonly FromItem[]): boolean {
  return from.every(({ relation, join }) => relation.kind === 'table' && join !== 'left' && join !== 'full')
}

function capped(each: readonly number[], rows: number): number {
  return rows > Math.max(mostRows, ...each) ? Number.POSITIVE_INFINITY : rows
}

/** Tables that a relation reads anywhere, nested conditions included, as `pool.table` with their rows. */
export function tablesOf(value: unknown): readonly TableRelation[] {
  const found = new Map<string, TableRelation>()
  const pending: unknown[] = [value]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (Array.isArray(next)) pending.push(...next)
    else if (typeof next === 'object' && next !== null) {
      if (isTable(next)) found.set(`${next.pool}.${next.table}`, next)
      else pending.push(...Object.values(next))
    }
  }
  return [...found.keys()].sort().flatMap((name) => found.get(name) ?? [])
}

function isTable(value: object): value is TableRelation {
  return 'kind' in value && value.kind === 'table' && 'pool' in value && 'table' in value
}
