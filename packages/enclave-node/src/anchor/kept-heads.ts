/**
 * The newest head of each node that this one keeps heads for. It never goes back, and outlives the keeper's own restarts with its state.
 * @module
 */
import type { Address, SignedStatement } from '@sealpool/crypto'
import { getMeta, setMeta } from '../state/meta-table.js'
import type { Sql } from '../state/state-store.js'
import { compareMarks, type SignedHead } from './state-head.js'

/** What is kept of one node. */
export interface KeptHead {
  readonly head: SignedStatement
  /** Two different heads of one version that the node has signed, the first such pair; null: it never did. */
  readonly conflict: readonly [SignedStatement, SignedStatement] | null
}

const keyOf = (node: Address): string => `kept state head ${node}`

/** @returns what is kept of a node, undefined when nothing is */
export async function readKeptHead(sql: Sql, node: Address): Promise<KeptHead | undefined> {
  const text = await getMeta(sql, keyOf(node))
  return text === undefined ? undefined : (JSON.parse(text) as KeptHead)
}

/** Writes what is kept of a node, in the place of what was. */
export function writeKeptHead(tx: Sql, node: Address, kept: KeptHead): Promise<void> {
  return setMeta(tx, keyOf(node), JSON.stringify(kept))
}

/** What comes of a head that a node wants to have kept. */
export type HeadOutcome =
  /** It is kept from now on, or was before. */
  | 'kept'
  /** Another one is kept than the node believes, and stays. */
  | 'differs'
  /** Another one of this very version is kept, and stays: the node has signed both. */
  | 'conflict'

/**
 * Decides about a head.
 * @param kept what is kept of the node; null: nothing
 * @param given the head, and `previous`: digest of the one that the node believes to be kept
 */
export function decideHead(
  kept: SignedHead | null,
  given: { readonly head: SignedHead; readonly previous: string | null },
): HeadOutcome {
  const { mark } = given.head
  if (kept === null) return given.previous === null ? 'kept' : 'differs'
  if (kept.mark.digest === mark.digest) return 'kept'
  const order = compareMarks(mark, kept.mark)
  if (order === 0) return 'conflict'
  return order > 0 && given.previous === kept.mark.digest ? 'kept' : 'differs'
}
