/**
 * What a node remembers in its own state of the heads that it has given away: of each peer the head that it has kept, and those that were
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
  /** Sent between the two, and not answered: a peer may be slow to take one, and have it only after the next was sent. Absent: none. */
  readonly late?: readonly HeadMark[]
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
/** Heads that are remembered of one peer as not answered: beyond, the peer counts as one that may have lost something. */
const mostLate = 64
/** A book as JSON. */
export const headBookSchema = z.strictObject({
  line: z.int().min(0),
  peers: z.record(
    z.string().regex(/^0x[0-9a-f]{40}$/),
    z.strictObject({
      kept: mark.nullable(),
      sent: mark.nullable(),
      late: z.exactOptional(z.array(mark).max(mostLate)),
    }),
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
 * Notes a head that is about to be sent.
 * @param peer what it has now; `lost`: it has lost what it had taken, and may find it again
 * @returns what the peer may have from then on
 */
export function withSent(
  { kept, sent, late = [] }: GivenHeads,
  peer: { readonly has: HeadMark | null; readonly lost: boolean },
  next: HeadMark,
): GivenHeads {
  const before = sent === null ? late : [...late, sent]
  // A head is taken in the place of the one that it was sent for, and of no other: once the peer has another, none of the earlier ones comes.
  const isOpen = peer.has?.digest === kept?.digest
  const isLost = peer.lost || (isOpen && before.length > mostLate)
  const newestKept = (isLost ? before : []).reduce(newest, newest(kept, peer.has))
  return {
    kept: newestKept,
    sent: next,
    ...(isOpen && !isLost && before.length > 0 ? { late: before } : {}),
  }
}

function newest(first: HeadMark | null, second: HeadMark | null): HeadMark | null {
  if (first === null || second === null) return first ?? second
  return compareMarks(first, second) < 0 ? second : first
}

/**
 * What it means that a peer has a head.
 * `known`: the newest that it took, or one that was sent since; `behind`: an older one, or none: the peer has lost what it had kept, or this
 * state was restored by order since; `ahead`: the peer has seen a newer state, or another one, than this disk has
 */
export type HeadStanding = 'known' | 'behind' | 'ahead'

/** @param found what the peer has, signed by this very node; null: nothing */
export function standingOfHead(
  book: HeadBook,
  peer: Address,
  found: Pick<SignedHead, 'mark'> | null,
): HeadStanding {
  const { kept, sent, late = [] } = givenTo(book, peer)
  if (found === null) return kept === null ? 'known' : 'behind'
  const { mark: its } = found
  if ([kept, sent, ...late].some((one) => one?.digest === its.digest)) return 'known'
  if (its.line < book.line) return 'behind'
  return kept !== null && compareMarks(its, kept) < 0 ? 'behind' : 'ahead'
}
