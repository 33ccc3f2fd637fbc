import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { jobLock } from '../job/job-lock.js'
import { migrate } from '../state/migration.js'
import type { StateStore } from '../state/state-store.js'
import { memoryStores } from '../testing/memory-store.js'
import { forgetHandOff, handedOffJobs, keepHandOff } from './kept-hand-off.js'
import { handOffTidier } from './tidy-hand-offs.js'

const stores = memoryStores()
const store: StateStore = await stores()
await migrate(store)
afterAll(() => store.close())
const row = {
  attempt: 0,
  turnAt: 1,
  reachedAt: 1,
  secret: 'A'.repeat(43),
  parts: null,
  transfer: null,
  left: [],
}
const failed: string[] = []
beforeEach(async () => {
  await store.query('delete from meta')
  failed.length = 0
  for (const job of ['1', '2', '3']) await keepHandOff(store, job, row)
})
const never = (): Promise<void> => new Promise(() => undefined)
/** @param end what ending one comes to; `undefined`: it is ended */
function tidier(end: (job: string) => Promise<void>, enough = never) {
  const handOff = {
    end: async (job: string) => {
      await end(job)
      await forgetHandOff(store, job)
    },
  }
  const context = { store, lock: jobLock(), handOff: handOff as never }
  return handOffTidier({ context, enough, onError: (job) => failed.push(job) })
}

describe('tidying hand-offs', () => {
  it('ends all others when one cannot be ended, which is tried again', async () => {
    let broken = true
    const tidy = tidier(async (job) => {
      if (job === '1' && broken) throw new Error('EIO')
    })
    expect(await tidy.tidy()).toBe(2)
    expect([failed, await handedOffJobs(store)]).toEqual([['1'], ['1']])
    broken = false
    expect(await tidy.tidy()).toBe(1)
    expect(await handedOffJobs(store)).toEqual([])
  })

  it('waits for one that takes long no longer than is enough, never ends it twice at once, and ends the rest', async () => {
    let let1Go: () => void = () => undefined
    const gate = new Promise<void>((done) => {
      let1Go = done
    })
    let others = 0
    let bothEnded: () => void = () => undefined
    const both = new Promise<void>((done) => {
      bothEnded = done
    })
    let begun = 0
    let rounds = 0
    const tidy = tidier(
      async (job) => {
        if (job === '1') {
          begun += 1
          await gate
        } else if (++others === 2) bothEnded()
      },
      () => (rounds++ === 0 ? both : never()),
    )
    await tidy.tidy()
    // Nothing that is under way is waited for again.
    await tidy.tidy()
    expect(begun).toBe(1)
    const over = tidy.ended()
    let1Go()
    await over
    expect([await handedOffJobs(store), failed]).toEqual([[], []])
  })

  it('does nothing for a node that hands nothing off', async () => {
    const context = { store, lock: jobLock() }
    const tidy = handOffTidier({ context, enough: never, onError: (job) => failed.push(job) })
    expect(await tidy.tidy()).toBe(0)
    expect(await handedOffJobs(store)).toHaveLength(3)
  })
})
