/**
 * A node's state, blobs and table files, and a chain whose day a test chooses: what tests of retention share.
 * @module
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlobStore } from '@sealpool/client'
import { fileBlobStore } from '@sealpool/client/file-store'
import { type Digest, encodeBase64Url, type SignedStatement, sha256Digest } from '@sealpool/crypto'
import type { JobRetention, PoolRetention } from '../config/retention-settings.js'
import { eraseWithdrawn } from '../ingest/erase-withdrawn.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { nodeSigner } from '../key/node-signer.js'
import { type GarbageCollectorOptions, garbageCollector } from '../retention/garbage-collector.js'
import { partFolder } from '../runtime/part-folder.js'
import { findContribution, insertContribution } from '../state/contribution-table.js'
import { insertJob } from '../state/job-table.js'
import { noteBlob } from '../state/meta-table.js'
import { insertRefinement } from '../state/refinement-table.js'
import type { StateStore } from '../state/state-store.js'
import { claimFingerprint, insertVerdict } from '../state/verdict-table.js'
import { withdrawContribution } from '../state/withdrawal.js'
import { chainContribution, keys } from './job-fixture.js'
import { addressOfDigit, digestOfDigit, servedPoolFixture } from './served-pool-fixture.js'

const firstDay = 20_000
/** One block a day. */
const hashOf = (number: bigint): `0x${string}` => `0x${number.toString(16).padStart(64, '0')}`
export const retentionRegistry = addressOfDigit('f')

/**
 * @param store migrated; it is emptied, and stays open
 * @returns a world on day 0 with nothing in it; close it
 */
export async function retentionWorld(store: StateStore) {
  const folder = await mkdtemp(join(tmpdir(), 'sealpool-retention-'))
  await store.run(
    `truncate contributions, contributors, verdicts, fingerprints, refinements, jobs, receipt_log, dataset_facts, blobs, deletions,
       deletion_lists, meta cascade`,
  )
  const blobs = fileBlobStore({ directory: join(folder, 'blobs'), durable: false })
  const pool = servedPoolFixture()
  const tables = join(folder, 'tables', pool.address)
  await mkdir(tables, { recursive: true })
  const files = async () => (await readdir(tables)).sort()
  const erasures: { readonly contribution: string; readonly files: readonly string[] }[] = []
  let today = 0n
  const day = (number: bigint): number => (firstDay + Number(number)) * 86_400
  const chain = {
    chainId: 31_337,
    registry: retentionRegistry,
    head: async () => ({ number: today, hash: hashOf(today), timestamp: day(today) + 3_600 }),
    blockHash: async (number: bigint) => (number <= today ? hashOf(number) : undefined),
    blockTime: async (hash: `0x${string}`) => day(BigInt(hash)),
    recordErasure: async ({ contribution }: { readonly contribution: string }) => {
      erasures.push({ contribution, files: await files() })
      return null
    },
  } as unknown as IngestContext['chain']
  const sign = nodeSigner({ statementKey: keys.statementKey, chainId: 31_337, registry: retentionRegistry })

  return {
    store,
    blobs,
    pool,
    tables,
    node: keys.statementAddress,
    /** Goes on to a day. */
    to(number: number) {
      today = BigInt(number)
    },
    timeOf: (number: number) => day(BigInt(number)),
    /** A node that has just started. */
    start(
      retention: { readonly pool?: PoolRetention | null; readonly jobs?: JobRetention | null },
      change: {
        readonly blobs?: BlobStore
        readonly store?: StateStore
        /** Seconds by which its own clock is behind the chain's. */
        readonly behind?: number
        /** Whether it serves the pool still. */
        readonly serves?: boolean
        /** What it keeps of the pool's contributions. */
        readonly keep?: ServedPool['keep']
      } = {},
    ) {
      const errors: unknown[] = []
      let clock = 0
      const ingest = {
        store: change.store ?? store,
        chain,
        blobStore: change.blobs ?? blobs,
        parts: partFolder(join(folder, 'tables')),
        keys,
        sign,
        now: () => day(today) + 3_600 + clock - (change.behind ?? 0),
      } as unknown as IngestContext & GarbageCollectorOptions['ingest']
      const served = { ...pool, retention: retention.pool ?? null, keep: change.keep ?? pool.keep }
      const pools = new Map(change.serves === false ? [] : [[pool.address, served] as const])
      const collector = garbageCollector({
        ingest,
        pools,
        retention: retention.jobs ?? null,
        onError: (_, error) => errors.push(error),
      })
      return {
        collector,
        errors,
        erase: () => eraseWithdrawn(ingest, pools),
        /** One round of the node's work after the other, until nothing is left to do. */
        async work(): Promise<void> {
          clock += 600
          while ((await collector.collect()) + (await eraseWithdrawn(ingest, pools)) > 0);
        },
      }
    },
    /** A contribution of a day, in the tables under a refinement. */
    async refined(id: string, on: number, refinement: string): Promise<Digest> {
      const { digest } = await blobs.put(new TextEncoder().encode(`sealed ${id}`))
      await this.seen(id, on, digest)
      await noteBlob(store, { digest, purpose: 'contribution', size: 8 })
      await insertVerdict(store, {
        contribution: id,
        digest: digestOfDigit('3'),
        statement: {} as SignedStatement,
      })
      await claimFingerprint(store, pool.address, `print ${id}`, id)
      await store.query(
        `update contributions set state = 'refined', verdict_digest = $2, refinement = $3 where id = $1`,
        [id, digestOfDigit('3'), refinement],
      )
      return digest
    },
    seen: (id: string, on: number, blobDigest: Digest) =>
      store.transaction((tx) =>
        insertContribution(
          tx,
          chainContribution({
            id,
            owner: addressOfDigit('1'),
            blobDigest,
            locator: blobDigest,
            blockNumber: BigInt(on),
            blockHash: hashOf(BigInt(on)),
          }),
        ),
      ),
    /** A refinement with one file. */
    async refinement(id: string): Promise<void> {
      const file = `${id}-workers.parquet`
      await writeFile(join(tables, file), 'rows')
      await insertRefinement(store, {
        id,
        pool: pool.address,
        schemaId: digestOfDigit('4'),
        digest: digestOfDigit('5'),
        parts: [{ table: 'workers', file, rows: 1 }],
        contributions: [],
        rows: 1,
        statement: {} as SignedStatement,
      })
    },
    withdraw: (id: string, on: number) =>
      store.transaction((tx) => withdrawContribution(tx, { id, blockNumber: BigInt(on) })),
    /** A job that was settled, with a receipt of a day. */
    async settled(id: string, on: number): Promise<Digest> {
      const sealed = new TextEncoder().encode(`answer ${id}`)
      await insertJob(store, {
        id,
        consumer: addressOfDigit('e'),
        manifestDigest: digestOfDigit('2'),
        locator: 'x',
        pools: [pool.address],
      })
      await store.query(
        `update jobs set state = 'settled', chain_state = 'Settled', sealed_result = decode($2, 'base64'), plan = '{}',
           manifest = '{}', receipt = '{}', result_digest = $3 where id = $1`,
        [id, Buffer.from(sealed).toString('base64'), digestOfDigit('6')],
      )
      await store.query(
        `insert into receipt_log (position, receipt, number, issued) select count(*), $1, $2, $3 from receipt_log`,
        [encodeBase64Url(sealed), id, new Date(day(BigInt(on)) * 1000).toISOString()],
      )
      return sha256Digest(sealed)
    },
    files,
    /** What was signed for as erased, with the files that were there at that moment. */
    erasures,
    stateOf: async (id: string) => {
      const row = await findContribution(store, id)
      return row?.reason ?? row?.state
    },
    count: async (table: string) =>
      Number((await store.query(`select count(*) as count from ${table}`))[0]?.['count']),
    async close() {
      await rm(folder, { recursive: true, force: true })
    },
  }
}
