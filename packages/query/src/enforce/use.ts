import type { PolicyColumn } from '../catalogue/catalogue.js'
import { QueryError, type Span } from '../errors.js'

/** What a statement does with a column. */
export type Purpose = 'condition' | 'measure' | 'presence'

/**
 * Refuses uses of a column that the policy does not list. A column that may be grouped by may also be compared: its
 * groups tell as much. Counting whether a value is present needs any of the uses.
 *
 * @throws QueryError `COLUMN_NOT_FILTERABLE`, `COLUMN_NOT_MEASURABLE`
 */
export function checkUse(column: PolicyColumn, purpose: Purpose, at: Span): void {
  if (purpose === 'measure' && !column.use.includes('measure')) {
    throw new QueryError('COLUMN_NOT_MEASURABLE', at)
  }
  if (purpose === 'condition' && !column.use.includes('filter') && !column.use.includes('group')) {
    throw new QueryError('COLUMN_NOT_FILTERABLE', at)
  }
  if (purpose === 'presence' && column.use.length === 0) throw new QueryError('COLUMN_NOT_FILTERABLE', at)
}
