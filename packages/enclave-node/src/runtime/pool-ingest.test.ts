import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { keptAs } from '../state/kept-as.js'
import { getMeta } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { livePool, liveWorld } from '../testing/live-world.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import type { NodeLogger } from './logger.js'
import { poolIngest } from './pool-ingest.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
const runtime = await createQuickJsRuntime()
afterAll(async () => {
  await runtime.close()
  await store.close()
})
const world = liveWorld(store, runtime)
beforeEach(() => world.reset())

/** A node's rounds over the pool. */
const rounds = (epoch = 1) => {
  let switched = 0
  const ingest = poolIngest({
    ingest: world.ingest(),
    audit: { write: () => undefined },
    log: { info: () => undefined } as unknown as NodeLogger,
    firstEpoch: () => epoch,
    presentEpoch: () => epoch,
    onSwitched: () => {
      switched += 1
    },
  })
  return { ...ingest, switched: () => switched }
}
/** A job that has reserved what the pool has now. */
const reserved = async (): Promise<string> => {
  const id = await world.jobs.paid()
  await store.query(`update jobs set reservation = '{"inputs":[]}', state = 'running' where id = $1`, [id])
  return id
}

describe('a round over a pool', () => {
  it('takes nothing in while a switch waits for a job, and everything once it is over', async () => {
    for (const keep of ['live', 'escrow'] as const) {
      await world.reset()
      await world.switchTo(keep === 'live' ? 'escrow' : 'live')
      await world.accepted('1')
      const job = await reserved()
      const { step, switched } = rounds()
      expect(await step({ ...livePool, keep })).toBe(0)
      expect([switched(), world.fetched]).toEqual([0, []])
      expect(await keptAs(store, livePool.address)).not.toBe(keep)
      await store.query(`update jobs set state = 'settled' where id = $1`, [job])
      // What it takes to write tables is not here.
      await step({ ...livePool, keep }).catch(() => undefined)
      expect([switched(), world.fetched.length]).toEqual([1, 1])
    }
  })

  it('takes nothing in while a policy waits for a job, and nothing of the old one afterwards', async () => {
    await rounds().step(livePool)
    await world.accepted('1')
    const job = await reserved()
    const changed = { ...livePool, policyDigest: digestOfDigit('d') }
    expect(await rounds().step(changed)).toBe(0)
    expect(world.fetched).toEqual([])
    await store.query(`update jobs set state = 'settled' where id = $1`, [job])
    expect(await rounds().step(changed)).toBe(1)
    expect(world.fetched).toEqual([])
    expect(await rounds().step(livePool)).toBe(2)
    expect(world.fetched).toHaveLength(1)
  })

  it('keeps no header of a live pool’s files, also when an incident gave up their key', async () => {
    await world.accepted('1')
    expect(await rounds(2).step(livePool)).toBe(1)
    expect(await getMeta(store, 'rewrapped header 1')).toBeUndefined()
  })
})
