/**
 * A pool whose contributions lie in memory and are judged by a real proof in a real sandbox: what tests of judging share.
 * @module
 */
import { fileURLToPath } from 'node:url'
import { memoryBlobStore } from '@sealpool/client'
import {
  type Address,
  deriveKeyPair,
  type Hex,
  hpkeRecipient,
  parseHeader,
  platformRandom,
  type Recipient,
  sealBytes,
  walletRecipient,
} from '@sealpool/crypto'
import { type PocVerdict, parsePocVerdict } from '@sealpool/poc'
import { bundlePoc } from '@sealpool/poc/bundle'
import { schemaId } from '@sealpool/refine'
import { bundleRefiner } from '@sealpool/refine/bundle'
import type { JobRuntime } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { NodeError } from '../errors.js'
import { contentIndexes } from '../ingest/content-indexes.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import { judgeBatch } from '../ingest/judge-batch.js'
import { keyScope, type ServedPool } from '../ingest/served-pool.js'
import { nodeSigner } from '../key/node-signer.js'
import { aesRowCipher } from '../state/aes-row-cipher.js'
import { findContribution, insertContribution } from '../state/contribution-table.js'
import { migrate } from '../state/migration.js'
import { openSealedStore } from '../state/sealed-store.js'
import type { StateStore } from '../state/state-store.js'
import { findVerdict } from '../state/verdict-table.js'
import { type ChainWithdrawal, withdrawContribution } from '../state/withdrawal.js'
import { chainContribution, keys } from './job-fixture.js'
import { addressOfDigit, servedPoolFixture } from './served-pool-fixture.js'

/** Time of block 1; the others follow each second. */
export const blockOne = 1_700_000_000
/** @returns a block's hash */
export const hashOf = (block: number): Hex => `0x${block.toString(16).padStart(64, '0')}`
/** Thirty days of steps of one person; `copied` of them are another person's. */
export const daysOf = (person: number, copied = 0, of = 0) =>
  Array.from({ length: 30 }, (_, day) => {
    const whose = day < copied ? of : person
    return { day: `${whose}-${day}`, steps: 1_000 + whose * 500 + day * 37 }
  })

/** What a contributor brings. */
export interface Export {
  readonly days: ReturnType<typeof daysOf>
  readonly account?: string
  readonly expires?: number
  readonly owner?: Address
  readonly merkle?: { readonly batch: string; readonly index: number }
  /** Of the pool's key; 1 when absent. */
  readonly epoch?: number
  /** To whom it is sealed besides. */
  readonly more?: readonly Recipient[]
}

const wallet = deriveKeyPair(new Uint8Array(32).fill(3)).publicKey

/** @returns a pool, its node on an empty state, and what tests do to them; close it */
export async function judgingWorld(newStore: () => Promise<StateStore>) {
  const memory = await newStore()
  await migrate(memory)
  const runtime = await createQuickJsRuntime()
  const fixture = (name: string) => fileURLToPath(new URL(`./fixture/${name}.ts`, import.meta.url))
  const { code, digest } = await bundlePoc({ entry: fixture('days-proof') })
  const refiner = await bundleRefiner({ entry: fixture('days-refiner') })
  const founded: ServedPool = {
    ...servedPoolFixture(),
    poc: { code, digest },
    refiner,
    schemaId: schemaId(refiner.schema),
  }
  let pool = founded
  let blobs = memoryBlobStore()
  const missingBlocks = new Set<Hex>()
  let whileOpening: (() => Promise<void>) | undefined
  let validation: IngestContext['validation']
  let ownRuntime: JobRuntime = runtime
  let time = blockOne + 1_000_000_000
  let context = contextOn(memory)

  /** A node that has just started on a state. */
  function contextOn(store: StateStore): IngestContext {
    return {
      store,
      chain: {
        blockTime: async (hash: Hex) => {
          if (missingBlocks.has(hash)) throw new NodeError('CHAIN_CALL_FAILED', 'block', 'not there')
          return blockOne - 1 + Number(BigInt(hash))
        },
        recordErasure: async () => null,
      },
      blobStore: {
        ...blobs,
        get: async (...asked: Parameters<typeof blobs.get>) => {
          await whileOpening?.()
          return blobs.get(...asked)
        },
      },
      keys,
      sign: nodeSigner({ statementKey: keys.statementKey, chainId: 31_337, registry: addressOfDigit('f') }),
      get runtime() {
        return ownRuntime
      },
      get validation() {
        return validation
      },
      contents: contentIndexes(),
      parts: { remove: async () => undefined, list: async function* () {} },
      limits: {
        proof: { memoryBytes: 2 ** 26, timeMs: 30_000, outputBytes: 65_536 },
        refiner: { memoryBytes: 2 ** 26, timeMs: 30_000, outputBytes: 2 ** 20 },
      },
      settings: {
        concurrency: 2,
        batchSize: 50,
        maximumBlobBytes: 1_000_000,
        missingBlobTries: 1,
        missingBlobWaitSeconds: 0,
      },
      now: () => time,
      giveWay: async () => undefined,
    } as unknown as IngestContext
  }

  const verdictOn = async (id: string): Promise<PocVerdict> => {
    const kept = await findVerdict(context.store, id)
    if (kept === undefined) throw new Error(`no verdict on ${id}`)
    return parsePocVerdict(kept.statement.body)
  }
  return {
    missingBlocks,
    context: () => context,
    pool: () => pool,
    /** Gives the pool other rules; {@link reset} takes them back. */
    rule(change: Partial<ServedPool>) {
      pool = { ...founded, ...change }
    },
    runtime,
    /** Has the node judge in another sandbox than its validators. */
    runIn(other: JobRuntime) {
      ownRuntime = other
    },
    /** Gives the node others who judge besides it. */
    validateWith(panel: IngestContext['validation']) {
      validation = panel
    },
    /** Moves the node's clock on. */
    wait(seconds: number) {
      time += seconds
    },
    /** Has something done whenever a blob is fetched. */
    whileOpening(work: (() => Promise<void>) | undefined) {
      whileOpening = work
    },
    async reset() {
      await memory.run(
        'truncate contributions, contributors, verdict_batches, meta, verdict_disputes, rescoring_runs, rescored, rescored_verdicts, rescoring_statements cascade',
      )
      blobs = memoryBlobStore()
      missingBlocks.clear()
      whileOpening = undefined
      pool = founded
      validation = undefined
      ownRuntime = runtime
      context = contextOn(memory)
    },
    start(store: StateStore) {
      context = contextOn(store)
    },
    /** The state at rest, opened as a start does. */
    async sealed(durable: StateStore): Promise<StateStore> {
      const store = await openSealedStore({
        durable: { ...durable, close: async () => undefined },
        openWorking: newStore,
        cipherOf: (id) =>
          aesRowCipher({ key: new Uint8Array(32).fill(5), store: id, random: platformRandom }),
        random: platformRandom,
      })
      await migrate(store)
      return store
    },
    /** Puts a contribution on the chain, in the block of its number. */
    async contribute(
      id: string,
      {
        days,
        account,
        expires = blockOne + 1_000,
        owner = addressOfDigit(id),
        merkle,
        epoch = 1,
        more = [],
      }: Export,
    ): Promise<void> {
      const text = JSON.stringify({ ...(account === undefined ? {} : { account }), expires, days })
      const sealed = await sealBytes(new TextEncoder().encode(text), {
        recipients: [
          hpkeRecipient({ publicKey: keys.poolKey(keyScope(pool, epoch)).publicKey }),
          walletRecipient({ publicKey: wallet, address: owner }),
          ...more,
        ],
        context: {
          chainId: pool.chainId,
          pool: pool.address,
          policyDigest: pool.policyDigest,
          epoch,
          mediaType: 'application/json',
        },
        random: platformRandom,
      })
      const { locator, digest } = await blobs.put(sealed)
      const block = Number(id)
      await context.store.transaction((tx) =>
        insertContribution(
          tx,
          chainContribution({
            id,
            owner,
            blobDigest: digest,
            commitment: parseHeader(sealed).context.commitment,
            locator,
            blockNumber: BigInt(block),
            blockHash: hashOf(block),
            merkle: merkle ?? null,
            epoch,
          }),
        ),
      )
    },
    /** Has a contribution's blob changed before it came to the chain. */
    async spoil(id: string, change: (sealed: Uint8Array) => Uint8Array): Promise<void> {
      const kept = await findContribution(context.store, id)
      if (kept === undefined) throw new Error(`no contribution ${id}`)
      const sealed = await blobs.get(kept.locator, { maximumBytes: 1_000_000 })
      const { locator, digest } = await blobs.put(change(sealed.slice()))
      await context.store.query('update contributions set locator = $2, blob_digest = $3 where id = $1', [
        id,
        locator,
        digest,
      ])
    },
    async judge(): Promise<void> {
      while ((await judgeBatch(context, pool)) > 0);
    },
    verdictOn,
    noveltyOf: async (id: string) => (await verdictOn(id)).uniqueness,
    contributorOf: async (id: string) => (await findContribution(context.store, id))?.contributor,
    /** Has a contribution taken back in block 90. */
    withdraw: (id: string, more: Pick<ChainWithdrawal, 'unpaid' | 'replacedBy'> = {}) =>
      context.store.transaction((tx) => withdrawContribution(tx, { id, blockNumber: 90n, ...more })),
    countOf: async (table: string) =>
      Number((await context.store.query(`select count(*) as count from ${table}`))[0]?.['count']),
    async close() {
      await runtime.close()
      await memory.close()
    },
  }
}
