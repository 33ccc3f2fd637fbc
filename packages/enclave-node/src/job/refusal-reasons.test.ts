import { memoryBlobStore } from '@sealpool/client'
import { type JobManifest, manifestDigest, parseJobManifest } from '@sealpool/compute'
import { type Address, canonicalBytes, encodeBase64Url, type JsonValue } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { ChainPool } from '../chain/chain-port.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { insertContribution } from '../state/contribution-table.js'
import type { ChainJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { storedLedger } from '../state/pglite-ledger.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { chainContribution, resultKeys } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import type { JobContext } from './job-context.js'
import { loadManifest, poolsOf } from './load-manifest.js'
import { planJob, requireRunnable } from './plan-job.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

const fixture = servedPoolFixture()
/** The same pool under another name, which allows joins with the other one. */
const poolOf = (digit: string, name: string, other: string): ServedPool => ({
  ...fixture,
  address: addressOfDigit(digit),
  name,
  policy: { ...fixture.policy, name, joins: { allowed: true, with: [other] } },
})
const pay = poolOf('a', 'pay', 'people')
const people = poolOf('b', 'people', 'pay')
const both = [pay, people]
const consumer = addressOfDigit('e')
const join =
  'SELECT count(*) AS n FROM pay.workers AS a JOIN people.workers AS b ON a.contributor = b.contributor'

const manifestOf = (sql: string, pools: readonly ServedPool[] = both): JobManifest =>
  parseJobManifest({
    format: 'sealpool/job-manifest',
    version: 1,
    kind: 'query',
    title: 'Test',
    pools: pools.map(({ address, name }) => ({ address, name })),
    query: { sql },
    compute: null,
    privacy: { epsilon: 1, delta: 0 },
    consumer: {
      address: consumer,
      resultKey: { kem: 'x25519', publicKey: encodeBase64Url(resultKeys.publicKey) },
    },
    purpose: 'research',
    salt: 'abcdefghijklmnop',
  })

/** Puts contributions of the owners (one digit each) into a pool, as refined. */
async function contribute(pool: Address, owners: readonly string[]): Promise<void> {
  const [last] = await store.query('select coalesce(max(id), 0)::text as id from contributions')
  for (const [index, digit] of owners.entries()) {
    const id = String(Number(last?.['id']) + 1 + index)
    const owner = addressOfDigit(digit)
    await insertContribution(store, chainContribution({ id, pool, owner, logIndex: index }))
  }
  await store.query(`update contributions set state = 'refined', verdict_digest = $1`, [digestOfDigit('3')])
}

beforeEach(async () => {
  await store.run('truncate ledger, contributions, contributors, blobs cascade')
  for (const { address, policy } of both) await storedLedger(store).open(address, policy.privacy)
})

describe('the pools of a job', () => {
  it('are all read: a job that names one more is refused', async () => {
    const one = 'SELECT count(*) AS n FROM pay.workers'
    await expect(planJob(manifestOf(one), both)).rejects.toMatchObject({
      code: 'POOL_NOT_USED',
      charged: false,
    })
    expect((await planJob(manifestOf(one, [pay]), [pay])).charges).toHaveLength(1)
    expect((await planJob(manifestOf(join), both)).charges).toHaveLength(2)
  })

  it.each([0, 1])('all allow the purpose, also the pool at place %i', async (place) => {
    const served = (change: (pool: ServedPool, index: number) => ServedPool) => ({
      chain: { pool: async () => ({ restrictions: [] }) as unknown as ChainPool },
      blobStore: memoryBlobStore(),
      pools: new Map(both.map(change).map((pool) => [pool.address, pool] as const)),
    })
    const open = served((pool) => pool)
    expect(await poolsOf(open, manifestOf(join))).toEqual(both)
    const closed = served((pool, index) =>
      index === place ? { ...pool, policy: { ...pool.policy, purposes: ['teaching'] } } : pool,
    )
    await expect(poolsOf(closed, manifestOf(join))).rejects.toMatchObject({
      code: 'PURPOSE_NOT_ALLOWED',
      charged: false,
    })
  })

  it.each<[string, readonly ServedPool[], readonly ServedPool[]]>([
    ['names one more than voted', both, [pay]],
    ['names one fewer than voted', [pay], both],
    ['names them in another order than the chain', both, [people, pay]],
    ['names another one than the chain', [pay], [people]],
  ])('are those on the chain: a manifest is refused that %s', async (_, named, onChain) => {
    const manifest = manifestOf(join, named)
    const blobStore = memoryBlobStore()
    const { locator } = await blobStore.put(canonicalBytes(manifest as unknown as JsonValue))
    const job = (pools: readonly ServedPool[]): ChainJob => ({
      id: '1',
      consumer,
      manifestDigest: manifestDigest(manifest),
      locator,
      pools: pools.map(({ address }) => address),
    })
    const context = { store, blobStore } as unknown as JobContext
    expect(await loadManifest(context, job(named))).toEqual(manifest)
    await expect(loadManifest(context, job(onChain))).rejects.toMatchObject({ code: 'MANIFEST_POOLS_DIFFER' })
  })
})

describe('a planned job', () => {
  const check = async (): Promise<void> => requireRunnable(store, '1', await planJob(manifestOf(join), both))

  it('may run when every pool has exactly the fewest contributors', async () => {
    for (const { address } of both) await contribute(address, ['1', '2'])
    await expect(check()).resolves.toBeUndefined()
  })

  it.each([0, 1])('may not run when the pool at place %i has too few', async (place) => {
    for (const [index, { address }] of both.entries()) {
      await contribute(address, index === place ? ['1'] : ['1', '2'])
    }
    await expect(check()).rejects.toMatchObject({ code: 'TOO_FEW_CONTRIBUTORS', charged: false })
  })

  it('counts a wallet once, however often it contributed', async () => {
    await contribute(pay.address, ['1', '2'])
    await contribute(people.address, ['1', '1', '1'])
    await expect(check()).rejects.toMatchObject({ code: 'TOO_FEW_CONTRIBUTORS' })
  })

  it.each([0, 1])('may not run when the budget of the pool at place %i is too small', async (place) => {
    for (const { address } of both) await contribute(address, ['1', '2'])
    const spend = {
      pool: both[place]?.address ?? '',
      leaves: ['workers'],
      charge: { epsilon: 1.9, delta: 0 },
    }
    for (const job of ['x', 'y', 'z']) await storedLedger(store).charge({ ...spend, job })
    await expect(check()).rejects.toMatchObject({ code: 'BUDGET_EXHAUSTED', charged: false })
  })
})
