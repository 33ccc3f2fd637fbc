/**
 * One pool with four workers, a chain of which only jobs are seen, and jobs over it: what tests of single jobs share.
 * @module
 */
import { type ReceiptBody, receiptBodySchema } from '@sealpool/attest'
import { memoryBlobStore } from '@sealpool/client'
import {
  type Address,
  canonicalBytes,
  type Digest,
  deriveKeyPair,
  encodeBase64Url,
  type JsonValue,
  platformRandom,
} from '@sealpool/crypto'
import type { SqlEngine } from '@sealpool/query'
import type {
  AnchoredHead,
  ChainJobDeclaration,
  ChainJobState,
  ChainPort,
  JobHeartbeat,
} from '../chain/chain-port.js'
import { inOrder } from '../chain/in-order.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { keyScope } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import { jobLock } from '../job/job-lock.js'
import { jobKeys } from '../key/job-keys.js'
import { openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import type { BudgetAnchor } from '../state/budget-anchor.js'
import { type ChainContribution, insertContribution } from '../state/contribution-table.js'
import { findJob, insertJob, noteApproval, noteChainState } from '../state/job-table.js'
import { storedLedger } from '../state/pglite-ledger.js'
import { insertRefinement } from '../state/refinement-table.js'
import type { StateStore } from '../state/state-store.js'
import { addressOfDigit, digestOfDigit, servedPoolFixture } from './served-pool-fixture.js'

export const pool: ServedPool = servedPoolFixture()
export const consumer: Address = addressOfDigit('e')
const registry = addressOfDigit('f')
/** Key to which the consumer's answers are sealed. */
export const resultKeys = deriveKeyPair(new Uint8Array(32).fill(3))
export const keys = openKeyRing(new Uint8Array(32).fill(7), digestOfDigit('9'))
/** One pool's vote. */
export const approval = { pool: pool.address, block: '12', price: '50' }

/** A query over the pool. */
export function manifest(change: object = {}): JsonValue {
  return {
    format: 'sealpool/job-manifest',
    version: 1,
    kind: 'query',
    title: 'Test',
    pools: [{ address: pool.address, name: 'pay' }],
    query: { sql: 'SELECT sector, count(*) AS n FROM pay.workers GROUP BY sector' },
    compute: null,
    privacy: { epsilon: 1, delta: 0 },
    consumer: {
      address: consumer,
      resultKey: { kem: 'x25519', publicKey: encodeBase64Url(resultKeys.publicKey) },
    },
    purpose: 'research',
    salt: 'abcdefghijklmnop',
    ...change,
  } as unknown as JsonValue
}

/** A contribution as the chain tells it. */
export function chainContribution(change: Partial<ChainContribution> = {}): ChainContribution {
  return {
    id: '1',
    pool: pool.address,
    owner: addressOfDigit('1'),
    blobDigest: digestOfDigit('1'),
    commitment: digestOfDigit('2'),
    schemaId: `0x${'0'.repeat(64)}`,
    consentDigest: `0x${'0'.repeat(64)}`,
    epoch: 1,
    locator: 'x',
    blockNumber: 1n,
    blockHash: `0x${'0'.repeat(64)}`,
    logIndex: 0,
    merkle: null,
    ...change,
  }
}

/** An engine with four workers, two in each sector. */
export function engine(change: Partial<SqlEngine> = {}): SqlEngine {
  return {
    dialect: 'duckdb',
    load: async () => undefined,
    query: async () => [
      { k0: '0', s0: '2', s1: '2' },
      { k0: '1', s0: '2', s1: '2' },
    ],
    close: async () => undefined,
    ...change,
  }
}

/** A chain of which only jobs are seen; `calls` tells what was sent to it. */
function fakeChain() {
  const calls: string[] = []
  const chain = {
    calls,
    state: 'Funded' as ChainJobState,
    /** What stands under the confirmations, when that is not the newest. */
    confirmed: undefined as ChainJobState | undefined,
    suspended: false,
    drawn: false,
    /** The lot: what the job is after it was asked to fall. */
    lot: 'Assigned' as ChainJobState,
    /** Whether the node that has the job has been silent for too long. */
    silent: false,
    node: null as Address | null,
    restrictions: [] as Digest[],
    pausedUntil: 0,
    fail: undefined as string | undefined,
    anchors: false,
    /** Heads that stand on the chain, and whether they are believed. */
    anchored: [] as BudgetAnchor[],
    anchorsConfirmed: true,
    beats: [] as number[],
    chainId: 31_337,
    registry,
    head: async () => ({ number: 9n, hash: `0x${'0'.repeat(64)}` as const, timestamp: 1_700_000_000 }),
    /** Whose key the pool's data is sealed to. */
    keyRing: keys,
    pool: async () => {
      const { keyId } = chain.keyRing.poolKey(keyScope(pool, 1))
      const { restrictions, pausedUntil } = chain
      return { keyEpoch: { epoch: 1, keyDigest: keyId }, restrictions, pausedUntil }
    },
    jobState: async () => ({
      state: chain.confirmed ?? chain.state,
      suspended: chain.suspended,
      node: chain.node,
      drawn: chain.drawn,
    }),
    /** Of every job. */
    deadline: 2_000_000_000,
    jobTerms: async () => ({ deadline: chain.deadline }),
    /** Of every job: what its proposal says of code and scope. */
    declared: { code: null, scope: null } as ChainJobDeclaration,
    jobDeclaration: async () => chain.declared,
    anchoredHead: async (): Promise<AnchoredHead | null> => {
      const last = chain.anchored.at(-1)
      return !chain.anchors || !chain.anchorsConfirmed || last === undefined
        ? null
        : { sequence: last.sequence, head: last.head }
    },
    anchorBudget: async (anchor: BudgetAnchor) => {
      if (chain.fail === 'anchor') throw new Error('anchor is cut off')
      calls.push(`anchor ${anchor.sequence}`)
      if (chain.anchored.every(({ sequence }) => sequence < anchor.sequence)) chain.anchored.push(anchor)
      return null
    },
    assignJob: async () => {
      calls.push('assign')
      chain.state = chain.lot
      if (chain.lot === 'Assigned') chain.node = keys.statementAddress
      return true
    },
    requeueJob: async () => {
      if (!chain.silent) return false
      calls.push('requeue')
      Object.assign(chain, { state: 'Funded', node: null, silent: false })
      return true
    },
    heartbeat: async ({ sign }: JobHeartbeat) => {
      chain.beats.push(Number(sign(1_700_000_001).statement.body['time']))
    },
  }
  const send = (name: string, next: ChainJobState) => async () => {
    if (chain.fail === name) throw new Error(`${name} is cut off`)
    calls.push(name)
    chain.state = next
    if (name === 'start') chain.node = keys.statementAddress
    return null
  }
  return Object.assign(chain, {
    startJob: send('start', 'Running'),
    releaseJob: send('release', 'Released'),
    settleJob: send('settle', 'Settled'),
    refuseJob: send('refuse', 'Refused'),
  })
}

/** Jobs over one pool on a migrated store; call `reset` before each test. */
export function jobFixture(store: StateStore) {
  const world = {
    chain: fakeChain(),
    blobs: memoryBlobStore(),
    /** Everything that jobs work with. */
    context: (
      open: JobContext['openEngine'] = () => engine(),
      change: Partial<JobContext> = {},
    ): JobContext => ({
      store,
      isListed: async () => true,
      lock: jobLock(),
      anchoring: inOrder(),
      jobKeys: jobKeys(platformRandom),
      chain: world.chain as unknown as ChainPort,
      blobStore: world.blobs,
      keys,
      sign: nodeSigner({ statementKey: keys.statementKey, chainId: 31_337, registry }),
      evidence: {
        simulated: true,
        quoteDigest: digestOfDigit('8'),
        measurement: `0x${'8'.repeat(64)}`,
        registered: async () => {
          throw new Error('not asked here')
        },
        fresh: async () => {
          throw new Error('not asked here')
        },
      },
      parts: {
        write: async () => {
          throw new Error('not asked here')
        },
        list: () => {
          throw new Error('nobody lists')
        },
        remove: async () => undefined,
        paths: () => [],
      },
      pools: new Map([[pool.address, pool]]),
      openEngine: open,
      isolation: 'bubblewrap',
      random: platformRandom,
      now: () => 1_700_000_000,
      ...change,
    }),
    /** Puts a job on the chain as proposed. */
    async proposed(asked: JsonValue = manifest(), change: object = {}, id = '1'): Promise<string> {
      const { locator, digest } = await world.blobs.put(canonicalBytes(asked))
      const job = { id, consumer, manifestDigest: digest, locator, pools: [pool.address], ...change }
      await insertJob(store, job)
      return id
    },
    /** Puts a job on the chain as approved and paid for. */
    async paid(asked: JsonValue = manifest(), change: object = {}, id = '1'): Promise<string> {
      await world.proposed(asked, change, id)
      const job = await findJob(store, id)
      for (const one of job?.pools ?? []) await noteApproval(store, id, { ...approval, pool: one })
      await noteChainState(store, id, 'Funded')
      return id
    },
    spent: async (): Promise<string> => (await storedLedger(store).head(pool.address)).state.epsilonSpent,
    receiptOf: async (id: string): Promise<ReceiptBody> =>
      receiptBodySchema.parse((await findJob(store, id))?.receipt?.statement.body),
    /** Puts contributions into a refinement of a pool. */
    async refined(refinement: string, ids: readonly string[], of = pool.address): Promise<void> {
      for (const id of ids) {
        const owner = addressOfDigit(id.slice(-1))
        await insertContribution(store, chainContribution({ id, owner, pool: of, logIndex: Number(id) }))
      }
      await store.query(
        `update contributions set state = 'refined', verdict_digest = $1, refinement = $2
         where id = any (string_to_array($3, ',')::bigint[])`,
        [digestOfDigit('3'), refinement, ids.join(',')],
      )
      await insertRefinement(store, {
        id: refinement,
        pool: of,
        schemaId: digestOfDigit('4'),
        digest: digestOfDigit('5'),
        parts: [{ table: 'workers', file: `${refinement}-workers.parquet`, rows: ids.length }],
        contributions: ids,
        rows: ids.length,
        statement: {} as never,
      })
    },
    /** An empty chain and blob store, four refined contributions, a fresh budget. */
    async reset(): Promise<void> {
      await store.run(
        `truncate jobs, job_events, ledger, receipts, contributions, contributors, refinements, blobs, exclusive_statements
         cascade`,
      )
      world.chain = fakeChain()
      world.blobs = memoryBlobStore()
      await storedLedger(store).open(pool.address, pool.policy.privacy)
      await world.refined('1', ['1', '2', '3', '4'])
    },
  }
  return world
}
