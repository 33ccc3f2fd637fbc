/**
 * A live pool on a migrated store, its owners' stores, and jobs over it: what tests of single steps share.
 * @module
 */
import { BlobStoreError, formatOwnLocation, memoryBlobStore } from '@sealpool/client'
import {
  type Digest,
  hpkeRecipient,
  parseHeader,
  platformRandom,
  sealBytes,
  sha256Digest,
  walletRecipient,
} from '@sealpool/crypto'
import type { Row } from '@sealpool/refine'
import type { JobRuntime } from '@sealpool/sandbox'
import { sampleRefinerCode } from '../devnet/sample-code.js'
import sampleRefiner from '../devnet/sample-refiner.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import { keyScope, type ServedPool } from '../ingest/served-pool.js'
import { jobKeys } from '../key/job-keys.js'
import { type LiveTables, type LiveTablesContext, liveTables } from '../live/live-tables.js'
import { seeLive } from '../live/see-live.js'
import { switchKeep } from '../live/switch-keep.js'
import { insertContribution } from '../state/contribution-table.js'
import type { StateStore } from '../state/state-store.js'
import { chainContribution, pool as escrowPool, jobFixture, keys, resultKeys } from './job-fixture.js'
import { addressOfDigit } from './served-pool-fixture.js'

/** The pool of `job-fixture.ts`, live, with the devnet's refiner. */
export const livePool: ServedPool = {
  ...escrowPool,
  keep: 'live',
  refiner: {
    code: sampleRefinerCode,
    digest: sha256Digest(new TextEncoder().encode(sampleRefinerCode)),
    schema: sampleRefiner.describe(),
  },
}

/** One part of a job's tables, as it was written. */
export interface WrittenPart {
  readonly rows: readonly Row[]
  /** The very bytes that it was written under: zeros once they are destroyed. */
  readonly key: Uint8Array
}

/** @param store migrated; it stays open */
export function liveWorld(store: StateStore, runtime: JobRuntime) {
  const jobs = jobFixture(store)
  const world = {
    jobs,
    /** What the owners' stores give, by address. */
    online: new Map<string, Uint8Array>(),
    /** Called before a store gives something. */
    onFetch: async (_url: string): Promise<void> => undefined,
    fetched: [] as string[],
    /** Parts that lie on disk, by name. */
    parts: new Map<string, WrittenPart>(),
    /** Keys of jobs of the node that was started last. */
    jobKeys: jobKeys(platformRandom),
    seconds: 1_700_000_000,
    milliseconds: 0,
    events: [] as unknown[],
    ingest(): IngestContext {
      return {
        store,
        blobStore: memoryBlobStore(),
        ownCopies: {
          async get({ url, digest }: { readonly url: URL; readonly digest: Digest }) {
            world.fetched.push(url.href)
            await world.onFetch(url.href)
            const given = world.online.get(url.href)
            if (given === undefined) throw new BlobStoreError('BLOB_MISSING', digest, 'away')
            return given
          },
        },
        keys,
        runtime,
        limits: { refiner: { memoryBytes: 2 ** 26, timeMs: 30_000, outputBytes: 65_536 } },
        settings: {
          maximumBlobBytes: 1_000_000,
          refinementSize: 100,
          concurrency: 2,
          missingBlobWaitSeconds: 60,
          ownCopies: { atOnce: 2, jobSeconds: 10 },
        },
        now: () => world.seconds,
      } as unknown as IngestContext
    },
    /** Live tables of a node that has just started. */
    tables(change: Partial<LiveTablesContext> = {}): LiveTables {
      world.jobKeys = jobKeys(platformRandom)
      return liveTables({
        ...world.ingest(),
        clock: () => world.milliseconds,
        jobKeys: world.jobKeys,
        parts: {
          async write({ refinement, table, rows, key }) {
            const file = `${refinement}-${table.name}`
            world.parts.set(file, { rows, key })
            return { table: table.name, file, rows: rows.length }
          },
          async remove(_, parts) {
            for (const { file } of parts) world.parts.delete(file)
          },
          paths: (_, parts) => parts.map(({ file }) => file),
        },
        ...change,
      })
    },
    /** A job's context in which the pool is live. */
    context: (live: LiveTables, open?: Parameters<typeof jobs.context>[0]) =>
      jobs.context(open, {
        live,
        jobKeys: world.jobKeys,
        pools: new Map([[livePool.address, livePool]]),
      }),
    /** An accepted contribution whose owner's store gives it. @returns its address */
    async accepted(id: string, wage = Number(id), locator?: string): Promise<string> {
      const owner = addressOfDigit(id.slice(-1))
      const sealed = await sealBytes(new TextEncoder().encode(JSON.stringify({ wage, sector: 'care' })), {
        recipients: [
          hpkeRecipient({ publicKey: keys.poolKey(keyScope(livePool, 1)).publicKey }),
          walletRecipient({ publicKey: resultKeys.publicKey, address: owner }),
        ],
        context: {
          chainId: livePool.chainId,
          pool: livePool.address,
          policyDigest: livePool.policyDigest,
          epoch: 1,
          mediaType: 'application/json',
        },
        random: platformRandom,
      })
      const digest = sha256Digest(sealed)
      const place = locator ?? formatOwnLocation(`https://owner-${id}.example`, digest)
      await store.transaction((tx) =>
        insertContribution(
          tx,
          chainContribution({
            id,
            owner,
            blobDigest: digest,
            commitment: parseHeader(sealed).context.commitment,
            locator: place,
            logIndex: Number(id),
          }),
        ),
      )
      await store.query(`update contributions set state = 'recorded', verdict_digest = $2 where id = $1`, [
        id,
        sha256Digest(new TextEncoder().encode(`verdict ${id}`)),
      ])
      world.online.set(place, sealed)
      return place
    },
    /** One round of a node's work on the pool. */
    see: () => seeLive(world.ingest(), livePool),
    switchTo: (keep: ServedPool['keep']) =>
      switchKeep(world.ingest(), { ...livePool, keep }, { write: (event) => world.events.push(event) }),
    stateOf: async (id: string) =>
      (
        await store.query('select state, reason, attempts, refinement from contributions where id = $1', [id])
      )[0],
    /** An empty pool that is live. */
    async reset(): Promise<void> {
      await jobs.reset()
      await store.run(
        'truncate contributions, contributors, refinements, live_copies, deletions, meta cascade',
      )
      world.online.clear()
      world.parts.clear()
      world.fetched.length = 0
      world.events.length = 0
      world.onFetch = async () => undefined
      world.seconds = 1_700_000_000
      world.milliseconds = 0
      await world.switchTo('live')
    },
  }
  return world
}
