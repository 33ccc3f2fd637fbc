import type { Address, Digest } from '@sealpool/crypto'
import {
  digestText,
  hexText,
  integer,
  isoText,
  list,
  nullable,
  oneOf,
  optional,
  record,
  type Schema,
  schema,
  text,
} from '../shape/shape.js'

/** Kind of the statement, without its version. */
export const deletionsType = 'sealpool/deletions'
/** Version of the statement. */
export const deletionsVersion = 1
/** Most entries of one list. */
export const maximumDeletions = 200

/**
 * What was deleted: `rows` are the files of one refinement (which tables they are of is not told), `copy` a contribution's sealed file in the blob store, `contribution` what the
 * node's state held of a contribution, `answer` a job's sealed answer with its plan and manifest, `facts` a set of signed facts.
 */
export const deletionKinds = ['rows', 'copy', 'contribution', 'answer', 'facts'] as const

/**
 * Why: its time is over (`expired`), what it belonged to has ended (`ended`), newer rows took its place (`superseded`), nothing
 * names it (`orphaned`), or the pool keeps no copies any more (`live`).
 */
export const deletionReasons = ['expired', 'ended', 'superseded', 'orphaned', 'live'] as const

/** One thing that is gone, by the word of the node. */
export type Deletion = {
  kind: (typeof deletionKinds)[number]
  /** Null when it belonged to no one pool. */
  pool: Address | null
  /** Its name, for example `contribution 7`, `refinement 3`, `job 12`, or a copy's digest; nothing of its content. */
  object: string
  /** SHA-256 of the bytes that are gone, where the node knew it. */
  digest: Digest | null
  reason: (typeof deletionReasons)[number]
  /** What of it stays, and is no content: a keyed fingerprint, so that the same content is not paid for again. */
  kept?: 'fingerprint'[]
}

/** What a node states about its deletions: the body of a `sealpool/deletions` statement of version 1. */
export type DeletionList = {
  /** 1 for the node's first list, then one more each time. */
  number: number
  /** Digest of the statement of the list before; null for the first. */
  previous: Digest | null
  /** ISO, chain time at which the list was closed. */
  at: string
  keySet: Digest
  entries: Deletion[]
}

/** Schema of {@link DeletionList}; unknown fields are refused. */
export const deletionListSchema: Schema<DeletionList> = /* @__PURE__ */ (() =>
  schema(
    'BAD_RECEIPT',
    'deletions',
    'Not a list of deletions',
    record<DeletionList>({
      number: integer(1),
      previous: nullable(digestText),
      at: isoText('time'),
      keySet: digestText,
      entries: list(
        record<Deletion>({
          kind: oneOf(deletionKinds),
          pool: nullable(hexText(20)),
          object: text({ min: 1, max: 200 }),
          digest: nullable(digestText),
          reason: oneOf(deletionReasons),
          kept: optional(list(oneOf(['fingerprint']), { min: 1, max: 1 })),
        }),
        { min: 1, max: maximumDeletions },
      ),
    }),
  ))()
