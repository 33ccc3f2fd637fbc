/**
 * What a node remembers in its own state of the heads that it has given away: of each peer the head that it has kept, and the one that was
 * sent since and may have come there or not. A peer that shows any other newer one has seen a state that this disk has not.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import { getMeta, setMeta } from '../state/meta-table.js'
import type { Sql } from '../state/state-store.js'
import { compareMarks, type HeadMark, type SignedHead } from './state-head.js'

/** Heads that one peer may have. */
export type GivenHeads = {
  /** It has taken this one. */
  readonly kept: HeadMark | null
  /** Sent afterwards; null when nothing was. */
  readonly sent: HeadMark | null
}

/** All that was given away. */
export type HeadBook = {
  /** How often the state was restored by order. */
  readonly line: number
  readonly peers: Readonly<Record<Address, GivenHeads>>
}

const mark = z.strictObject({
  line: z.int().min(0),
  version: z.int().min(0),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) as z.ZodType<HeadMark['digest']>,
})
/** A book as JSON. */
export const headBookSchema = z.strictObject({
  line: z.int().min(0),
  peers: z.record(
    z.string().regex(/^0x[0-9a-f]{40}$/),
    z.strictObject({ kept: mark.nullable(), sent: mark.nullable() }),
  ) as z.ZodType<HeadBook['peers']>,
})

const bookKey = 'state heads given away'

/** @returns the book of a state; an empty one where nothing was given away yet */
export async function readHeadBook(sql: Sql): Promise<HeadBook> {
  const text = await getMeta(sql, bookKey)
  if (text === undefined) return { line: 0, peers: {} }
  const read = headBookSchema.safeParse(JSON.parse(text))
  if (read.success) return read.data
  throw new NodeError('STATE_UNREADABLE', bookKey, 'what is kept of it has another form')
}

/** Writes the book. */
export function writeHeadBook(tx: Sql, book: HeadBook): Promise<void> {
  return setMeta(tx, bookKey, JSON.stringify(book))
}

/** @returns what one peer may have */
export function givenTo({ peers }: HeadBook, peer: Address): GivenHeads {
  return peers[peer] ?? { kept: null, sent: null }
}

/**
 * What it means that a peer has a head.
 * `known`: the newest that it took, or the one that was sent since; `behind`: an older one, or none: the peer has lost what it had kept, or this
 * state was restored by order since; `ahead`: the peer has seen a newer state, or another one, than this disk has
 */
export type HeadStanding = 'known' | 'behind' | 'ahead'

/** @param found what the peer has, signed by this very node; null: nothing */
export function standingOfHead(
  book: HeadBook,
  peer: Address,
  found: Pick<SignedHead, 'mark'> | null,
): HeadStanding {
  const { kept, sent } = givenTo(book, peer)
  if (found === null) return kept === null ? 'known' : 'behind'
  const { mark: its } = found
  if (its.digest === kept?.digest || its.digest === sent?.digest) return 'known'
  if (its.line < book.line) return 'behind'
  return kept !== null && compareMarks(its, kept) < 0 ? 'behind' : 'ahead'
}
