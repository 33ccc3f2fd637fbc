import type { PolicyColumn } from '../catalogue/catalogue.js'
import { QueryError, type Span } from '../errors.js'

/** What a statement does with a column. */
export type Purpose = 'condition' | 'measure' | 'presence' | 'group'

/**
 * Refuses uses of a column that the policy does not list. A column that may be grouped by may also be compared: its
 * groups tell as much. Counting whether a value is present needs any of the uses.
 *
 * @throws QueryError `COLUMN_NOT_FILTERABLE`, `COLUMN_NOT_MEASURABLE`
 */
export function checkUse(column: PolicyColumn, purpose: Purpose, at: Span): void {
  requireUse(usesOf(column), purpose, at)
}

/** Everything that a policy lets be done with a column. */
export function usesOf({ use }: Pick<PolicyColumn, 'use'>): ReadonlySet<Purpose> {
  const uses = new Set<Purpose>()
  if (use.length > 0) uses.add('presence')
  if (use.includes('measure')) uses.add('measure')
  if (use.includes('group')) uses.add('group')
  if (use.includes('filter') || use.includes('group')) uses.add('condition')
  return uses
}

/** @throws QueryError `COLUMN_NOT_FILTERABLE`, `COLUMN_NOT_MEASURABLE`, `GROUP_NOT_PUBLIC` */
export function requireUse(uses: ReadonlySet<Purpose>, purpose: Purpose, at: Span): void {
  if (uses.has(purpose)) return
  if (purpose === 'group') throw new QueryError('GROUP_NOT_PUBLIC', at)
  throw new QueryError(purpose === 'measure' ? 'COLUMN_NOT_MEASURABLE' : 'COLUMN_NOT_FILTERABLE', at)
}
