import { memoryBlobStore } from '@sealpool/client'
import { afterAll, expect, it } from 'vitest'
import { nodeSigner } from '../key/node-signer.js'
import { insertContribution, markJudged } from '../state/contribution-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { insertRefinement } from '../state/refinement-table.js'
import { chainContribution, keys, pool } from '../testing/job-fixture.js'
import { notedSteps } from '../testing/noted-steps.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { contentIndexes } from './content-indexes.js'
import type { IngestContext } from './ingest-context.js'
import { judgeBatch } from './judge-batch.js'
import { recordVerdicts } from './record-verdicts.js'
import { recordRefinements, refineNext } from './refine-batch.js'
import { storeVerdictBatch } from './verdict-batch.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

it('ingest notes its steps by pool and number, when it does something, and no contribution', async () => {
  const { steps, trace } = notedSteps()
  const sent = async () => ({ hash: '0x1', block: 5n })
  const context = {
    store,
    chain: { recordVerdicts: sent, recordRefinement: sent, blockTime: async () => 1_700_000_000 },
    sign: nodeSigner({ statementKey: keys.statementKey, chainId: 31_337, registry: addressOfDigit('f') }),
    blobStore: memoryBlobStore(),
    keys,
    contents: contentIndexes(),
    settings: {
      concurrency: 1,
      batchSize: 9,
      refinementSize: 9,
      maximumBlobBytes: 1_000,
      missingBlobTries: 9,
      missingBlobWaitSeconds: 1,
    },
    now: () => 1_700_000_000,
    giveWay: async () => undefined,
    trace,
  } as unknown as IngestContext
  const round = async () => {
    await judgeBatch(context, pool)
    await recordVerdicts(context)
    await refineNext(context, pool)
    await recordRefinements(context)
    return steps.splice(0)
  }
  expect(await round()).toEqual([])
  // Their blobs are away: they are looked for, which is all that is done here.
  const locator = digestOfDigit('1')
  await insertContribution(store, chainContribution({ id: '71', locator }))
  await insertContribution(store, chainContribution({ id: '72', locator, logIndex: 1 }))
  await insertContribution(store, chainContribution({ id: '73', locator, logIndex: 2 }))
  await store.query(`update contributions set state = 'recorded' where id = 73`)
  const entry = { contributionId: '72', score: 5, refused: false, verdictDigest: digestOfDigit('3') }
  const batch = await storeVerdictBatch(context, store, pool.address, [entry])
  await markJudged(store, '72', {
    score: 5,
    verdictDigest: digestOfDigit('3'),
    batch,
    reason: null,
    reasonText: null,
  })
  await insertRefinement(store, {
    id: '4',
    pool: pool.address,
    schemaId: digestOfDigit('4'),
    digest: digestOfDigit('5'),
    parts: [],
    contributions: [],
    rows: 0,
    statement: {} as never,
  })
  expect(await round()).toEqual([
    ['ingest.judge', { pool: pool.address }],
    ['ingest.record', { pool: pool.address, batch }],
    ['ingest.refine', { pool: pool.address }],
    ['ingest.record', { pool: pool.address, refinement: '4' }],
  ])
})
