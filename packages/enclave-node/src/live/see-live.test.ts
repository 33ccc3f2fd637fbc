import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { countLive, liveCopiesOf } from '../state/live-copy-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { withdrawContribution } from '../state/withdrawal.js'
import { livePool, liveWorld } from '../testing/live-world.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
const runtime = await createQuickJsRuntime()
afterAll(async () => {
  await runtime.close()
  await store.close()
})
const world = liveWorld(store, runtime)
beforeEach(() => world.reset())

describe('an accepted contribution of a live pool', () => {
  it('is looked at once, and nothing of it stays but a digest of its rows', async () => {
    await world.accepted('1', 17)
    expect(await world.see()).toBe(1)
    expect(await world.see()).toBe(0)
    expect(await world.stateOf('1')).toMatchObject({ state: 'refined', reason: null, refinement: null })
    const [copy] = await liveCopiesOf(store, livePool.address)
    expect(copy?.rows).toMatch(/^sha256:/)
    const tables = await store.query(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
    )
    const all: string[] = []
    for (const { name } of tables) all.push(JSON.stringify(await store.query(`select * from ${name}`)))
    expect(all.join()).not.toMatch(/"wage"|17\.00|care/)
  })

  it('waits, longer each time, while its owner’s store does not give it, and is in no job', async () => {
    const place = await world.accepted('1')
    const file = world.online.get(place)
    world.online.clear()
    expect(await world.see()).toBe(0)
    expect(await world.stateOf('1')).toMatchObject({ state: 'recorded', reason: 'NOT_LIVE', attempts: 1 })
    world.seconds += 59
    await world.see()
    expect(world.fetched).toHaveLength(1)
    world.seconds += 1
    await world.see()
    expect(world.fetched).toHaveLength(2)
    expect(await countLive(store, livePool.address)).toMatchObject({ accepted: 0 })
    world.online.set(place, file ?? new Uint8Array())
    world.seconds += 120
    expect(await world.see()).toBe(1)
    expect(await countLive(store, livePool.address)).toMatchObject({ accepted: 1, found: 1 })
  })

  it('that names no store of its owner’s is told so, and not asked for anywhere', async () => {
    await world.accepted('1', 1, `sha256:${'1'.repeat(64)}`)
    await world.see()
    expect(await world.stateOf('1')).toMatchObject({ state: 'recorded', reason: 'OWN_STORE_REQUIRED' })
    expect(world.fetched).toEqual([])
  })

  it('that the refiner does not take is over', async () => {
    await world.accepted('1', 1_000_000)
    expect(await world.see()).toBe(1)
    expect(await world.stateOf('1')).toMatchObject({ state: 'refined', reason: 'REFINER_REFUSED' })
    expect(await liveCopiesOf(store, livePool.address)).toEqual([])
  })

  it('that is taken back meanwhile does not come in', async () => {
    await world.accepted('1')
    world.onFetch = async () => {
      await withdrawContribution(store, { id: '1', blockNumber: 9n })
    }
    expect(await world.see()).toBe(0)
    expect(await world.stateOf('1')).toMatchObject({ state: 'withdrawn' })
    expect(await store.query('select 1 from live_copies')).toEqual([])
  })

  it('does not hold up the node’s other work when stores are slow', async () => {
    for (const id of ['1', '2', '3', '4', '5', '6']) await world.accepted(id)
    world.onFetch = async () => {
      world.seconds += 20
    }
    expect(await world.see()).toBe(2)
    expect(await world.stateOf('6')).toMatchObject({ state: 'recorded', attempts: 0 })
    world.onFetch = async () => undefined
    expect(await world.see()).toBe(4)
  })
})
