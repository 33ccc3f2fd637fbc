import { contributorColumn, walletColumn } from '../catalogue/catalogue.js'
import { checkTableGrant } from '../enforce/grant.js'
import { checkCopies, checkPools } from '../enforce/join.js'
import { rowRuleOf } from '../enforce/row-rule.js'
import type { Purpose } from '../enforce/use.js'
import { QueryError, type Span } from '../errors.js'
import type { DerivedSyntax, QuerySyntax, SelectSyntax, Syntax, TableSyntax } from '../parse/syntax.js'
import type { Condition } from '../type/expression.js'
import { blockRowBound, expressionOf, type FromItem, type SelectRelation, unitsOf } from '../type/relation.js'
import { allOf, conjuncts, type Environment, requireUsed, withCommon } from './environment.js'
import { requireOtherName, requireOwnName } from './own-name.js'
import { namedPublic, publicMatches } from './public-relation.js'
import {
  type BoundRows,
  everyUse,
  type NamedRelation,
  type RelationColumn,
  readBack,
} from './relation-column.js'
import { isReleasedQuery } from './released-query.js'
import { makeScope, type Scope } from './scope.js'
import { bindSemiJoin } from './semi-join.js'
import { unionRows } from './union.js'
import { bindCondition, bindValue, formOf } from './value.js'

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
  const rules: Condition[] = []
  let pending = conjuncts(syntax.where)
  let unit = -1
  const whole = syntax.from[0]?.span ?? syntax.span
  const scopeNow = (rows = 1): Scope =>
    makeScope({
      environment,
      relations: [...relations],
      optional,
      unit,
      units: unitsOf({ from, unit }),
      rows,
      isReleased: (query) => isReleasedQuery(query, environment),
      semiJoin: bindSemiJoin,
    })
  for (const [position, entry] of syntax.from.entries()) {
    const named = bindItem(entry.item, environment)
    if (
      relations.some(
        ({ name, pool }) =>
          name === named.name && (pool === null || named.pool === null || pool === named.pool),
      )
    ) {
      throw new QueryError('JOIN_NOT_ALLOWED', entry.span)
    }
    const before = scopeNow()
    relations.push(named)
    if (entry.join === 'left' || entry.join === 'full') optional.add(position)
    const isPublic = named.relation.kind === 'public'
    const refuse = (): never => {
      throw new QueryError('JOIN_NOT_ALLOWED', entry.span)
    }
    const rule = named.rule?.(position) ?? null
    // What LEFT JOIN must not find is left out where it looks; everything else is left out of all rows.
    const full = syntax.from[1]?.join === 'full' && position < 2
    if (rule !== null && entry.join !== 'left' && !full) rules.push(rule)
    const early = rule !== null && full ? { before: rule } : {}
    // Two relations of contributors, and no third one that would be joined to a contributor who is missing.
    if (entry.join === 'full' && (isPublic || position !== 1 || unit !== 0)) refuse()
    if (position > 1 && !isPublic && syntax.from[1]?.join === 'full') refuse()
    if (isPublic) {
      const conditions = conjuncts(entry.on)
      if (entry.using !== null) refuse()
      const bound = scopeNow()
      const on = entry.on === null ? null : bindCondition(entry.on, bound)
      const matches = publicMatches(
        named,
        position,
        [...conditions, ...(entry.join === 'left' ? [] : pending)],
        bound,
        before,
      )
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
      from.push({ relation: named.relation, join: entry.join, contributor: false, on, ...early })
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
    const found = join === 'left' ? bothHold(rule, on) : on
    if (join === 'full') {
      // Beside the contributor nothing may decide what is matched: PostgreSQL cannot, and it would add rows on both sides.
      if (on !== null) refuse()
      optional.add(0)
    }
    from.push({ relation: named.relation, join, contributor: true, on: found, ...early })
  }
  if (unit < 0) throw new QueryError('NO_POOL_TABLE', whole)
  checkCopies(
    relations.flatMap(({ tables }) => tables),
    whole,
  )
  const rows = blockRowBound({ from })
  if (!Number.isFinite(rows)) throw new QueryError('JOIN_NOT_ALLOWED', whole)
  const scope = scopeNow(rows)
  const rest = allOf(pending, syntax.span)
  const where = rest === null ? null : bindCondition(rest, scope)
  return { from, where: [...rules, where].reduce(bothHold, null), scope }
}

function bothHold(first: Condition | null, second: Condition | null): Condition | null {
  if (first === null || second === null) return first ?? second
  return { kind: 'and', operands: [first, second] }
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

function bindItem(item: TableSyntax | DerivedSyntax, environment: Environment): NamedRelation {
  requireOtherName(item.alias, item.span)
  if (item.kind === 'derived') return namedRows(item.alias, bindRows(item.query, environment))
  const { pool, table, span } = item
  if (pool === null) {
    const common = environment.common.get(table)
    const entry = environment.commonOf.get(table)
    if (common === undefined || entry === undefined) throw new QueryError('TABLE_UNKNOWN', span)
    environment.used.add(entry)
    return namedRows(item.alias ?? table, bindRows(common.query, within(common.environment, environment)))
  }
  if (item.series !== undefined) {
    const { column, from, to } = item.series
    const reserved = column === contributorColumn || column === walletColumn
    if (reserved || !/^[a-z][a-z0-9_]{0,62}$/.test(column)) throw new QueryError('CLAUSE_NOT_ALLOWED', span)
    return namedPublic(
      {
        schema: '',
        name: table,
        columns: [{ name: column, type: 'integer' }],
        rows: Array.from({ length: to - from + 1 }, (_, index) => [from + index]),
      },
      item,
    )
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
  for (const column of found.table.columns)
    columns.set(column.name, [{ kind: 'policy', owner: found, column }])
  columns.set(contributorColumn, [{ kind: 'contributor' }])
  return {
    name: item.alias ?? table,
    pool: item.alias === null ? pool : null,
    relation: { kind: 'table', pool, table, rows: found.table.rowsPerContributor },
    columns,
    tables: [found],
    rule: (source) => rowRuleOf(found.table, source),
  }
}

/** A query of WITH sees the names of its own place; what it reaches counts where it is used. */
function within(own: Environment, user: Environment): Environment {
  return { ...own, tables: user.tables, reached: user.reached }
}

function namedRows(name: string, { relation, columns, tables }: BoundRows): NamedRelation {
  return { name, pool: null, relation, columns, tables }
}

/**
 * Types a query whose rows belong to contributors: a subquery of FROM, WITH, EXISTS or IN.
 *
 * @throws QueryError `SUBQUERY_NOT_ALLOWED` when it limits, orders or aggregates across contributors
 */
export function bindRows(query: QuerySyntax, outer: Environment): BoundRows {
  const environment = withCommon(outer, query)
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
  const groupKeys = syntax.groupBy
    .map((entry) => ordinal(entry, syntax))
    .filter((entry) => !scope.isUnit(entry))
  const keys = groupKeys.map((entry) => ({ typed: bindValue(entry, scope, 'carry'), span: entry.span }))
  const perContributor = grouped ? { keys: new Set(keys.map(({ typed }) => formOf(typed))) } : null
  const inner: Scope = { ...scope, allowed: { windows: !grouped, perContributor } }
  const outputs = syntax.outputs.map(({ name, value, span }, index) => {
    const outputName = name ?? defaultName(value)
    if (!scope.isContributor(value)) requireOwnName(outputName, value, span)
    if (scope.isUnit(value)) {
      return { name: outputName, column: { kind: 'contributor' } as const, typed: null, program: null }
    }
    const collector = { uses: new Set(everyUse) }
    const typed = bindValue(value, { ...inner, collector }, 'carry')
    const internal = `c${index}`
    const uses: ReadonlySet<Purpose> = collector.uses
    const column: RelationColumn = {
      kind: 'value',
      read: (source) => readBack(typed, source, internal),
      uses,
    }
    return { name: outputName, column, typed, program: { name: internal, value: expressionOf(typed) } }
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
    perContributor: grouped ? keys.map(({ typed }) => expressionOf(typed)) : null,
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

/** Pools whose rows meet anywhere in a statement must all list each other. */
export function checkPoolsOf(environment: Environment, at: Span): void {
  checkPools(
    [...environment.tables].map(({ pool }) => pool),
    at,
  )
}
