import { QueryError } from '../errors.js'
import type { SelectSyntax, Syntax } from '../parse/syntax.js'
import type { Condition } from '../type/expression.js'
import { allOf, conjuncts, requireUsed, withCommon } from './environment.js'
import { bindRows } from './rows.js'
import type { Scope } from './scope.js'

/**
 * Types `contributor IN (SELECT contributor ...)` and `EXISTS (SELECT ... WHERE inner.contributor =
 * outer.contributor AND ...)`: both keep contributors by what their own rows in other tables say.
 */
export function bindSemiJoin(
  syntax: Syntax & { readonly kind: 'exists' | 'in-query' },
  scope: Scope,
): Condition {
  const { query, span } = syntax
  const refuse = (): never => {
    throw new QueryError('SUBQUERY_NOT_ALLOWED', span)
  }
  if (scope.unit < 0) throw new QueryError('NO_POOL_TABLE', span)
  if (syntax.kind === 'in-query') {
    if (!scope.isUnit(syntax.operand)) return refuse()
    const rows = bindRows(query, scope.environment)
    if (rows.outputs.length !== 1 || rows.outputs[0]?.column.kind !== 'contributor') return refuse()
    return { kind: 'member', sources: scope.units, of: rows.relation }
  }
  if (query.kind !== 'select' || query.groupBy.length > 0 || query.having !== null) return refuse()
  // The one condition that reaches outside is the equality of contributors.
  const environment = withCommon(scope.environment, query)
  const parts = conjuncts(query.where)
  const names = new Set(
    query.from.map(({ item }) => (item.kind === 'derived' ? item.alias : (item.alias ?? item.table))),
  )
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
  const rest = allOf(
    parts.filter((part) => part !== link),
    span,
  )
  const uncorrelated: SelectSyntax = {
    ...query,
    common: [],
    outputs: [{ name: null, value: inner, span: inner.span }],
    where: rest,
  }
  const rows = bindRows(uncorrelated, environment)
  requireUsed(environment, query.common)
  if (rows.outputs[0]?.column.kind !== 'contributor') return refuse()
  return { kind: 'member', sources: scope.units, of: rows.relation }
}
