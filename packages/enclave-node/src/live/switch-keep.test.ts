import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { switchPolicy } from '../ingest/switch-policy.js'
import { nextContributions, putOffContribution } from '../state/contribution-table.js'
import { notedDeletions } from '../state/deletion-table.js'
import { isCopyNeeded } from '../state/expired-rows.js'
import { keptAs } from '../state/kept-as.js'
import { liveCopiesOf } from '../state/live-copy-table.js'
import { blobSizes, getMeta, noteBlob, setMeta } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import { countNeededBlobs } from '../state/needed-blobs.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { isRebuilding } from '../state/withdrawal.js'
import { livePool, liveWorld } from '../testing/live-world.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
const runtime = await createQuickJsRuntime()
afterAll(async () => {
  await runtime.close()
  await store.close()
})
const world = liveWorld(store, runtime)
beforeEach(async () => {
  await world.reset()
  await store.run('truncate earlier_policies')
})
const blobOf = async (id: string): Promise<`sha256:${string}`> =>
  String(
    (await store.query('select blob_digest from contributions where id = $1', [id]))[0]?.['blob_digest'],
  ) as never
/** In the tables of a pool that keeps them, with a copy in the blob store. */
const kept = async (id: string): Promise<void> => {
  await world.accepted(id)
  await noteBlob(store, { digest: await blobOf(id), purpose: 'contribution', size: 900 })
  await store.query(
    `update contributions set state = 'refined', refinement = 1, attempts = 1 where id = $1`,
    [id],
  )
}
const due = () => notedDeletions(store, 'due', { after: '0', limit: 100 })

describe('a pool that goes live', () => {
  beforeEach(async () => {
    await world.switchTo('escrow')
    await world.jobs.refined('1', [])
    await kept('1')
    await kept('2')
    world.events.length = 0
  })

  it('gives up its tables and has its copies removed, under a reason of their own', async () => {
    await setMeta(store, 'rewrapped header 1', '{}')
    expect(await isCopyNeeded(store, await blobOf('1'))).toBe(true)
    expect(await countNeededBlobs(store)).toBe(2)
    expect(await world.switchTo('live')).toBe(1)
    expect(await keptAs(store, livePool.address)).toBe('live')
    expect(await world.stateOf('1')).toMatchObject({ state: 'recorded', attempts: 0 })
    expect(await store.query(`select state from refinements where id = 1`)).toEqual([{ state: 'superseded' }])
    expect(
      (await due()).map(({ kind, object, digest, reason }) => ({ kind, object, digest, reason })),
    ).toEqual(
      [await blobOf('1'), await blobOf('2')]
        .toSorted()
        .map((digest) => ({ kind: 'copy', object: digest, digest, reason: 'live' })),
    )
    expect(await isCopyNeeded(store, await blobOf('1'))).toBe(false)
    expect(await countNeededBlobs(store)).toBe(0)
    expect(await getMeta(store, 'rewrapped header 1')).toBeUndefined()
    expect(world.events).toEqual([{ event: 'pool-keeps', facts: { pool: livePool.address, keep: 'live' } }])
    expect(await world.switchTo('live')).toBe(0)
    expect(await due()).toHaveLength(2)
  })

  it('leaves another pool its tables, and a blob that is no contribution’s', async () => {
    await world.jobs.refined('2', [])
    await store.query(`update refinements set pool = $1 where id = 2`, [addressOfDigit('c')])
    await store.query(`update blobs set purpose = 'manifest' where digest = $1`, [await blobOf('2')])
    await world.switchTo('live')
    expect(await store.query(`select state from refinements where id = 2`)).not.toEqual([
      { state: 'superseded' },
    ])
    expect((await due()).map(({ digest }) => digest)).toEqual([await blobOf('1')])
  })

  it('lets jobs begin once every source was asked, whether it answered or not', async () => {
    await world.switchTo('live')
    expect(await isRebuilding(store, livePool.address)).toBe(true)
    world.online.clear()
    await world.see()
    expect(await isRebuilding(store, livePool.address)).toBe(false)
    expect(await liveCopiesOf(store, livePool.address)).toEqual([])
  })

  it('waits for jobs that have reserved its tables', async () => {
    const id = await world.jobs.paid()
    await store.query(`update jobs set reservation = '{"inputs":[]}', state = 'running' where id = $1`, [id])
    expect(await world.switchTo('live')).toBe(0)
    expect(await keptAs(store, livePool.address)).toBe('escrow')
    expect(world.events).toEqual([])
    await store.query(`update jobs set state = 'settled' where id = $1`, [id])
    expect(await world.switchTo('live')).toBe(1)
  })

  it('does not have removed what was never opened as its own, nor what another pool needs', async () => {
    await kept('3')
    await store.query(`update contributions set verdict_digest = null, state = 'seen' where id = 3`)
    await kept('4')
    await store.query(`update contributions set state = 'refused', reason = 'WRONG_POOL' where id = 4`)
    await world.switchTo('live')
    expect((await due()).map(({ digest }) => digest)).toEqual(
      [await blobOf('1'), await blobOf('2')].toSorted(),
    )
    await store.query(
      `update contributions set pool = $1, blob_digest = $2, state = 'refined', reason = null where id = 4`,
      [addressOfDigit('c'), await blobOf('1')],
    )
    expect(await isCopyNeeded(store, await blobOf('1'))).toBe(true)
  })
})

describe('a live pool that keeps copies again', () => {
  it('has all that it accepted refined, as their stores give it, and remembers how large it is', async () => {
    await world.accepted('1')
    await world.see()
    await world.accepted('2')
    expect(await world.switchTo('escrow')).toBe(1)
    expect(await keptAs(store, livePool.address)).toBe('escrow')
    expect(await world.stateOf('1')).toMatchObject({ state: 'recorded', attempts: 0 })
    expect(await store.query('select 1 from live_copies')).toEqual([])
    const size = (await blobSizes(store, [await blobOf('1')])).get(await blobOf('1'))
    expect(size).toBe(world.online.values().next().value?.length)
  })

  it('asks at once for what only the other way of keeping made wait', async () => {
    await world.accepted('1', 1, `sha256:${'1'.repeat(64)}`)
    await world.see()
    expect(await world.stateOf('1')).toMatchObject({ reason: 'OWN_STORE_REQUIRED' })
    const next = () => nextContributions(store, livePool.address, 'recorded', 10, world.seconds)
    expect(await next()).toEqual([])
    await world.switchTo('escrow')
    expect((await next()).map(({ id }) => id)).toEqual(['1'])
    await putOffContribution(store, '1', { reason: 'BLOB_MISSING', reasonText: '', at: world.seconds + 9 })
    await world.switchTo('live')
    expect((await next()).map(({ id }) => id)).toEqual(['1'])
  })

  it('does not remove copies any more that were due', async () => {
    await world.switchTo('escrow')
    await kept('1')
    await world.switchTo('live')
    expect(await due()).toHaveLength(1)
    await world.switchTo('escrow')
    expect(await due()).toEqual([])
  })
})

describe('a pool of which what is kept and the policy change at one start', () => {
  const other = digestOfDigit('d')
  const policy = (policyDigest: typeof other) =>
    switchPolicy({ store }, { address: livePool.address, policyDigest }, { write: () => undefined })
  const next = async () =>
    (await nextContributions(store, livePool.address, 'recorded', 10, world.seconds)).map(({ id }) => id)
  /** Either switch may have to wait for jobs while the other does not. */
  const orders = [['keep', 'policy'] as const, ['policy', 'keep'] as const]
  const switchBoth = async (
    order: readonly ('keep' | 'policy')[],
    keep: 'live' | 'escrow',
    digest: typeof other,
  ) => {
    for (const what of order) expect(await (what === 'keep' ? world.switchTo(keep) : policy(digest))).toBe(1)
  }

  it.each(orders)(
    'goes live, first %s then %s: no copies, and no store is asked for what is sealed under the other',
    async (...order) => {
      await world.switchTo('escrow')
      await policy(livePool.policyDigest)
      await world.jobs.refined('1', [])
      await kept('1')
      await switchBoth(order, 'live', other)
      expect(await world.stateOf('1')).toMatchObject({ state: 'recorded', reason: 'POLICY_CHANGED' })
      expect(await store.query('select state from refinements where id = 1')).toEqual([
        { state: 'superseded' },
      ])
      expect((await due()).map(({ digest }) => digest)).toEqual([await blobOf('1')])
      expect([await next(), await world.see(), world.fetched]).toEqual([[], 0, []])
      expect(await isRebuilding(store, livePool.address)).toBe(false)
      await policy(livePool.policyDigest)
      expect(await world.see()).toBe(1)
      expect(
        (await liveCopiesOf(store, livePool.address)).map(({ contribution }) => contribution.id),
      ).toEqual(['1'])
    },
  )

  it.each(orders)(
    'keeps copies again, first %s then %s: no rows of what is sealed under the other',
    async (...order) => {
      await policy(livePool.policyDigest)
      await world.accepted('1')
      await world.see()
      await switchBoth(order, 'escrow', other)
      expect(await world.stateOf('1')).toMatchObject({ state: 'recorded', reason: 'POLICY_CHANGED' })
      expect(await store.query('select 1 from live_copies')).toEqual([])
      expect([await next(), await due()]).toEqual([[], []])
      await policy(livePool.policyDigest)
      expect(await next()).toEqual(['1'])
      expect(await world.stateOf('1')).toMatchObject({ reason: null, attempts: 0 })
    },
  )
})

describe('the migration', () => {
  it('goes down to a release that knows no live pools, and up again', async () => {
    await world.accepted('1')
    await world.see()
    await migrate(store, 12)
    expect(await world.stateOf('1')).toMatchObject({ state: 'recorded' })
    expect(await getMeta(store, `keep ${livePool.address}`)).toBeUndefined()
    await migrate(store)
    expect(await keptAs(store, livePool.address)).toBe('escrow')
  })
})
