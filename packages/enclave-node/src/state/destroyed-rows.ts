/**
 * Which changes destroy what a copy of the memory must not go on holding.
 * @module
 */
import type { ChangedRow } from './change-capture.js'
import type { KnownRows } from './known-rows.js'

/** Tables whose rows go all the time and hold nothing of anybody. */
const passing: ReadonlySet<string> = new Set([
  'chain_blocks',
  'revoked_tokens',
  'verdict_lists',
  'verdict_parts',
])
/**
 * Beginnings of names in `meta` whose notes go all the time: what homes have signed, which others hold too, and until when wallets were let
 * in. A home's own share, a hand-off's secret and a renewed header are none of them.
 */
const passingNotes: readonly string[] = [
  'given-shares ',
  'presented credential ',
  'share-refusals ',
  'taken-shares ',
]
/** Tables of whose rows parts are destroyed, and nothing else ever changes. */
const partly: ReadonlySet<string> = new Set(['verdict_disputes'])

/**
 * Whether a change destroys something. That something was deleted is noted (`deletions`) in the transaction that destroys parts of other
 * rows, too.
 * @param known rows before it
 */
export function destroys({ table, key, row }: ChangedRow, known: KnownRows): boolean {
  if (table === 'deletions') return true
  if (known.get(table)?.has(key) !== true) return false
  return row === null ? !passes(table, key) : partly.has(table)
}

function passes(table: string, key: string): boolean {
  // A key is the JSON of a list.
  return passing.has(table) || (table === 'meta' && passingNotes.some((note) => key.startsWith(`["${note}`)))
}
