import type { Catalogue, CatalogueTable } from '../catalogue/catalogue.js'
import type { Grant } from '../enforce/grant.js'
import { QueryError } from '../errors.js'
import type { QuerySyntax, SelectSyntax, Syntax, UnionSyntax } from '../parse/syntax.js'
import type { Condition } from '../type/expression.js'
import type { FromItem } from '../type/relation.js'
import { type BoundAggregate, bindAggregate } from './aggregate.js'
import { type Environment, literalOf, type ParameterValue, requireUsed, withCommon } from './environment.js'
import { type BoundKey, bindKey } from './key.js'
import { requireOtherName, requireOwnName } from './own-name.js'
import {
  bindReleased,
  bindReleasedCondition,
  type Released,
  type ReleasedCondition,
  type ReleasedNames,
} from './released.js'
import { hasAggregate, isReleasedQuery, readsReleased } from './released-query.js'
import { bindBlock, checkPoolsOf, defaultName } from './rows.js'
import type { Scope } from './scope.js'

/** A noisy release: aggregates over contributors, by group. */
export interface BoundRelease {
  readonly from: readonly FromItem[]
  readonly unit: number
  readonly where: Condition | null
  readonly tables: readonly CatalogueTable[]
  /** Most rows of one contributor. */
  readonly rows: number
  readonly keys: readonly BoundKey[]
  /** Grouping sets as positions in `keys`. */
  readonly sets: readonly (readonly number[])[]
  /** Aggregates of SELECT, HAVING and ORDER BY, each once. */
  readonly aggregates: readonly BoundAggregate[]
}

/** What is made of released values; it looks at nothing else, so it costs no budget. */
export interface BoundStage {
  readonly input:
    | { readonly kind: 'release'; readonly release: number }
    | { readonly kind: 'stage'; readonly stage: BoundStage }
    | { readonly kind: 'union'; readonly inputs: readonly BoundStage[] }
    /** One row without columns: SELECT without FROM. */
    | { readonly kind: 'single' }
  readonly columns: readonly BoundColumn[]
  readonly having: ReleasedCondition | null
  readonly orderBy: readonly BoundOrder[]
  readonly limit: number | null
  readonly offset: number
}

/** A column of the result. */
export interface BoundColumn {
  readonly name: string
  readonly value: Released
}

/** A key of ORDER BY: a released value, its direction, and where nulls go. */
export interface BoundOrder {
  readonly value: Released
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** A statement whose every name is resolved and every expression typed. */
export interface BoundQuery {
  readonly releases: readonly BoundRelease[]
  readonly stage: BoundStage
  /** Columns reached in any clause, as `pool.table.column`, sorted. */
  readonly reached: readonly string[]
}

/** Columns of one answer. */
const mostColumns = 100
/** Releases of one statement. */
const mostReleases = 32

/**
 * Binds a parsed statement to the pools' schemas.
 *
 * @throws QueryError with the place of the first name or expression that is refused
 */
export function bindQuery(
  syntax: QuerySyntax,
  options: {
    readonly catalogue: Catalogue
    readonly grant: Grant
    readonly parameters: readonly ParameterValue[]
  },
): BoundQuery {
  const environment: Environment = {
    ...options,
    reached: new Set(),
    tables: new Set(),
    common: new Map(),
    used: new Set(),
    commonOf: new Map(),
    effort: { queries: 0 },
  }
  const releases: BoundRelease[] = []
  const stage = bindStage(syntax, environment, releases)
  if (releases.length === 0) throw new QueryError('NO_AGGREGATE', syntax.span)
  return { releases, stage, reached: [...environment.reached].sort() }
}

/** Types a query whose rows are released numbers. */
function bindStage(query: QuerySyntax, outer: Environment, releases: BoundRelease[]): BoundStage {
  const environment = withCommon(outer, query)
  const stage = ((): BoundStage => {
    if (query.kind === 'union') return bindUnion(query, environment, releases)
    if (query.distinct) throw new QueryError('CLAUSE_NOT_ALLOWED', query.span)
    if (query.outputs.length > mostColumns) throw new QueryError('CLAUSE_NOT_ALLOWED', query.span)
    if (query.from.length === 0 || readsReleased(query, environment)) {
      return bindOverReleased(query, environment, releases)
    }
    return bindRelease(query, environment, releases)
  })()
  requireUsed(environment, query.common)
  return stage
}

function bindUnion(query: UnionSyntax, environment: Environment, releases: BoundRelease[]): BoundStage {
  const inputs = query.inputs.map((input) => bindStage(input, environment, releases))
  const [first] = inputs
  if (first === undefined || inputs.some(({ columns }) => columns.length !== first.columns.length)) {
    throw new QueryError('TYPE_MISMATCH', query.span)
  }
  const columns = first.columns.map(
    ({ name }, field): BoundColumn => ({ name, value: { kind: 'field', field } }),
  )
  return {
    input: { kind: 'union', inputs },
    columns,
    having: null,
    orderBy: bindOrder(query, columns, fieldNames(columns, environment, releases)),
    limit: query.limit,
    offset: query.offset,
  }
}

/** SELECT without FROM, or over a released query: post-processing only. */
function bindOverReleased(
  query: SelectSyntax,
  environment: Environment,
  releases: BoundRelease[],
): BoundStage {
  const [item, second] = query.from
  const aggregated = hasAggregate([query.outputs, query.having, query.orderBy]) || query.groupBy.length > 0
  if (second !== undefined || aggregated || query.having !== null || query.sets.length !== 1) {
    throw new QueryError('SUBQUERY_NOT_ALLOWED', query.span)
  }
  const input = ((): BoundStage['input'] => {
    if (item === undefined) return { kind: 'single' }
    if (item.item.kind === 'derived') {
      return { kind: 'stage', stage: bindStage(item.item.query, environment, releases) }
    }
    const common = environment.common.get(item.item.table)
    const entry = environment.commonOf.get(item.item.table)
    if (common === undefined || entry === undefined) throw new QueryError('TABLE_UNKNOWN', item.span)
    environment.used.add(entry)
    return { kind: 'stage', stage: bindStage(common.query, common.environment, releases) }
  })()
  const names = fieldNames(input.kind === 'stage' ? input.stage.columns : [], environment, releases, item)
  const columns = query.outputs.map(({ name, value, span }): BoundColumn => {
    requireOwnName(name ?? defaultName(value), value, span)
    const released = bindReleased(value, names)
    if (released.kind === 'literal') throw new QueryError('NOT_AGGREGATED', value.span)
    return { name: name ?? defaultName(value), value: released }
  })
  return {
    input,
    columns,
    having: query.where === null ? null : bindReleasedCondition(query.where, names),
    orderBy: bindOrder(query, columns, names),
    limit: query.limit,
    offset: query.offset,
  }
}

function fieldNames(
  fields: readonly BoundColumn[],
  environment: Environment,
  releases: BoundRelease[],
  item?: SelectSyntax['from'][number],
): ReleasedNames {
  if (item !== undefined) requireOtherName(item.item.alias, item.item.span)
  const relation = item?.item.kind === 'derived' ? item.item.alias : (item?.item.alias ?? item?.item.table)
  return {
    literal: (syntax) => literalOf(syntax, environment.parameters),
    isContributor: () => false,
    name(syntax) {
      if (syntax.kind !== 'column') return null
      if (syntax.path.length > 2 || (syntax.path.length === 2 && syntax.path[0] !== relation)) {
        throw new QueryError('COLUMN_UNKNOWN', syntax.span)
      }
      const found = fields.flatMap(({ name }, field) => (name === syntax.path.at(-1) ? [field] : []))
      const [field] = found
      if (field === undefined) throw new QueryError('COLUMN_UNKNOWN', syntax.span)
      if (found.length > 1) throw new QueryError('COLUMN_AMBIGUOUS', syntax.span)
      return { kind: 'field', field }
    },
    aggregate(syntax) {
      throw new QueryError('AGGREGATE_MISPLACED', syntax.span)
    },
    grouping(_, at) {
      throw new QueryError('AGGREGATE_MISPLACED', at)
    },
    stage: (query) => bindScalar(query, environment, releases),
  }
}

/** A released query of one column, one group. */
function bindScalar(query: QuerySyntax, environment: Environment, releases: BoundRelease[]): BoundStage {
  if (!isReleasedQuery(query, environment)) throw new QueryError('SUBQUERY_NOT_ALLOWED', query.span)
  const stage = bindStage(query, environment, releases)
  // Several rows would be an error in SQL; whether there are several must not be asked.
  if (stage.columns.length !== 1 || !isOneRow(stage, releases)) {
    throw new QueryError('SUBQUERY_NOT_ALLOWED', query.span)
  }
  return stage
}

function isOneRow(stage: BoundStage, releases: readonly BoundRelease[]): boolean {
  const { input } = stage
  if (stage.limit !== null && stage.limit <= 1) return true
  if (input.kind === 'single') return true
  if (input.kind === 'stage') return isOneRow(input.stage, releases)
  if (input.kind === 'union') return false
  const release = releases[input.release]
  return release !== undefined && release.sets.length === 1 && release.sets[0]?.length === 0
}

function bindRelease(query: SelectSyntax, outer: Environment, releases: BoundRelease[]): BoundStage {
  const environment: Environment = { ...outer, tables: new Set() }
  const { from, where, scope } = bindBlock(query, environment)
  if (!isReleasedQuery(query, { ...environment, tables: new Set() })) refuseRows(query, scope)
  checkPoolsOf(environment, query.span)
  const all = query.groupBy.map((entry) => bindKey(groupExpression(entry, query, scope), scope))
  const keys = [...new Map(all.map((key) => [JSON.stringify(key), key])).values()]
  const positions = all.map((key) => keys.findIndex((known) => JSON.stringify(known) === JSON.stringify(key)))
  const sets = query.sets.map((set) => [...new Set(set.map((entry) => positions[entry] ?? 0))])
  const aggregates: BoundAggregate[] = []
  const groupKinds = new Set(query.groupBy.map((key) => groupExpression(key, query, scope).kind))
  const keyOf = (entry: Syntax): number | null => {
    // Anything else than a column or a CASE is worth binding only where something like it is grouped by.
    const known = entry.kind === 'column' || entry.kind === 'case' || groupKinds.has(entry.kind)
    if (!known) return null
    const output = entry.kind === 'column' ? aliased(entry, query, scope) : null
    const target = output ?? entry
    if (target.kind === 'call' && !groupKinds.has('call')) return null
    if (target.kind !== 'column' && hasAggregate(target)) return null
    const identity = identify(() => bindKey(target, scope), entry, keys.length > 0)
    if (identity === null) return null
    const position = keys.findIndex((key) => JSON.stringify(key) === identity)
    return position < 0 ? null : position
  }
  const names: ReleasedNames = {
    literal: scope.literal,
    isContributor: scope.isContributor,
    name(entry) {
      const key = keyOf(entry)
      if (key === null && entry.kind === 'column') throw new QueryError('NOT_AGGREGATED', entry.span)
      return key === null ? null : { kind: 'key', key }
    },
    aggregate(entry) {
      const bound = bindAggregate(entry, scope)
      const identity = identityOf(bound)
      const position = aggregates.findIndex((known) => identityOf(known) === identity)
      return { kind: 'aggregate', aggregate: position >= 0 ? position : aggregates.push(bound) - 1 }
    },
    grouping(parameters, at) {
      const found = parameters.map((entry) => keyOf(entry))
      if (found.length === 0 || found.some((key) => key === null)) throw new QueryError('NOT_AGGREGATED', at)
      return { kind: 'grouping', keys: found.filter((key) => key !== null) }
    },
    stage: (inner) => bindScalar(inner, environment, releases),
  }
  const columns = query.outputs.map(({ name, value, span }): BoundColumn => {
    requireOwnName(name ?? defaultName(value), value, span)
    const released = bindReleased(value, names)
    if (released.kind === 'literal') throw new QueryError('NOT_AGGREGATED', value.span)
    return { name: name ?? defaultName(value), value: released }
  })
  const having = query.having === null ? null : bindReleasedCondition(query.having, names)
  const orderBy = bindOrder(query, columns, names)
  if (aggregates.length === 0) throw new QueryError('NO_AGGREGATE', query.outputs[0]?.span ?? query.span)
  const release: BoundRelease = {
    from,
    unit: scope.unit,
    where,
    tables: [...environment.tables],
    rows: scope.rows,
    keys,
    sets,
    aggregates,
  }
  // The same release twice is one release: charged once, with one noise.
  const known = releases.findIndex((other) => identityOf(other) === identityOf(release))
  const position = known >= 0 ? known : releases.push(release) - 1
  if (releases.length > mostReleases) throw new QueryError('CLAUSE_NOT_ALLOWED', query.span)
  return {
    input: { kind: 'release', release: position },
    columns,
    having,
    orderBy,
    limit: query.limit,
    offset: query.offset,
  }
}

/** Rows of contributors never come out. */
function refuseRows(query: SelectSyntax, scope: Scope): never {
  for (const { value } of query.outputs) {
    if (scope.isContributor(value)) throw new QueryError('IDENTIFIES_ONE_CONTRIBUTOR', value.span)
  }
  const output = query.outputs[0]
  throw new QueryError('NOT_AGGREGATED', output?.value.span ?? query.span)
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
  if (scope.relations.some(({ columns }) => columns.has(name))) return null
  return syntax.outputs.find((output) => output.name === name)?.value ?? null
}

function bindOrder(
  syntax: QuerySyntax,
  columns: readonly BoundColumn[],
  names: ReleasedNames,
): readonly BoundOrder[] {
  const outputs = syntax.kind === 'select' ? syntax.outputs : columns
  return syntax.orderBy.map(({ value, descending, nullsFirst }): BoundOrder => {
    // In ORDER BY, unlike in GROUP BY, an output's name comes before a column's.
    const position =
      value.kind === 'literal' && value.value.type === 'number'
        ? Number(value.value.text) - 1
        : value.kind === 'column' && value.path.length === 1
          ? outputs.findIndex((output) => output.name === value.path[0])
          : -1
    const released = columns[position]?.value ?? bindReleased(value, names)
    if (released.kind === 'literal') throw new QueryError('EXPRESSION_NOT_ALLOWED', value.span)
    // PostgreSQL's rule: nulls are the largest.
    return { value: released, descending, nullsFirst: nullsFirst ?? descending }
  })
}

/** A column that is no key is refused as what it is here: an output that nobody aggregated. */
function identify(bind: () => BoundKey, entry: Syntax, strict: boolean): string | null {
  try {
    return JSON.stringify(bind())
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    // A CASE or call over aggregates and keys is no key, but may be made of them.
    if (entry.kind !== 'column' && (!strict || error.code !== 'COLUMN_UNKNOWN')) return null
    if (error.code === 'GROUP_NOT_PUBLIC') throw new QueryError('NOT_AGGREGATED', entry.span)
    throw error
  }
}

function identityOf(value: BoundAggregate | BoundRelease): string {
  return JSON.stringify(value, (key, entry: unknown) =>
    key === 'tables' ? undefined : typeof entry === 'bigint' ? `${entry}n` : entry,
  )
}
