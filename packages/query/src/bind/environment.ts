import type { Catalogue, CatalogueTable } from '../catalogue/catalogue.js'
import type { Grant } from '../enforce/grant.js'
import { QueryError, type Span } from '../errors.js'
import type { CommonSyntax, LiteralValue, QuerySyntax, Syntax } from '../parse/syntax.js'
import { requireOtherName } from './own-name.js'

/** A value for `$n`. */
export type ParameterValue = string | number | boolean | null

/** What names of a whole statement are resolved against, and what was reached so far. */
export interface Environment {
  readonly catalogue: Catalogue
  readonly grant: Grant
  readonly parameters: readonly ParameterValue[]
  /** Columns that the statement reaches, in any clause, as `pool.table.column`. */
  readonly reached: Set<string>
  /** Tables that the statement reaches. */
  readonly tables: Set<CatalogueTable>
  /** Queries of WITH that can be seen from here; each sees those before it. */
  readonly common: ReadonlyMap<string, { readonly query: QuerySyntax; readonly environment: Environment }>
  /** Names of WITH that something has used. */
  readonly used: Set<CommonSyntax>
  readonly commonOf: ReadonlyMap<string, CommonSyntax>
  /** Counts queries that were looked at: a name of WITH is bound anew wherever it is used. */
  readonly effort: { queries: number }
}

/** Most queries that are looked at for one statement, each use of a name of WITH counted. */
const mostQueries = 4000

/**
 * Enters a query: adds the queries of its WITH; those that are there already stay.
 *
 * @throws QueryError `TABLE_UNKNOWN` when a name hides a pool, a table or another query, `TOO_LARGE` when names that use each other
 *   unfold into too many queries
 */
export function withCommon(
  environment: Environment,
  { common, span }: Pick<QuerySyntax, 'common' | 'span'>,
): Environment {
  environment.effort.queries += 1
  if (environment.effort.queries > mostQueries) throw new QueryError('TOO_LARGE', span)
  let inner = environment
  for (const entry of common) {
    if (inner.commonOf.get(entry.name) === entry) continue
    requireOtherName(entry.name, entry.span)
    const taken = inner.catalogue.pools.some(
      ({ name, policy }) => name === entry.name || policy.tables.some((table) => table.name === entry.name),
    )
    const schema = inner.catalogue.publicTables.some(
      (table) => table.schema === entry.name || table.name === entry.name,
    )
    if (taken || schema || inner.common.has(entry.name)) throw new QueryError('TABLE_UNKNOWN', entry.span)
    const before = inner
    inner = {
      ...inner,
      common: new Map([...inner.common, [entry.name, { query: entry.query, environment: before }]]),
      commonOf: new Map([...inner.commonOf, [entry.name, entry]]),
    }
  }
  return inner
}

/**
 * Refuses queries of WITH that nothing uses: they were never looked at.
 *
 * @throws QueryError `CLAUSE_NOT_ALLOWED`
 */
export function requireUsed(environment: Environment, common: readonly CommonSyntax[]): void {
  for (const entry of common) {
    if (!environment.used.has(entry)) throw new QueryError('CLAUSE_NOT_ALLOWED', entry.span)
  }
}

/** The literal that an expression is, parameters included; null for anything else. */
export function literalOf(value: Syntax, parameters: readonly ParameterValue[]): LiteralValue | null {
  if (value.kind === 'literal') return value.value
  if (value.kind === 'negate') {
    const inner = literalOf(value.operand, parameters)
    if (inner?.type !== 'number') return null
    return { type: 'number', text: inner.text.startsWith('-') ? inner.text.slice(1) : `-${inner.text}` }
  }
  if (value.kind !== 'parameter') return null
  const parameter = parameters[value.number - 1]
  if (parameter === undefined) throw new QueryError('PARAMETER_UNKNOWN', value.span)
  if (parameter === null) return { type: 'null' }
  if (typeof parameter === 'boolean') return { type: 'boolean', value: parameter }
  if (typeof parameter === 'number') return { type: 'number', text: String(parameter) }
  return { type: 'text', text: parameter }
}

/** Parts of a condition that must all hold. */
export function conjuncts(syntax: Syntax | null): readonly Syntax[] {
  if (syntax === null) return []
  return syntax.kind === 'and' ? syntax.operands.flatMap(conjuncts) : [syntax]
}

/** The condition that all parts hold; null for none. */
export function allOf(parts: readonly Syntax[], span: Span): Syntax | null {
  const [first] = parts
  if (first === undefined) return null
  return parts.length === 1 ? first : { kind: 'and', operands: parts, span }
}
