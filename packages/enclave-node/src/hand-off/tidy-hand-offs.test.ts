import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { type JobLock, jobLock } from '../job/job-lock.js'
import { insertJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import type { StateStore } from '../state/state-store.js'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
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
  key: digestOfDigit('e'),
  parts: null,
  transfer: null,
  left: [],
}
const failed: string[] = []
beforeEach(async () => {
  await store.run('truncate meta, jobs cascade')
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

  /** A job of this number that another node may still run. */
  const needed = async (id: string): Promise<void> => {
    const chainJob = { id, consumer: addressOfDigit('e'), manifestDigest: digestOfDigit('2'), locator: 'x' }
    await insertJob(store, { ...chainJob, pools: [addressOfDigit('a')] })
    await store.query(`update jobs set state = 'running' where id = $1`, [id])
  }
  /** @param before what happens while the lock of a job is waited for */
  const locking = (before: (id: string) => Promise<unknown>) => {
    const locked: string[] = []
    const ended: string[] = []
    const lock: JobLock = async (id, work) => {
      locked.push(id)
      await before(id)
      return work()
    }
    const handOff = { end: async (id: string) => void ended.push(id) }
    const context = { store, lock, handOff: handOff as never }
    const { tidy } = handOffTidier({ context, enough: never, onError: (job) => failed.push(job) })
    return { locked, ended, tidy }
  }

  it('waits for no lock of a job whose hand-off is needed', async () => {
    await needed('2')
    const { locked, ended, tidy } = locking(async () => undefined)
    expect(await tidy()).toBe(2)
    expect([locked, ended]).toEqual([
      ['1', '3'],
      ['1', '3'],
    ])
  })

  it('ends nothing that has come to be needed, or has ended, while its lock was waited for', async () => {
    const { locked, ended, tidy } = locking((id) =>
      id === '1' ? needed(id) : id === '2' ? forgetHandOff(store, id) : Promise.resolve(),
    )
    expect(await tidy()).toBe(1)
    expect([locked, ended, failed]).toEqual([['1', '2', '3'], ['3'], []])
  })

  it.each(['seen', 'charged', 'settled', 'refused'])('ends that of a job that is %s', async (state) => {
    await needed('1')
    await store.query('update jobs set state = $1', [state])
    const { ended, tidy } = locking(async () => undefined)
    await tidy()
    expect(ended).toContain('1')
  })

  it('ends that of a job which the chain shows no more, or of which an owner took something back', async () => {
    for (const id of ['1', '2', '3']) await needed(id)
    await store.query(`update jobs set detached = true where id = 1`)
    const inputs = [{ pool: addressOfDigit('a'), refinements: ['7'] }]
    await store.query('update jobs set reservation = $1 where id = 2', [JSON.stringify({ inputs })])
    const { ended, tidy } = locking(async () => undefined)
    await tidy()
    expect(ended).toEqual(['1', '2'])
  })

  it('does nothing for a node that hands nothing off', async () => {
    const context = { store, lock: jobLock() }
    const tidy = handOffTidier({ context, enough: never, onError: (job) => failed.push(job) })
    expect(await tidy.tidy()).toBe(0)
    expect(failed).toEqual([])
    expect(await handedOffJobs(store)).toHaveLength(3)
  })
})
