import type { QuerySyntax, SelectSyntax, Syntax } from '../parse/syntax.js'
import { type Environment, withCommon } from './environment.js'
import { bindBlock } from './rows.js'

/**
 * Whether the rows of a query are released numbers and not rows of contributors: it aggregates over contributors, or
 * reads only queries that do. Grouping by the contributor keeps its rows private.
 *
 * @throws QueryError what binding FROM throws
 */
export function isReleasedQuery(query: QuerySyntax, outer: Environment): boolean {
  const environment = withCommon(outer, query)
  if (query.kind === 'union') {
    const [first] = query.inputs
    return first !== undefined && isReleasedQuery(first, environment)
  }
  if (query.from.length === 0 || readsReleased(query, environment)) return true
  const parts = [...query.outputs.map(({ value }) => value), ...query.orderBy.map(({ value }) => value)]
  if (query.having !== null) parts.push(query.having)
  if (query.groupBy.length === 0) return parts.some(hasAggregate) || query.sets.length > 1
  const { scope } = bindBlock(query, { ...environment, reached: new Set(), tables: new Set() })
  return !query.groupBy.some((entry) => scope.isContributor(named(entry, query)))
}

/** Whether an item of FROM is a released query. */
export function readsReleased(query: SelectSyntax, environment: Environment): boolean {
  return query.from.some(({ item }) => {
    if (item.kind === 'derived') return isReleasedQuery(item.query, environment)
    const common = item.pool === null ? environment.common.get(item.table) : undefined
    return common !== undefined && isReleasedQuery(common.query, common.environment)
  })
}

function named(entry: Syntax, query: SelectSyntax): Syntax {
  if (entry.kind !== 'literal' || entry.value.type !== 'number') return entry
  return query.outputs[Number(entry.value.text) - 1]?.value ?? entry
}

/** Whether an aggregate stands anywhere in it, nested queries aside. */
export function hasAggregate(value: unknown): boolean {
  const pending: unknown[] = [value]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (Array.isArray(next)) pending.push(...next)
    else if (typeof next === 'object' && next !== null) {
      const kind = 'kind' in next ? next.kind : null
      if (kind === 'aggregate') return true
      if (kind === 'select' || kind === 'union') continue
      pending.push(...Object.values(next))
    }
  }
  return false
}
