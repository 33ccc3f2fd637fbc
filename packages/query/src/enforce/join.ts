import type { CatalogueTable, PlanPool } from '../catalogue/catalogue.js'
import { QueryError, type Span } from '../errors.js'

/**
 * Pools whose tables meet in one release, by a join, a union or a condition, must all list each other: the strictest
 * rule wins.
 *
 * @throws QueryError `JOIN_NOT_ALLOWED`
 */
export function checkPools(pools: readonly PlanPool[], at: Span): void {
  for (const one of pools) {
    for (const other of pools) {
      if (one === other) continue
      if (!one.policy.joins.allowed || !one.policy.joins.with.includes(other.name)) {
        throw new QueryError('JOIN_NOT_ALLOWED', at)
      }
    }
  }
}

/**
 * A table joined with itself is a product of each contributor's own rows, however it is nested: noise for it would
 * hide nothing but be everything.
 *
 * @throws QueryError `JOIN_NOT_ALLOWED`
 */
export function checkCopies(tables: readonly CatalogueTable[], at: Span): void {
  if (new Set(tables).size < tables.length) throw new QueryError('JOIN_NOT_ALLOWED', at)
}
