import { type Deletion, verifyDeletions } from '@sealpool/attest'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { switchKeep } from '../live/switch-keep.js'
import { noteBlob } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import type { StateStore } from '../state/state-store.js'
import { memoryStores } from '../testing/memory-store.js'
import { retentionRegistry, retentionWorld } from '../testing/retention-world.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'

/* What goes when a pool keeps no copies any more is deleted, and told, as what is over is. */

let kept: StateStore
beforeAll(async () => {
  kept = await memoryStores()()
  await migrate(kept)
})
afterAll(() => kept.close())
let world: Awaited<ReturnType<typeof retentionWorld>>
beforeEach(async () => {
  world = await retentionWorld(kept)
})
afterEach(() => world.close())

const audit = { write: () => undefined }
const goLive = () => switchKeep({ store: kept }, { address: world.pool.address, keep: 'live' }, audit)
const told = async (node: ReturnType<typeof world.start>): Promise<readonly Deletion[]> => {
  const deployment = { chainId: 31_337, registry: retentionRegistry }
  const { lists } = await node.collector.read(1)
  const verdict = verifyDeletions({ lists, node: world.node, deployment })
  expect(verdict).toMatchObject({ ok: true })
  return verdict.lists.flatMap(({ entries }) => entries)
}
const isThere = (digest: string) =>
  world.blobs.get(digest).then(
    () => true,
    () => false,
  )

describe('a pool that went live', () => {
  it('has its rows and copies removed, in a signed list that says why', async () => {
    await world.refinement('1')
    const one = await world.refined('1', 0, '1')
    const other = await world.refined('2', 1, '1')
    const node = world.start({}, { keep: 'live' })
    await node.work()
    expect(await isThere(one)).toBe(true)
    await goLive()
    await node.work()
    expect([await isThere(one), await isThere(other)]).toEqual([false, false])
    expect(await kept.query(`select parts from refinements where id = 1`)).toEqual([{ parts: '[]' }])
    expect(await kept.query('select digest from blobs')).toEqual([])
    expect(
      (await told(node)).map(({ kind, object, reason }) => `${kind} ${object} ${reason}`).sort(),
    ).toEqual([`copy ${one} live`, `copy ${other} live`, 'rows refinement 1 live'].sort())
    expect(node.errors).toEqual([])
  })

  it('removes a copy that another pool needs once that one is through with it', async () => {
    await world.refinement('1')
    const copy = await world.refined('1', 0, '1')
    await world.seen('2', 0, copy)
    await kept.query(`update contributions set pool = $1 where id = 2`, [addressOfDigit('c')])
    await goLive()
    const node = world.start({}, { keep: 'live' })
    await node.work()
    expect(await isThere(copy)).toBe(true)
    await kept.query(`update contributions set state = 'refused', reason = 'WRONG_POOL' where id = 2`)
    await node.work()
    expect(await isThere(copy)).toBe(false)
    expect((await told(node)).map(({ object, reason }) => [object, reason])).toContainEqual([copy, 'live'])
  })

  it('tries again where a store refuses', async () => {
    await world.refinement('1')
    const copy = await world.refined('1', 0, '1')
    await noteBlob(kept, { digest: copy, purpose: 'contribution', size: 8 })
    await goLive()
    const broken = world.start(
      {},
      { keep: 'live', blobs: { ...world.blobs, remove: () => Promise.reject(new Error('no')) } },
    )
    await broken.work()
    expect(broken.errors.length).toBeGreaterThan(0)
    expect(await isThere(copy)).toBe(true)
    await world.start({}, { keep: 'live' }).work()
    expect(await isThere(copy)).toBe(false)
  })
})
