import { type CatalogueTable, contributorColumn } from '../catalogue/catalogue.js'
import { QueryError } from '../errors.js'
import type { SelectSyntax, Syntax } from '../parse/syntax.js'

/**
 * A join must be on the contributor and on nothing else: then each joined row belongs to one contributor, and leaving
 * one contributor out changes at most as many rows as the two tables keep for each. Both pools must list each other.
 *
 * @throws QueryError `JOIN_NOT_ALLOWED`
 */
export function checkJoin(
  { join, from }: SelectSyntax,
  sources: readonly CatalogueTable[],
  names: readonly string[],
  scope: { isContributor(value: Syntax): boolean },
): void {
  const [left, right] = sources
  if (join === null || left === undefined || right === undefined) return
  const refuse = (): never => {
    throw new QueryError('JOIN_NOT_ALLOWED', join.span)
  }
  if (from.length !== 2 || names[0] === names[1]) refuse()
  if (join.kind === 'using') {
    if (join.columns.length !== 1 || join.columns[0] !== contributorColumn) refuse()
  } else if (!joinsOnContributor(join.condition, scope)) refuse()
  if (left.pool === right.pool) {
    // Tables of one pool always join; a table with itself would be a product of a contributor's own rows.
    if (left.table === right.table) refuse()
    return
  }
  for (const [one, other] of [
    [left.pool, right.pool],
    [right.pool, left.pool],
  ] as const) {
    if (!one.policy.joins.allowed || !one.policy.joins.with.includes(other.name)) refuse()
  }
}

function joinsOnContributor(condition: Syntax, scope: { isContributor(value: Syntax): boolean }): boolean {
  if (condition.kind !== 'compare' || condition.operator !== '=') return false
  const { left, right } = condition
  if (left.kind !== 'column' || right.kind !== 'column') return false
  // Both sides must be qualified, by different tables.
  if (left.path.length < 2 || right.path.length < 2 || left.path.join('.') === right.path.join('.'))
    return false
  return scope.isContributor(left) && scope.isContributor(right)
}
