import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { countLive } from '../state/live-copy-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { withdrawContribution } from '../state/withdrawal.js'
import { engine, manifest } from '../testing/job-fixture.js'
import { livePool, liveWorld } from '../testing/live-world.js'
import { previewPlan } from './request-run.js'
import { advanceJob } from './run-job.js'

/* Jobs over a live pool of which the node keeps nothing: real sealed files, refiner, store and ledger; the chain and the engine are stand-ins. */

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
const runtime = await createQuickJsRuntime()
afterAll(async () => {
  await runtime.close()
  await store.close()
})
const world = liveWorld(store, runtime)
const places: string[] = []
beforeEach(async () => {
  await world.reset()
  places.length = 0
  for (const id of ['1', '2', '3', '4']) places.push(await world.accepted(id))
  await world.see()
  world.fetched.length = 0
})
const leave = (...owners: number[]) => {
  for (const owner of owners) world.online.delete(places[owner - 1] ?? '')
}
/** Another job with the same plan, on a chain on which the one before has ended. */
const paidAgain = (id: string): Promise<string> => {
  Object.assign(world.jobs.chain, { state: 'Funded', node: null })
  return world.jobs.paid(manifest({ salt: `abcdefghijklmno${id}` }), {}, id)
}
/** What the engine was given. */
let loaded: unknown[] = []
const watching = () => {
  loaded = []
  return engine({
    load: async ({ parquet }: { parquet?: { paths: readonly string[]; key: Uint8Array } }) => {
      for (const path of parquet?.paths ?? []) {
        const part = world.parts.get(path)
        if (part === undefined || Buffer.compare(part.key, parquet?.key ?? new Uint8Array()) !== 0)
          throw new Error('it does not open')
        loaded.push(...part.rows)
      }
    },
  } as Parameters<typeof engine>[0])
}
const wages = () => loaded.map((row) => Number((row as { wage: unknown }).wage)).sort()

describe('a job over a live pool', () => {
  it('reads what the owners’ stores give for it, and leaves nothing behind', async () => {
    const live = world.tables()
    const seen: Uint8Array[] = []
    const id = await world.jobs.paid()
    const job = await advanceJob(
      world.context(live, () => {
        for (const { key } of world.parts.values()) seen.push(key)
        return watching()
      }),
      id,
    )
    expect(job).toMatchObject({ state: 'settled', reason: null })
    expect(wages()).toEqual([1, 2, 3, 4])
    expect(world.fetched.toSorted()).toEqual(places.toSorted())
    const [pool] = (await world.jobs.receiptOf(id)).pools
    expect(pool).toMatchObject({ inputs: { count: 4 }, live: { leftOut: 0 } })
    expect(world.parts.size).toBe(0)
    expect(live.of(id)).toBeUndefined()
    expect(seen.length).toBeGreaterThan(0)
    for (const key of seen) expect(key.every((byte) => byte === 0)).toBe(true)
  })

  it('leaves out what is not there, counts it, and names the set that it used', async () => {
    const all = world.tables()
    const first = await world.jobs.paid()
    await advanceJob(world.context(all, watching), first)
    leave(3)
    const live = world.tables()
    const second = await paidAgain('2')
    await advanceJob(world.context(live, watching), second)
    expect(wages()).toEqual([1, 2, 4])
    const [before] = (await world.jobs.receiptOf(first)).pools
    const [after] = (await world.jobs.receiptOf(second)).pools
    expect(after).toMatchObject({ inputs: { count: 3 }, live: { leftOut: 1 } })
    expect(after?.inputs.root).not.toBe(before?.inputs.root)
    expect(after?.verdicts).not.toBe(before?.verdicts)
    expect(live.figures()).toEqual({ live_fetched: 3, live_left_out: 1, live_jobs: 0 })
    expect(JSON.stringify(await world.jobs.receiptOf(second))).not.toContain('owner-3')
  })

  it.each<[string, (place: string) => void]>([
    ['gives another file', (place) => world.online.set(place, new TextEncoder().encode('another'))],
    [
      'gives the file of another owner',
      (place) => world.online.set(place, world.online.get(places[0] ?? '') ?? new Uint8Array()),
    ],
    [
      'cuts it',
      (place) => world.online.set(place, world.online.get(place)?.subarray(0, -1) ?? new Uint8Array()),
    ],
  ])('leaves out what a store does not give as it was: one that %s', async (_, spoil) => {
    spoil(places[1] ?? '')
    const id = await world.jobs.paid()
    await advanceJob(world.context(world.tables(), watching), id)
    expect(wages()).toEqual([1, 3, 4])
    expect((await world.jobs.receiptOf(id)).pools[0]?.live).toEqual({ leftOut: 1 })
  })

  it('leaves out what gives other rows than it gave when it was accepted', async () => {
    await store.query(`update live_copies set rows = $1 where contribution = 2`, [`sha256:${'0'.repeat(64)}`])
    const id = await world.jobs.paid()
    await advanceJob(world.context(world.tables(), watching), id)
    expect(wages()).toEqual([1, 3, 4])
  })

  it('is refused and not charged when too few are there, with the count of those that are not', async () => {
    leave(1, 2, 3)
    const id = await world.jobs.paid()
    const job = await advanceJob(world.context(world.tables(), watching), id)
    expect(job).toMatchObject({ state: 'refused', reason: 'TOO_FEW_CONTRIBUTORS' })
    const [pool] = (await world.jobs.receiptOf(id)).pools
    expect(pool).toMatchObject({ inputs: { count: 1 }, live: { leftOut: 3 }, budget: null })
    expect(await world.jobs.spent()).toBe('0')
    expect(world.parts.size).toBe(0)
  })

  it('asks nobody any more when its time is over, and those last that were away before', async () => {
    leave(1)
    await advanceJob(world.context(world.tables(), watching), await world.jobs.paid())
    world.online.set(places[0] ?? '', new Uint8Array())
    world.fetched.length = 0
    world.onFetch = async () => {
      world.milliseconds += 6_000
    }
    const id = await paidAgain('2')
    await advanceJob(world.context(world.tables(), watching), id)
    expect(world.fetched).toEqual([places[1], places[2]])
    expect((await world.jobs.receiptOf(id)).pools[0]?.live).toEqual({ leftOut: 2 })
  })

  it('waits for its anchor with the set that was charged, and does not ask again', async () => {
    world.jobs.chain.anchors = true
    world.jobs.chain.anchorsConfirmed = false
    const live = world.tables()
    const id = await world.jobs.paid()
    expect(await advanceJob(world.context(live, watching), id)).toMatchObject({
      reason: 'ANCHOR_NOT_CONFIRMED',
    })
    leave(2)
    world.jobs.chain.anchorsConfirmed = true
    expect(await advanceJob(world.context(live, watching), id)).toMatchObject({ state: 'settled' })
    expect(wages()).toEqual([1, 2, 3, 4])
    expect(world.fetched).toHaveLength(4)
  })

  it('runs on no other set after a restart than its charge names, and says why it waits', async () => {
    world.jobs.chain.anchors = true
    world.jobs.chain.anchorsConfirmed = false
    leave(4)
    const id = await world.jobs.paid()
    await advanceJob(world.context(world.tables(), watching), id)
    world.jobs.chain.anchorsConfirmed = true
    // The fourth owner is back and the second is gone: the charge is over the first three.
    await world.accepted('5')
    const second = world.online.get(places[1] ?? '')
    leave(2)
    world.parts.clear()
    const restarted = world.tables()
    const context = world.context(restarted, watching)
    expect(await advanceJob(context, id)).toMatchObject({ state: 'waiting', reason: 'SOURCES_AWAY' })
    expect(world.parts.size).toBe(0)
    world.online.set(places[1] ?? '', second ?? new Uint8Array())
    expect(await advanceJob(context, id)).toMatchObject({ state: 'settled' })
    expect(wages()).toEqual([1, 2, 3])
    expect((await world.jobs.receiptOf(id)).pools[0]).toMatchObject({
      inputs: { count: 3 },
      live: { leftOut: 1 },
    })
    expect(await world.jobs.spent()).toBe('1')
  })

  it('ends, charged and by name, when what it reserved does not come back', async () => {
    world.jobs.chain.anchors = true
    world.jobs.chain.anchorsConfirmed = false
    const id = await world.jobs.paid()
    await advanceJob(world.context(world.tables(), watching), id)
    world.jobs.chain.anchorsConfirmed = true
    leave(2)
    const context = world.context(world.tables(), watching)
    for (let round = 1; round < 10; round += 1)
      expect(await advanceJob(context, id)).toMatchObject({ state: 'waiting', reason: 'SOURCES_AWAY' })
    expect(await advanceJob(context, id)).toMatchObject({ state: 'refused', reason: 'SOURCES_AWAY' })
    expect((await world.jobs.receiptOf(id)).pools[0]?.budget).not.toBeNull()
    expect(world.parts.size).toBe(0)
  })

  it('ends when an owner takes back what was reserved, as it does where rows are kept', async () => {
    const live = world.tables()
    const id = await world.jobs.paid()
    const job = await advanceJob(
      world.context(live, () =>
        engine({
          query: async () => {
            await withdrawContribution(store, { id: '2', blockNumber: 9n })
            return [{ k0: '0', s0: '2', s1: '2' }]
          },
        }),
      ),
      id,
    )
    expect(job).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    expect(world.parts.size).toBe(0)
  })

  it('prepares anew when an owner takes something back before the charge', async () => {
    const live = world.tables()
    const id = await world.jobs.paid()
    world.onFetch = async (url) => {
      if (url === places[3]) await withdrawContribution(store, { id: '1', blockNumber: 9n })
    }
    expect(await advanceJob(world.context(live, watching), id)).toMatchObject({ reason: 'TABLES_REBUILT' })
    expect(await world.jobs.spent()).toBe('0')
    expect(await advanceJob(world.context(live, watching), id)).toMatchObject({ state: 'settled' })
    expect(wages()).toEqual([2, 3, 4])
  })

  it('keeps what was fetched while a job waits, and not once the chain has ended it', async () => {
    world.jobs.chain.anchors = true
    world.jobs.chain.anchorsConfirmed = false
    const live = world.tables()
    const context = world.context(live, watching)
    const first = await world.jobs.paid()
    await advanceJob(context, first)
    world.jobs.chain.anchorsConfirmed = true
    await advanceJob(context, await paidAgain('2'))
    expect(live.of(first)?.get(livePool.address)?.inputs).toHaveLength(4)
    await store.query(`update jobs set state = 'closed' where id = $1`, [first])
    await advanceJob(context, await paidAgain('3'))
    expect(live.of(first)).toBeUndefined()
    expect(world.parts.size).toBe(0)
  })

  it('leaves no files of a job that the chain has ended while they were fetched', async () => {
    const live = world.tables()
    const context = world.context(live, watching)
    const first = await world.jobs.paid()
    let go: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      go = resolve
    })
    let begun: () => void = () => undefined
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    world.onFetch = () => {
      begun()
      return held
    }
    const running = advanceJob(context, first)
    await isBegun
    world.onFetch = async () => undefined
    await store.query(`update jobs set state = 'closed' where id = $1`, [first])
    await advanceJob(context, await paidAgain('2'))
    go()
    await expect(running).rejects.toMatchObject({ code: 'JOB_MOVED' })
    await live.end(first)
    expect(world.parts.size).toBe(0)
  })

  it('has secrets that follow from the set that it used, whenever it was fetched', async () => {
    const keys: string[] = []
    const run = async (id: string): Promise<void> => {
      const job = await paidAgain(id)
      const open = ({ pseudonymKey }: { readonly pseudonymKey: Uint8Array }) => {
        keys.push(Buffer.from(pseudonymKey).toString('hex'))
        return watching()
      }
      await advanceJob(world.context(world.tables(), open), job)
    }
    await run('1')
    await run('2')
    leave(4)
    await run('3')
    expect(keys).toEqual([keys[0], keys[0], expect.not.stringMatching(keys[0] ?? '')])
  })

  it('waits while what the pool keeps is switched', async () => {
    await store.query(`delete from meta where key like 'keep %'`)
    const id = await world.jobs.paid()
    expect(await advanceJob(world.context(world.tables(), watching), id)).toMatchObject({
      reason: 'KEEP_SWITCHED',
    })
    expect(world.fetched).toEqual([])
  })

  it('writes nothing any more once one of its fetches has failed by the node’s own fault', async () => {
    const live = world.tables()
    world.onFetch = async (url) => {
      if (url === places[2]) throw new Error('the disk is gone')
    }
    const id = await world.jobs.paid()
    await expect(advanceJob(world.context(live, watching), id)).rejects.toThrow('the disk is gone')
    expect(world.parts.size).toBe(0)
  })
})

describe('a preview over a live pool', () => {
  it('says how many were there at the last look, and when that was', async () => {
    leave(3, 4)
    world.seconds += 500
    await advanceJob(world.context(world.tables(), watching), await world.jobs.paid())
    const asked = manifest() as never
    world.fetched.length = 0
    expect(await previewPlan(world.context(world.tables()), asked)).toMatchObject({
      ok: true,
      live: [{ pool: livePool.address, accepted: 4, found: 2, lookedAt: 1_700_000_500 }],
    })
    expect(world.fetched).toEqual([])
    expect(await previewPlan(world.jobs.context(), asked)).toMatchObject({ ok: true, live: [] })
  })

  it('knows of no look where there was none', async () => {
    await store.run('truncate live_copies')
    expect(await countLive(store, livePool.address)).toEqual({ accepted: 0, found: 0, lookedAt: null })
  })
})
