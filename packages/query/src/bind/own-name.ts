import { contributorColumn, walletColumn } from '../catalogue/catalogue.js'
import { QueryError, type Span } from '../errors.js'
import type { Syntax } from '../parse/syntax.js'

/**
 * Refuses a value that is called as the contributor is, in letters of any case: whoever reads the statement, or joins on the name,
 * would take it for one. A table's own column of that name keeps it.
 *
 * @throws QueryError `NAME_RESERVED`
 */
export function requireOwnName(name: string, value: Syntax, at: Span): void {
  if (value.kind === 'column' && value.path.at(-1) === name) return
  requireOtherName(name, at)
}

/**
 * Refuses a name of rows (an alias of FROM, a query of WITH) that is the contributor's: `wallet.bonus` reads as what it is not.
 *
 * @throws QueryError `NAME_RESERVED`
 */
export function requireOtherName(name: string | null, at: Span): void {
  const folded = name?.toLowerCase()
  if (folded === contributorColumn || folded === walletColumn) throw new QueryError('NAME_RESERVED', at)
}
