/**
 * Deletes what the node keeps no longer, and signs for it.
 * @module
 */
import { type BlobStore, BlobStoreError } from '@sealpool/client'
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import type { JobRetention, PoolRetention } from '../config/retention-settings.js'
import { NodeError } from '../errors.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import type { ServedPool } from '../ingest/served-pool.js'
import {
  countDue,
  dropDeletions,
  listsFrom,
  markDeleted,
  type NotedDeletion,
  notedDeletions,
} from '../state/deletion-table.js'
import { filesOfRefinements, forgetBlob, isCopyNeeded } from '../state/expired-rows.js'
import { forgetPresented } from '../state/presented-credential.js'
import { forgetVerdictLists } from '../state/verdict-list-table.js'
import { givenUpRefinements } from '../state/withdrawal.js'
import { closeList } from './close-list.js'
import { daySeconds, noteExpired } from './note-expired.js'
import { refinementNumberOf } from './orphaned-files.js'

/** What a collector works with. */
export interface GarbageCollectorOptions {
  readonly ingest: Pick<IngestContext, 'store' | 'chain' | 'blobStore' | 'parts' | 'keys' | 'sign' | 'now'>
  readonly pools: ReadonlyMap<Address, ServedPool>
  readonly retention: JobRetention | null
  /** One thing that cannot be removed: it is tried again. */
  readonly onError: (deletion: NotedDeletion, error: unknown) => void
}

/** Deletes, step by step. */
export interface GarbageCollector {
  /**
   * One step of the node's work: looks every ten minutes for what is over, removes a page of what is due, and signs for what is gone.
   * Whatever cuts it off, the next call goes on where it was. Lists of verdict digests that no job names any more go without being signed
   * for: the verdicts are there.
   * @returns how many things were done
   */
  collect(): Promise<number>
  /** Something was noted that is to be removed now: the next step does not wait for the next look. */
  wake(): void
  /** @returns what is declared, and a page of signed lists from a number on */
  read(from: number): Promise<ToldDeletions>
  figures(): Readonly<Record<string, number>>
}

/** What the API tells of deletions. */
export interface ToldDeletions {
  readonly retention: {
    readonly answerDays: number | null
    readonly pools: Readonly<Record<Address, PoolRetention | null>>
  }
  readonly lists: readonly SignedStatement[]
}

/** Seconds between two looks at what is over; a store that refuses is asked again after as long. */
const lookSeconds = 600
/** Deletions that one step tries. */
const pageRows = 100
/** Lists of verdict digests that one step forgets. */
const listsForgotten = 20
/** Failures in a row after which a store counts as away until the next look. */
const failuresAtOnce = 3

/** Makes a collector that has looked at nothing yet. */
export function garbageCollector(options: GarbageCollectorOptions): GarbageCollector {
  const { ingest, pools, retention, onError } = options
  const { store, chain, sign, keys } = ingest
  let day: number | undefined
  let blocks = new Map<number, bigint | null>()
  let lookedAt = 0
  let walking = false
  let forgetting = false
  /** The deletion that was tried last: what fails for ever does not keep others from their turn. */
  let tried = '0'
  let due = 0
  let deleted = 0

  /** Notes what is over by the chain's time; where the node's own clock is behind it, by that: one of both may lie. */
  const look = async (): Promise<number> => {
    const { number, timestamp } = await chain.head()
    const at = Math.min(timestamp, ingest.now())
    const today = Math.floor(at / daySeconds)
    if (today !== day) blocks = new Map()
    day = today
    // Of what was presented nothing is signed for: it says no more than until when somebody was let in.
    const forgotten = await store.transaction((tx) => forgetPresented(tx, at))
    const noted = await noteExpired({
      store,
      chain,
      parts: ingest.parts,
      pools,
      retention,
      head: number,
      today,
      blocks,
    })
    return forgotten + noted
  }

  /** Tries the next page of what is due. @returns how many are gone */
  const removePage = async (): Promise<number> => {
    const page = await notedDeletions(store, 'due', { after: tried, limit: pageRows })
    let gone = 0
    let failures = 0
    for (const deletion of page) {
      tried = deletion.id
      try {
        gone += await remove(ingest, pools, deletion)
        failures = 0
      } catch (error) {
        onError(deletion, error)
        failures += 1
      }
      if (failures === failuresAtOnce) break
    }
    if (failures < failuresAtOnce && page.length < pageRows) tried = '0'
    walking = failures < failuresAtOnce && page.length === pageRows
    due = await countDue(store)
    deleted += gone
    return gone
  }

  return {
    async collect() {
      let done = 0
      // A clock that was set forward and back again does not put the next look off.
      if (Math.abs(ingest.now() - lookedAt) >= lookSeconds) {
        done += await look()
        walking = true
        forgetting = true
        lookedAt = ingest.now()
      }
      if (walking) done += await removePage()
      if (forgetting) {
        const forgotten = await store.transaction((tx) => forgetVerdictLists(tx, listsForgotten))
        forgetting = forgotten === listsForgotten
        done += forgotten
      }
      // What is said to be gone is gone with its rows: they are removed where refinements are given up.
      if ((await givenUpRefinements(store)).some(({ pool }) => pools.has(pool))) return done
      const waiting = await notedDeletions(store, 'done', { after: '0', limit: 1 })
      if (waiting.length === 0) return done
      const at = (await chain.head()).timestamp
      for (;;) {
        const listed = await closeList({ store, sign, keySet: keys.keySetDigest, at })
        done += listed
        if (listed === 0) return done
      }
    },
    wake() {
      walking = true
    },
    read: async (from) => ({
      retention: {
        answerDays: retention?.answerDays ?? null,
        pools: Object.fromEntries([...pools.values()].map((pool) => [pool.address, pool.retention])),
      },
      lists: await listsFrom(store, from, listsAtOnce),
    }),
    figures: () => ({ deletions_due: due, deletions_made: deleted }),
  }
}

/** Lists that one answer holds. */
const listsAtOnce = 10

async function remove(
  { store, parts, blobStore }: Pick<IngestContext, 'store' | 'parts' | 'blobStore'>,
  pools: ReadonlyMap<Address, ServedPool>,
  deletion: NotedDeletion,
): Promise<number> {
  const { id, kind, object, digest, reason } = deletion
  const pool = pools.get(deletion.pool ?? '0x')
  // Of a pool that is served no more, nothing is touched.
  if (pool === undefined) return 0
  if (kind === 'copy' && digest !== null) {
    if (await isCopyNeeded(store, digest)) {
      // Another pool has the same file under its name: this one's copy goes when that one is through with it.
      if (reason === 'live') return 0
      await dropDeletions(store, [id])
      return 0
    }
    await blobStore.remove(digest)
    await requireGone(blobStore, digest)
    await store.transaction(async (tx) => {
      await forgetBlob(tx, digest)
      await markDeleted(tx, id)
    })
    return 1
  }
  const number = refinementNumberOf(object)
  const named = await filesOfRefinements(store, pool.address, [number])
  // Files that a later attempt has written anew are named by now.
  for await (const file of parts.list(pool))
    if (refinementNumberOf(file) === number && !named.has(file))
      await parts.remove(pool, [{ table: '', file, rows: 0 }])
  await markDeleted(store, id)
  return 1
}

/** A server may answer that it has removed something, and go on giving it. */
async function requireGone(blobStore: BlobStore, digest: Digest): Promise<void> {
  try {
    await blobStore.getRange(digest, { start: 0, length: 1 })
  } catch (error) {
    if (error instanceof BlobStoreError && error.code === 'BLOB_MISSING') return
    throw error
  }
  throw new NodeError(
    'BLOB_NOT_REMOVED',
    digest,
    'the blob store said that it removed the blob, and gives it still; see whether it allows DELETE',
  )
}
