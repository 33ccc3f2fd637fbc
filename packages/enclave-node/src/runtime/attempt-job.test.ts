import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { begunJobs } from '../state/job-queue.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { jobFixture, pool } from '../testing/job-fixture.js'
import { attemptJob } from './attempt-job.js'
import { nodeLogger } from './logger.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
beforeEach(() => world.reset())
const log = nodeLogger({ level: 'silent', simulated: true })
const attempt = (id: string) => attemptJob({ job: world.context(), id, log, now: () => 1_700_000_000 })
const standing = async (id: string) => {
  const job = await findJob(store, id)
  return [job?.state, job?.reason]
}

describe('a job keeps its place in the order', () => {
  it('while its start, its charge or its release waits for blocks', async () => {
    const id = await world.paid()
    Object.assign(world.chain, { anchors: true, anchorsConfirmed: false, confirmed: 'Funded' })
    expect(await attempt(id)).toBe(true)
    expect(await standing(id)).toEqual(['waiting', 'START_NOT_CONFIRMED'])
    world.chain.confirmed = undefined
    expect(await attempt(id)).toBe(true)
    expect(await standing(id)).toEqual(['waiting', 'ANCHOR_NOT_CONFIRMED'])
    Object.assign(world.chain, { anchorsConfirmed: true, confirmed: 'Running' })
    for (let turn = 0; turn < 2; turn++) {
      expect(await attempt(id)).toBe(true)
      expect(await standing(id)).toEqual(['charged', 'NOT_CONFIRMED'])
    }
  })

  it('and loses it when it waits for something else, or fails', async () => {
    const id = await world.paid()
    world.chain.pausedUntil = 2_000_000_000
    expect(await attempt(id)).toBe(false)
    expect(await standing(id)).toEqual(['waiting', 'POOL_PAUSED'])
    Object.assign(world.chain, { pausedUntil: 0, fail: 'release' })
    expect(await attempt(id)).toBe(false)
    expect((await standing(id))[0]).toBe('charged')
    expect(await attempt(id)).toBe(false)
    expect(await attempt('99')).toBe(false)
  })

  it('and is no reason to begin fewer others while it fails again and again, whatever it waited for before', async () => {
    const id = await world.paid()
    Object.assign(world.chain, { anchors: true, anchorsConfirmed: false })
    expect(await attempt(id)).toBe(true)
    expect(await standing(id)).toEqual(['waiting', 'ANCHOR_NOT_CONFIRMED'])
    const carried = async () => [...(await begunJobs(store, [pool.address])).carried]
    expect(await carried()).toEqual([id])
    const { jobState } = world.chain
    world.chain.jobState = () => Promise.reject(new Error('it fails before it comes to its charge'))
    expect(await attempt(id)).toBe(false)
    expect(await standing(id)).toEqual(['waiting', 'TRIED_AGAIN'])
    expect(await carried()).toEqual([])
    expect([...(await begunJobs(store, [pool.address])).all]).toEqual([id])
    world.chain.jobState = jobState
    expect(await attempt(id)).toBe(true)
    expect(await carried()).toEqual([id])
  })
})
