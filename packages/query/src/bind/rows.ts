import { columnDecimals, contributorColumn, walletColumn, type PublicTable } from '../catalogue/catalogue.js'
import { checkTableGrant } from '../enforce/grant.js'
import { checkCopies, checkPools } from '../enforce/join.js'
import type { Purpose } from '../enforce/use.js'
import { QueryError, type Span } from '../errors.js'
import type { DerivedSyntax, QuerySyntax, SelectSyntax, Syntax, TableSyntax } from '../parse/syntax.js'
import { parseDecimal, rescale } from '../type/decimal.js'
import type { Condition, Typed } from '../type/expression.js'
import {
  blockRowBound,
  type FromItem,
  type RowRelation,
  rowBound,
  type SelectRelation,
  type ValueExpression,
} from '../type/relation.js'
import { allOf, conjuncts, type Environment, requireUsed, withCommon } from './environment.js'
import type { BoundRows, NamedRelation, RelationColumn } from './relation-column.js'
import { makeScope, type Scope } from './scope.js'
import { isReleasedQuery } from './released-query.js'
import { bindCondition, bindValue, formOf } from './value.js'

const everything: ReadonlySet<Purpose> = new Set(['condition', 'measure', 'presence', 'group'])

/** FROM and WHERE of a SELECT, typed. */
export interface BoundBlock {
  readonly from: readonly FromItem[]
  readonly where: Condition | null
  readonly scope: Scope
}

/**
 * Resolves FROM and WHERE. Every relation is public or has the contributor in every row; relations of contributors are
 * joined on the contributor.
 *
 * @throws QueryError `TABLE_UNKNOWN`, `TABLE_NOT_GRANTED`, `JOIN_NOT_ALLOWED`, `NO_POOL_TABLE`, ...
 */
export function bindBlock(syntax: SelectSyntax, environment: Environment): BoundBlock {
  const relations: NamedRelation[] = []
  const optional = new Set<number>()
  const from: FromItem[] = []
  let pending = conjuncts(syntax.where)
  let unit = -1
  const whole = syntax.from[0]?.span ?? syntax.span
  const scopeNow = (rows = 1): Scope =>
    makeScope({
      environment,
      relations: [...relations],
      optional,
      unit,
      rows,
      isReleased: (query) => isReleasedQuery(query, environment),
      semiJoin: bindSemiJoin,
    })
  for (const [position, entry] of syntax.from.entries()) {
    const named = bindItem(entry.item, environment)
    if (relations.some(({ name, pool }) => name === named.name && (pool === null || named.pool === null || pool === named.pool))) {
      throw new QueryError('JOIN_NOT_ALLOWED', entry.span)
    }
    const before = scopeNow()
    relations.push(named)
    if (entry.join === 'left') optional.add(position)
    const isPublic = named.relation.kind === 'public'
    const refuse = (): never => {
      throw new QueryError('JOIN_NOT_ALLOWED', entry.span)
    }
    if (isPublic) {
      const conditions = conjuncts(entry.on)
      if (entry.using !== null) refuse()
      const bound = scopeNow()
      const on = entry.on === null ? null : bindCondition(entry.on, bound)
      const matches = publicMatches(named, position, [...conditions, ...(entry.join === 'left' ? [] : pending)], bound, before)
      const relation = named.relation.kind === 'public' ? { ...named.relation, matches } : named.relation
      relations[position] = { ...named, relation }
      from.push({ relation, join: entry.join, contributor: false, on })
      continue
    }
    if (unit < 0) {
      // Public rows that nobody's data matches belong to nobody.
      if (entry.join === 'left') refuse()
      unit = position
      const on = entry.on === null ? null : bindCondition(entry.on, scopeNow())
      if (entry.using !== null) refuse()
      from.push({ relation: named.relation, join: entry.join, contributor: false, on })
      continue
    }
    const joined = scopeNow()
    let on: Condition | null = null
    if (entry.using !== null) {
      const [column] = entry.using
      const both: Syntax = { kind: 'column', path: [column ?? ''], span: entry.span }
      if (entry.using.length !== 1 || joined.contributorSources(both).length < 2) refuse()
    } else {
      const source = entry.join === 'cross' ? pending : conjuncts(entry.on)
      const equality = source.find((part) => joinsContributor(part, joined, position))
      if (equality === undefined) refuse()
      const rest = source.filter((part) => part !== equality)
      if (entry.join === 'cross') pending = rest
      else {
        const condition = allOf(rest, entry.span)
        on = condition === null ? null : bindCondition(condition, joined)
      }
    }
    const join = entry.join === 'cross' ? 'inner' : entry.join
    from.push({ relation: named.relation, join, contributor: true, on })
  }
  if (unit < 0) throw new QueryError('NO_POOL_TABLE', whole)
  checkCopies(relations.flatMap(({ tables }) => tables), whole)
  const rows = blockRowBound({ from })
  if (!Number.isFinite(rows)) throw new QueryError('JOIN_NOT_ALLOWED', whole)
  const scope = scopeNow(rows)
  const rest = allOf(pending, syntax.span)
  return { from, where: rest === null ? null : bindCondition(rest, scope), scope }
}

/** `one.contributor = other.contributor`, where one of them is of the relation at `position`. */
function joinsContributor(condition: Syntax, scope: Scope, position: number): boolean {
  if (condition.kind !== 'compare' || condition.operator !== '=') return false
  const [left, right] = [scope.contributorSources(condition.left), scope.contributorSources(condition.right)]
  if (left.length !== 1 || right.length !== 1 || left[0] === right[0]) return false
  const other = left[0] === position ? right[0] : right[0] === position ? left[0] : undefined
  // What LEFT JOIN did not find has no contributor to join on.
  return other !== undefined && !scope.optional.has(other)
}

/** 1 when the public table is joined by equality on a column without duplicates, all of its rows otherwise. */
function publicMatches(
  named: NamedRelation,
  position: number,
  conditions: readonly Syntax[],
  scope: Scope,
  before: Scope,
): number {
  const { relation } = named
  if (relation.kind !== 'public') return 1
  const unique = (syntax: Syntax): boolean => {
    if (syntax.kind !== 'column') return false
    const index = relation.columns.findIndex(({ name }) => name === syntax.path.at(-1))
    const values = relation.rows.map((row) => row[index] ?? null).filter((value) => value !== null)
    try {
      return index >= 0 && scope.column(syntax.path, syntax.span).source === position && new Set(values).size === values.length
    } catch {
      return false
    }
  }
  const earlier = (syntax: Syntax): boolean => {
    try {
      bindValue(syntax, before, 'condition')
      return true
    } catch {
      return false
    }
  }
  const single = conditions.some(
    (part) =>
      part.kind === 'compare' &&
      part.operator === '=' &&
      ((unique(part.left) && earlier(part.right)) || (unique(part.right) && earlier(part.left))),
  )
  return single ? 1 : relation.rows.length
}

function bindItem(item: TableSyntax | DerivedSyntax, environment: Environment): NamedRelation {
  if (item.kind === 'derived') return namedRows(item.alias, bindRows(item.query, environment))
  const { pool, table, span } = item
  if (pool === null) {
    const common = environment.common.get(table)
    const entry = environment.commonOf.get(table)
    if (common === undefined || entry === undefined) throw new QueryError('TABLE_UNKNOWN', span)
    environment.used.add(entry)
    return namedRows(item.alias ?? table, bindRows(common.query, within(common.environment, environment)))
  }
  const publicTable = environment.catalogue.findPublic(pool, table)
  if (publicTable !== null) return namedPublic(publicTable, item)
  const found = environment.catalogue.find(pool, table)
  if (found === null) throw new QueryError('TABLE_UNKNOWN', span)
  if (found.pool.populated?.includes(table) === false) throw new QueryError('TABLE_NOT_POPULATED', span)
  checkTableGrant(environment.grant, found, span)
  environment.tables.add(found)
  const columns = new Map<string, readonly RelationColumn[]>()
  columns.set(walletColumn, [{ kind: 'contributor' }])
  for (const column of found.table.columns) columns.set(column.name, [{ kind: 'policy', owner: found, column }])
  columns.set(contributorColumn, [{ kind: 'contributor' }])
  return {
    name: item.alias ?? table,
    pool: item.alias === null ? pool : null,
    relation: { kind: 'table', pool, table, rows: found.table.rowsPerContributor },
    columns,
    tables: [found],
  }
}

/** A query of WITH sees the names of its own place; what it reaches counts where it is used. */
function within(own: Environment, user: Environment): Environment {
  return { ...own, tables: user.tables, reached: user.reached }
}

function namedRows(name: string, { relation, columns, tables }: BoundRows): NamedRelation {
  return { name, pool: null, relation, columns, tables }
}

function namedPublic(table: PublicTable, item: TableSyntax): NamedRelation {
  const decimals = table.columns.map((column) =>
    columnDecimals({ type: column.type, decimals: column.decimals }),
  )
  const cells = table.rows.map((row) =>
    row.map((cell, index): string | boolean | null => {
      if (typeof cell !== 'number') return cell
      const decimal = parseDecimal(String(cell))
      if (decimal === null) throw new QueryError('PUBLIC_TABLE_INVALID', `${table.schema}.${table.name}`)
      return String(rescale(decimal, decimals[index] ?? 0, 'down'))
    }),
  )
  const columns = new Map(
    table.columns.map(({ name, type }, index): readonly [string, readonly RelationColumn[]] => {
      const values = cells.map((row) => row[index] ?? null).filter((cell) => cell !== null)
      const nullable = values.length < cells.length
      const digits = decimals[index] ?? 0
      const read = (source: number): Typed => {
        if (type === 'text') {
          const domain = [...new Set(values.map(String))].sort()
          return { type: 'text', expression: { kind: 'text-column', source, column: name }, nullable, domain }
        }
        if (type === 'boolean') {
          return { type: 'boolean', condition: { kind: 'flag', source, column: name }, nullable }
        }
        const units = values.map((value) => BigInt(String(value)))
        const sorted = [...units].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0))
        const domain = [...new Set(sorted.map((value) => Number(value) / 10 ** digits))]
        return {
          type: 'number',
          expression: { kind: 'derived', source, column: name },
          decimals: digits,
          low: sorted[0] ?? 0n,
          high: sorted.at(-1) ?? 0n,
          bounded: true,
          nullable,
          domain,
        }
      }
      return [name, [{ kind: 'value', read, uses: everything }]]
    }),
  )
  return {
    name: item.alias ?? table.name,
    pool: item.alias === null ? table.schema : null,
    relation: {
      kind: 'public',
      columns: table.columns.map(({ name, type }) => ({
        name,
        type: type === 'text' || type === 'boolean' ? type : 'number',
      })),
      rows: cells,
      matches: table.rows.length,
    },
    columns,
    tables: [],
  }
}

/**
 * Types a query whose rows belong to contributors: a subquery of FROM, WITH, EXISTS or IN.
 *
 * @throws QueryError `SUBQUERY_NOT_ALLOWED` when it limits, orders or aggregates across contributors
 */
export function bindRows(query: QuerySyntax, outer: Environment): BoundRows {
  const environment = withCommon(outer, query.common)
  // Which rows a LIMIT takes would depend on other contributors.
  if (query.limit !== null || query.offset > 0) throw new QueryError('SUBQUERY_NOT_ALLOWED', query.span)
  if (query.kind === 'union') {
    const inputs = query.inputs.map((input) => bindRows(input, environment))
    requireUsed(environment, query.common)
    return unionRows(inputs, query.span)
  }
  if (isReleasedQuery(query, environment)) throw new QueryError('SUBQUERY_NOT_ALLOWED', query.span)
  const bound = selectRows(query, environment)
  requireUsed(environment, query.common)
  return bound
}

function selectRows(syntax: SelectSyntax, environment: Environment): BoundRows {
  const { from, where, scope } = bindBlock(syntax, environment)
  if (syntax.sets.length !== 1) throw new QueryError('SUBQUERY_NOT_ALLOWED', syntax.span)
  const grouped = syntax.groupBy.length > 0
  const groupKeys = syntax.groupBy.map((entry) => ordinal(entry, syntax)).filter((entry) => !scope.isContributor(entry))
  const keys = groupKeys.map((entry) => ({ typed: bindValue(entry, scope, 'carry'), span: entry.span }))
  const perContributor = grouped ? { keys: new Set(keys.map(({ typed }) => formOf(typed))) } : null
  const inner: Scope = { ...scope, allowed: { windows: !grouped, perContributor } }
  const outputs = syntax.outputs.map(({ name, value }, index) => {
    const outputName = name ?? defaultName(value)
    if (scope.isContributor(value)) {
      return { name: outputName, column: { kind: 'contributor' } as const, typed: null, program: null }
    }
    const collector = { uses: new Set(everything) }
    const typed = bindValue(value, { ...inner, collector }, 'carry')
    const internal = `c${index}`
    const uses: ReadonlySet<Purpose> = collector.uses
    const column: RelationColumn = { kind: 'value', read: (source) => readBack(typed, source, internal), uses }
    return { name: outputName, column, typed, program: { name: internal, value: valueOf(typed) } }
  })
  // DISTINCT without the contributor would merge rows of different contributors.
  if (syntax.distinct && !outputs.some(({ column }) => column.kind === 'contributor')) {
    throw new QueryError('SUBQUERY_NOT_ALLOWED', syntax.span)
  }
  if (syntax.having !== null && !grouped) throw new QueryError('SUBQUERY_NOT_ALLOWED', syntax.span)
  const relation: SelectRelation = {
    kind: 'select',
    from,
    unit: scope.unit,
    where,
    perContributor: grouped ? keys.map(({ typed }) => valueOf(typed)) : null,
    having: syntax.having === null ? null : bindCondition(syntax.having, { ...inner, collector: null }),
    distinct: syntax.distinct,
    columns: outputs.flatMap(({ program }) => (program === null ? [] : [program])),
  }
  const columns = new Map<string, readonly RelationColumn[]>()
  for (const { name, column } of outputs) columns.set(name, [...(columns.get(name) ?? []), column])
  return {
    relation,
    first: relation,
    columns,
    outputs,
    tables: scope.relations.flatMap(({ tables }) => tables),
  }
}

/** `GROUP BY 1`. */
function ordinal(entry: Syntax, syntax: SelectSyntax): Syntax {
  if (entry.kind === 'literal' && entry.value.type === 'number') {
    return syntax.outputs[Number(entry.value.text) - 1]?.value ?? entry
  }
  return entry
}

export function defaultName(value: Syntax): string {
  if (value.kind === 'column') return value.path.at(-1) ?? 'column'
  if (value.kind === 'aggregate') return value.name === 'percentile' ? 'quantile' : value.name
  if (value.kind === 'call' || value.kind === 'window') return value.name
  return value.kind
}

function valueOf(typed: Typed): ValueExpression {
  if (typed.type === 'number') return { type: 'number', number: typed.expression }
  if (typed.type === 'text') return { type: 'text', text: typed.expression }
  if (typed.type === 'boolean') return { type: 'boolean', condition: typed.condition }
  return { type: 'boolean', condition: { kind: 'truth', value: null } }
}

/** A value of a nested query as the query around it sees it. */
function readBack(typed: Typed, source: number, column: string): Typed {
  if (typed.type === 'number') return { ...typed, expression: { kind: 'derived', source, column } }
  if (typed.type === 'text') return { ...typed, expression: { kind: 'text-column', source, column } }
  if (typed.type === 'boolean') return { ...typed, condition: { kind: 'flag', source, column } }
  return typed
}

/** UNION ALL: the same number of columns, of the same types. */
function unionRows(inputs: readonly BoundRows[], at: Span): BoundRows {
  const [head] = inputs
  const refuse = (): never => {
    throw new QueryError('TYPE_MISMATCH', at)
  }
  if (head === undefined) throw new QueryError('TYPE_MISMATCH', at)
  const outputs = head.outputs.map(({ name, column }, index) => {
    const all = inputs.map((input) => {
      const output = input.outputs[index]
      return output === undefined || input.outputs.length !== head.outputs.length ? refuse() : output
    })
    if (all.every((output) => output.column.kind === 'contributor')) return { name, column, typed: null }
    const typed = mergeTyped(all.map((output) => output.typed ?? refuse()), refuse)
    const uses = all.reduce<ReadonlySet<Purpose>>((left, output) => {
      const right = output.column.kind === 'value' ? output.column.uses : new Set<Purpose>()
      return new Set([...left].filter((use) => right.has(use)))
    }, everything)
    const internal = `c${index}`
    return {
      name,
      typed,
      column: { kind: 'value', read: (source: number) => readBack(typed, source, internal), uses } as RelationColumn,
    }
  })
  const selects = inputs.flatMap(({ relation }): readonly SelectRelation[] =>
    relation.kind === 'union' ? relation.inputs : [relation],
  )
  const relation: RowRelation = { kind: 'union', inputs: selects }
  if (!Number.isFinite(rowBound(relation))) throw new QueryError('JOIN_NOT_ALLOWED', at)
  const columns = new Map<string, readonly RelationColumn[]>()
  for (const { name, column } of outputs) columns.set(name, [...(columns.get(name) ?? []), column])
  return {
    relation,
    first: head.first,
    columns,
    outputs,
    // Tables of different inputs are added up and not multiplied; each still meets what the union is joined with.
    tables: [...new Set(inputs.flatMap(({ tables }) => tables))],
  }
}

function mergeTyped(all: readonly Typed[], refuse: () => never): Typed {
  const [head, ...rest] = all
  if (head === undefined) return refuse()
  return rest.reduce<Typed>((left, right) => {
    const nullable = left.type === 'null' || right.type === 'null' || left.nullable || right.nullable
    if (left.type === 'number' && right.type === 'number') {
      // Columns of nested relations are integers in fixed point: both sides must count the same unit.
      if (left.decimals !== right.decimals) return refuse()
      const { domain: _, ...number } = left
      return {
        ...number,
        low: left.low < right.low ? left.low : right.low,
        high: left.high > right.high ? left.high : right.high,
        bounded: left.bounded && right.bounded,
        nullable,
      }
    }
    if (left.type === 'text' && right.type === 'text') {
      const { domain: one, ...text } = left
      const other = right.domain
      if (one === undefined || other === undefined) return { ...text, nullable }
      if (one === 'open' || other === 'open') return { ...text, nullable, domain: 'open' }
      return { ...text, nullable, domain: [...new Set([...one, ...other])] }
    }
    if (left.type === 'boolean' && right.type === 'boolean') return { ...left, nullable }
    return refuse()
  }, head)
}

/**
 * Types `contributor IN (SELECT contributor ...)` and `EXISTS (SELECT ... WHERE inner.contributor =
 * outer.contributor AND ...)`: both keep contributors by what their own rows in other tables say.
 */
function bindSemiJoin(syntax: Syntax & { readonly kind: 'exists' | 'in-query' }, scope: Scope): Condition {
  const { query, span } = syntax
  const refuse = (): never => {
    throw new QueryError('SUBQUERY_NOT_ALLOWED', span)
  }
  if (scope.unit < 0) throw new QueryError('NO_POOL_TABLE', span)
  if (syntax.kind === 'in-query') {
    const sources = scope.contributorSources(syntax.operand)
    const [source] = sources
    if (source === undefined || (sources.length === 1 && scope.optional.has(source))) return refuse()
    const rows = bindRows(query, scope.environment)
    if (rows.outputs.length !== 1 || rows.outputs[0]?.column.kind !== 'contributor') return refuse()
    return { kind: 'member', source: scope.unit, of: rows.relation }
  }
  if (query.kind !== 'select' || query.groupBy.length > 0 || query.having !== null) return refuse()
  // The one condition that reaches outside is the equality of contributors.
  const environment = withCommon(scope.environment, query.common)
  const parts = conjuncts(query.where)
  const names = new Set(query.from.map(({ item }) => (item.kind === 'derived' ? item.alias : (item.alias ?? item.table))))
  const own = (value: Syntax): boolean =>
    value.kind === 'column' && (value.path.length === 1 || names.has(value.path.at(-2) ?? ''))
  const outside = (value: Syntax): boolean =>
    value.kind === 'column' &&
    value.path.length > 1 &&
    !names.has(value.path.at(-2) ?? '') &&
    scope.isContributor(value) &&
    scope.contributorSources(value).every((source) => !scope.optional.has(source))
  const links = parts.filter(
    (part) =>
      part.kind === 'compare' &&
      part.operator === '=' &&
      ((own(part.left) && outside(part.right)) || (own(part.right) && outside(part.left))),
  )
  const [link] = links
  if (link?.kind !== 'compare' || links.length !== 1) return refuse()
  const inner = own(link.left) && !outside(link.left) ? link.left : link.right
  const rest = allOf(parts.filter((part) => part !== link), span)
  const uncorrelated: SelectSyntax = {
    ...query,
    common: [],
    outputs: [{ name: null, value: inner, span: inner.span }],
    where: rest,
  }
  const rows = bindRows(uncorrelated, environment)
  requireUsed(environment, query.common)
  if (rows.outputs[0]?.column.kind !== 'contributor') return refuse()
  return { kind: 'member', source: scope.unit, of: rows.relation }
}

/** Pools whose rows meet anywhere in a statement must all list each other. */
export function checkPoolsOf(environment: Environment, at: Span): void {
  checkPools([...environment.tables].map(({ pool }) => pool), at)
}
