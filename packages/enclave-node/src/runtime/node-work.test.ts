import { memoryBlobStore } from '@sealpool/client'
import { platformRandom } from '@sealpool/crypto'
import { afterAll, expect, it } from 'vitest'
import type { ChainPort } from '../chain/chain-port.js'
import type { NodeConfig } from '../config/node-config.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import type { JobContext } from '../job/job-context.js'
import { jobLock } from '../job/job-lock.js'
import { openKeyRing } from '../key/key-ring.js'
import { nodeSigner } from '../key/node-signer.js'
import { insertJob, noteApproval, noteChainState } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { storedLedger } from '../state/pglite-ledger.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { addressOfDigit, digestOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { nodeLogger } from './logger.js'
import { startNodeWork } from './node-work.js'
import type { NodeRecords } from './open-records.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

it('moves no job before the chain is read to its head: a charge that the disk forgot could not be noticed', async () => {
  const pool = servedPoolFixture()
  await storedLedger(store).open(pool.address, pool.policy.privacy)
  const keys = openKeyRing(new Uint8Array(32).fill(7), digestOfDigit('9'))
  const consumer = addressOfDigit('e')
  const job = { id: '1', consumer, manifestDigest: digestOfDigit('2'), locator: 'x', pools: [pool.address] }
  await insertJob(store, job)
  await noteApproval(store, '1', { pool: pool.address, block: '12', price: '50' })
  await noteChainState(store, '1', 'Funded')
  await store.query('update jobs set state = $1', ['waiting'])

  let head = 3n
  let asked = 0
  let rounds = 0
  const chain = {
    chainId: 31_337,
    registry: addressOfDigit('f'),
    isNodeActive: async () => true,
    head: async () => {
      rounds += 1
      // One block comes with every round, so the head is not reached, until it is let stand.
      if (rounds <= 5) head += 1n
      return { number: head, hash: digestOfBlock(head), timestamp: 1_700_000_000 }
    },
    blockHash: async (block: bigint) => digestOfBlock(block),
    contributions: async () => [],
    withdrawals: async () => [],
    anchoredHead: async () => null,
    jobEvents: async () => [],
    // Of another policy: nothing is ingested.
    pool: async () => ({
      policyDigest: digestOfDigit('0'),
      keyEpoch: null,
      restrictions: [],
      pausedUntil: 0,
    }),
    jobState: async () => {
      asked += 1
      expect(rounds).toBeGreaterThan(5)
      return { state: 'Cancelled', suspended: false, node: null, drawn: false }
    },
  } as unknown as ChainPort
  const sign = nodeSigner({ statementKey: keys.statementKey, chainId: 31_337, registry: chain.registry })
  const shared = { store, chain, keys, sign, blobStore: memoryBlobStore(), now: () => 1_700_000_000 }
  const work = startNodeWork({
    ingest: shared as unknown as IngestContext,
    job: {
      ...shared,
      lock: jobLock(),
      pools: new Map([[pool.address, pool]]),
      random: platformRandom,
    } as unknown as JobContext,
    config: {
      chain: { pollMs: 10, blocksPerRead: 1, deployment: { blockNumber: 0 } },
    } as unknown as NodeConfig,
    log: nodeLogger({ level: 'silent', simulated: true }),
    simulated: true,
    records: {} as NodeRecords,
  })
  try {
    for (let waited = 0; asked === 0 && waited < 20_000; waited += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(asked).toBeGreaterThan(0)
    expect(rounds).toBeGreaterThan(5)
  } finally {
    await work.stop()
  }
})

function digestOfBlock(block: bigint): `0x${string}` {
  return `0x${block.toString(16).padStart(64, '0')}`
}
