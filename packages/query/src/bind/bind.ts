import type { Catalogue, CatalogueTable } from '../catalogue/catalogue.js'
import type { Grant } from '../enforce/grant.js'
import { QueryError } from '../errors.js'
import type { SelectSyntax, Syntax } from '../parse/syntax.js'
import type { Condition } from '../type/expression.js'
import { type BoundAggregate, bindAggregate } from './aggregate.js'
import { type BoundKey, bindKey } from './key.js'
import {
  bindReleased,
  bindReleasedCondition,
  type Released,
  type ReleasedCondition,
  type ReleasedNames,
} from './released.js'
import { openScope, type ParameterValue, type Scope } from './scope.js'
import { bindCondition } from './value.js'

/** A statement whose every name is resolved and every expression typed. */
export interface BoundSelect {
  readonly sources: readonly CatalogueTable[]
  /** Columns reached in any clause, as `pool.table.column`, sorted. */
  readonly reached: readonly string[]
  readonly where: Condition | null
  readonly keys: readonly BoundKey[]
  /** Aggregates of SELECT, HAVING and ORDER BY, each once. */
  readonly aggregates: readonly BoundAggregate[]
  readonly columns: readonly BoundColumn[]
  readonly having: ReleasedCondition | null
  readonly orderBy: readonly BoundOrder[]
  readonly limit: number | null
  readonly offset: number
}

/** A column of the result. */
export interface BoundColumn {
  readonly name: string
  readonly value: Exclude<Released, { readonly kind: 'literal' }>
}

export interface BoundOrder {
  readonly value: Exclude<Released, { readonly kind: 'literal' }>
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/**
 * Binds a parsed statement to the pools' schemas.
 *
 * @throws QueryError with the place of the first name or expression that is refused
 */
export function bindSelect(
  syntax: SelectSyntax,
  options: {
    readonly catalogue: Catalogue
    readonly grant: Grant
    readonly parameters: readonly ParameterValue[]
  },
): BoundSelect {
  const scope = openScope(syntax, options)
  const where = syntax.where === null ? null : bindCondition(syntax.where, scope)
  const keys = uniqueKeys(
    syntax.groupBy.map((entry) => bindKey(groupExpression(entry, syntax, scope), scope)),
  )
  const aggregates: BoundAggregate[] = []
  const names: ReleasedNames = {
    scope,
    key(entry) {
      if (entry.kind !== 'column' && entry.kind !== 'case') return null
      const output = entry.kind === 'column' ? aliased(entry, syntax, scope) : null
      const identity = identify(() => bindKey(output ?? entry, scope), entry)
      const position = keys.findIndex((key) => JSON.stringify(key) === identity)
      return position < 0 ? null : position
    },
    aggregate(entry) {
      const bound = bindAggregate(entry, scope)
      const identity = aggregateIdentity(bound)
      const position = aggregates.findIndex((known) => aggregateIdentity(known) === identity)
      if (position >= 0) return position
      aggregates.push(bound)
      return aggregates.length - 1
    },
  }
  const columns = syntax.outputs.map(({ name, value }): BoundColumn => {
    const released = bindReleased(value, names)
    if (released.kind === 'literal') throw new QueryError('NOT_AGGREGATED', value.span)
    return { name: name ?? defaultName(value), value: released }
  })
  const first = syntax.outputs[0]
  if (aggregates.length === 0) throw new QueryError('NO_AGGREGATE', first?.span ?? 'outputs')
  const having = syntax.having === null ? null : bindReleasedCondition(syntax.having, names)
  const orderBy = syntax.orderBy.map(({ value, descending, nullsFirst }): BoundOrder => {
    const released = orderOperand(value, syntax, columns, names)
    // PostgreSQL's rule: nulls are the largest.
    return { value: released, descending, nullsFirst: nullsFirst ?? descending }
  })
  return {
    sources: scope.sources,
    reached: [...scope.reached].sort(),
    where,
    keys,
    aggregates,
    columns,
    having,
    orderBy,
    limit: syntax.limit,
    offset: syntax.offset,
  }
}

/** Equal keys twice would square the groups for nothing. */
function uniqueKeys(keys: readonly BoundKey[]): readonly BoundKey[] {
  return [...new Map(keys.map((key) => [JSON.stringify(key), key])).values()]
}

/** `GROUP BY 1`, `GROUP BY alias`, or the expression itself; a column of a table comes before an alias. */
function groupExpression(entry: Syntax, syntax: SelectSyntax, scope: Scope): Syntax {
  const output =
    entry.kind === 'literal' && entry.value.type === 'number'
      ? (syntax.outputs[Number(entry.value.text) - 1]?.value ?? null)
      : entry.kind === 'column'
        ? aliased(entry, syntax, scope)
        : null
  return output ?? entry
}

/** The output that an unqualified name stands for, unless a table has a column of that name. */
function aliased(
  entry: Syntax & { readonly kind: 'column' },
  syntax: SelectSyntax,
  scope: Scope,
): Syntax | null {
  const name = entry.path[0]
  if (entry.path.length !== 1 || name === undefined || scope.isContributor(entry)) return null
  const isColumn = scope.sources.some(({ table }) => table.columns.some((column) => column.name === name))
  if (isColumn) return null
  return syntax.outputs.find((output) => output.name === name)?.value ?? null
}

function orderOperand(
  value: Syntax,
  syntax: SelectSyntax,
  columns: readonly BoundColumn[],
  names: ReleasedNames,
): BoundOrder['value'] {
  // In ORDER BY, unlike in GROUP BY, an output's name comes before a column's.
  const position =
    value.kind === 'literal' && value.value.type === 'number'
      ? Number(value.value.text) - 1
      : value.kind === 'column' && value.path.length === 1
        ? syntax.outputs.findIndex((output) => output.name === value.path[0])
        : -1
  const column = columns[position]
  if (column !== undefined) return column.value
  const released = bindReleased(value, names)
  if (released.kind === 'literal') throw new QueryError('EXPRESSION_NOT_ALLOWED', value.span)
  return released
}

/** A column that is no key is refused as what it is here: an output that nobody aggregated. */
function identify(bind: () => BoundKey, entry: Syntax): string {
  try {
    return JSON.stringify(bind())
  } catch (error) {
    if (error instanceof QueryError && error.code === 'GROUP_NOT_PUBLIC') {
      throw new QueryError('NOT_AGGREGATED', entry.span)
    }
    throw error
  }
}

function aggregateIdentity(aggregate: BoundAggregate): string {
  return JSON.stringify(aggregate, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}

function defaultName(value: Syntax): string {
  if (value.kind === 'column') return value.path.at(-1) ?? 'column'
  if (value.kind === 'aggregate') return value.name
  return value.kind
}
