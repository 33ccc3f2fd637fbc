/**
 * Holds what a peer remembers of this node against the node's own state.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { ledgerEntryAt } from '../state/budget-anchor.js'
import type { Sql } from '../state/state-store.js'
import { type HeadBook, type HeadStanding, standingOfHead } from './head-book.js'
import type { SignedHead } from './state-head.js'

/** A peer's word on this node. */
export interface PeersWord {
  readonly address: Address
  readonly url: string
  /** What it has kept of this node; null: nothing. */
  readonly found: SignedHead | null
}

/**
 * @param state `book`: what was given away; `version`: of the state as it was opened
 * @returns `known`, or `behind` when the peer itself has lost something
 * @throws NodeError `STATE_ROLLED_BACK` naming the peer, the version that it knows and the one that is here
 */
export async function requireNotBehindPeer(
  sql: Sql,
  state: { readonly book: HeadBook; readonly version: number },
  { address, url, found }: PeersWord,
): Promise<Exclude<HeadStanding, 'ahead'>> {
  if (found === null) return standingOfHead(state.book, address, null) === 'known' ? 'known' : 'behind'
  const standing = standingOfHead(state.book, address, found)
  if (standing === 'behind') await requireBudgets(sql, { address, url, found })
  if (standing !== 'ahead') return standing
  const { line, version } = found.head
  const isOther = line === state.book.line && version <= state.version
  throw rolledBack(
    `peer ${address} at ${url} has seen version ${version} of line ${line} of this node's state, and this data directory ${
      isOther ? 'has gone another way since' : 'is older'
    }: it has version ${state.version} of line ${state.book.line}; put back the newest copy, or restore a backup by order (sealpool-node restore)`,
  )
}

/**
 * Sees to it that no charge is missing that a peer has seen: whatever else was lost with a disk is done again, a charge would be spent twice.
 * @throws NodeError `STATE_ROLLED_BACK`
 */
export async function requireBudgets(sql: Sql, { address, url, found }: PeersWord): Promise<void> {
  for (const { pool, version, head } of found?.head.budgets ?? []) {
    const entry = await ledgerEntryAt(sql, pool, version)
    if (entry?.hash === head) continue
    throw rolledBack(
      `peer ${address} at ${url} has seen version ${version} (${head}) of the budget ledger of pool ${pool}, and this state has ${
        entry === undefined ? 'only earlier ones' : 'another entry of that version'
      }; a copy with version ${version} or newer is needed`,
    )
  }
}

function rolledBack(why: string): NodeError {
  return new NodeError('STATE_ROLLED_BACK', 'data directory', why)
}
