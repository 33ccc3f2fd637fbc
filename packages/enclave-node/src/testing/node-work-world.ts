/**
 * A node's loops over a chain that a test holds in its hand: nothing else of a node runs.
 * @module
 */
import { memoryBlobStore } from '@sealpool/client'
import { platformRandom } from '@sealpool/crypto'
import type { ChainPort } from '../chain/chain-port.js'
import { inOrder } from '../chain/in-order.js'
import type { NodeConfig } from '../config/node-config.js'
import type { JobRetention } from '../config/retention-settings.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import type { JobContext } from '../job/job-context.js'
import { jobLock } from '../job/job-lock.js'
import { jobKeys } from '../key/job-keys.js'
import { openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import { nodeLogger } from '../runtime/logger.js'
import { type NodeWorkOptions, startNodeWork } from '../runtime/node-work.js'
import type { NodeRecords } from '../runtime/open-records.js'
import { insertJob, noteApproval, noteChainState } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { storedLedger } from '../state/pglite-ledger.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { addressOfDigit, digestOfDigit, servedPoolFixture } from './served-pool-fixture.js'

export const workKeys = openKeyRing(new Uint8Array(32).fill(7), digestOfDigit('9'))
/** What the registry says of a node that is listed. */
export const listedNode = { keySetDigest: workKeys.keySetDigest, measurement: '0x', active: true } as const

/** Head and hash of a block of the chain. */
export const headAt = (block: bigint) => ({
  number: block,
  hash: hashOfBlock(block),
  timestamp: 1_700_000_000,
})

/** An empty state with one served pool; `start` begins to work on it. */
export async function nodeWorkWorld() {
  const store = await openPgliteStore({ directory: 'memory' })
  await migrate(store)
  const pool = servedPoolFixture()
  await storedLedger(store).open(pool.address, pool.policy.privacy)
  return {
    store,
    pool,
    /** Notes a job that is approved and paid. */
    async paidJob(id: string): Promise<void> {
      const [consumer, manifestDigest] = [addressOfDigit('e'), digestOfDigit('2')]
      await insertJob(store, { id, consumer, manifestDigest, locator: 'x', pools: [pool.address] })
      await noteApproval(store, id, { pool: pool.address, block: '12', price: '50' })
      await noteChainState(store, id, 'Funded')
      await store.query("update jobs set state = 'waiting' where id = $1", [id])
    },
    /**
     * @param change of the chain: by default it stands still, lists the node, and knows another policy of the pool than the node, so
     * that nothing is ingested
     */
    start(
      change: Partial<Record<keyof ChainPort, unknown>>,
      more: Partial<NodeWorkOptions> & {
        readonly context?: Partial<JobContext>
        readonly retention?: JobRetention
        /** Default 1. */
        readonly blocksPerRead?: number
      } = {},
    ) {
      const { context, retention = null, blocksPerRead = 1, ...options } = more
      const chain = {
        chainId: 31_337,
        registry: addressOfDigit('f'),
        node: async () => listedNode,
        head: async () => headAt(0n),
        blockHash: async (block: bigint) => hashOfBlock(block),
        blockTime: async () => 0,
        contributions: async () => [],
        withdrawals: async () => [],
        jobEvents: async () => [],
        anchoredHead: async () => null,
        pool: async () => ({
          policyDigest: digestOfDigit('0'),
          keyEpoch: null,
          restrictions: [],
          pausedUntil: 0,
        }),
        ...change,
      } as unknown as ChainPort
      const sign = nodeSigner({
        statementKey: workKeys.statementKey,
        chainId: 31_337,
        registry: chain.registry,
      })
      const blobStore = memoryBlobStore()
      const shared = { store, chain, keys: workKeys, sign, blobStore, now: () => 1_700_000_000 }
      return startNodeWork({
        ingest: {
          ...shared,
          // It has no table files.
          parts: { list: async function* () {} },
          settings: { batchSize: 1, refinementSize: 1, concurrency: 1 },
        } as unknown as IngestContext,
        job: {
          ...shared,
          lock: jobLock(),
          anchoring: inOrder(),
          jobKeys: jobKeys(platformRandom),
          pools: new Map([[pool.address, pool]]),
          evidence: { measurement: '0x' },
          random: platformRandom,
          ...context,
        } as unknown as JobContext,
        config: {
          chain: { pollMs: 10, heartbeatSeconds: 900, blocksPerRead, deployment: { blockNumber: 0 } },
          engine: { jobsAtOnce: 1, jobsBegun: 16 },
          pools: [],
          retention,
        } as unknown as NodeConfig,
        log: nodeLogger({ level: 'silent', simulated: true }),
        simulated: true,
        records: {} as NodeRecords,
        catalogue: {
          search: () => ({ entries: [], total: 0, next: null }),
          similar: () => undefined,
          refresh: async () => undefined,
        },
        incident: { current: () => null, firstEpoch: () => 1, reasons: () => [] },
        ...options,
      })
    },
  }
}

/** @returns a hash that names its block's number */
function hashOfBlock(block: bigint): `0x${string}` {
  return `0x${block.toString(16).padStart(64, '0')}`
}
