import type { Address } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { ChainPort } from '../chain/chain-port.js'
import { advanceJob } from '../job/run-job.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { engine, jobFixture, manifest, pool } from '../testing/job-fixture.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { signsOfLife } from './signs-of-life.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
beforeEach(() => world.reset())

const seconds = 900
/** A process with its clock, and what it has sent. */
function living(pools: ReadonlyMap<Address, typeof pool> = new Map([[pool.address, pool]])) {
  const sent: string[] = []
  const failed: string[] = []
  const state = { now: 1_700_000_000, works: true, away: '' }
  const context = world.context()
  const heartbeat: ChainPort['heartbeat'] = async ({ job, sign }) => {
    if (job === state.away) throw new Error('the endpoint is away')
    sent.push(`${job} ${String(sign(state.now).statement.body['time'])}`)
  }
  const round = signsOfLife({
    job: { ...context, chain: { ...context.chain, heartbeat }, pools, now: () => state.now },
    seconds,
    mayWork: () => state.works,
    onError: (job) => failed.push(job),
  })
  const all = async () => {
    // One round more: what is due by then is sent by the next look.
    for (let more = 1; more >= 0; more -= (await round()) ? 0 : 1);
    return sent.splice(0)
  }
  return { state, all, once: round, failed }
}
/** Jobs that were begun, as the node has read the chain since. */
const seen = () => store.query(`update jobs set chain_state = 'Running'`)
const waiting = async (...ids: readonly string[]): Promise<void> => {
  Object.assign(world.chain, { anchors: true, anchorsConfirmed: false })
  for (const id of ids) {
    Object.assign(world.chain, { state: 'Funded', node: null })
    await world.paid(manifest({ privacy: { epsilon: 0.1, delta: 0 }, salt: `abcdefghijklmno${id}` }), {}, id)
    expect(await advanceJob(world.context(), id)).toMatchObject({ reason: 'ANCHOR_NOT_CONFIRMED' })
  }
  await seen()
}

describe('signs of life', () => {
  it('are sent while an anchor is waited for, of every job, each time that they are due', async () => {
    await waiting('1', '2')
    const { state, all } = living()
    expect(await all()).toEqual(['1 1700000000', '2 1700000000'])
    state.now += seconds - 1
    expect(await all()).toEqual([])
    state.now += 1
    expect(await all()).toEqual(['1 1700000900', '2 1700000900'])
    // The clock was set back by a day.
    state.now -= 86_400
    expect(await all()).toHaveLength(2)
  })

  it('are sent of the last job too when they take longer than until the next are due', async () => {
    await waiting('1', '2', '3')
    const { state, all, once } = living()
    await once()
    state.now += seconds
    const due = ['1', '2', '3'].map((id) => `${id} 1700000900`)
    expect(await all()).toEqual(['1 1700000000', ...due.slice(1), ...due])
  })

  it('are sent while a job runs, and no more when it is over', async () => {
    const here = living()
    let during: string[] = []
    const runs = engine()
    const open = () =>
      engine({
        async query(...asked) {
          await seen()
          during = await here.all()
          return runs.query(...asked)
        },
      })
    await world.paid()
    expect(await advanceJob(world.context(open), '1')).toMatchObject({ state: 'settled' })
    expect(during).toEqual(['1 1700000000'])
    for (const state of ['settled', 'refused', 'closed', 'refusing', 'released']) {
      await store.query(`update jobs set state = '${state}'`)
      here.state.now += seconds
      expect(await here.all(), state).toEqual([])
    }
  })

  it('are sent of a start that waits for its confirmations', async () => {
    await world.paid()
    world.chain.confirmed = 'Funded'
    expect(await advanceJob(world.context(), '1')).toMatchObject({ reason: 'START_NOT_CONFIRMED' })
    expect(await living().all()).toHaveLength(1)
  })

  it('that cannot be sent hold up no other', async () => {
    await waiting('1', '2')
    const { state, all, failed } = living()
    state.away = '1'
    expect(await all()).toEqual(['2 1700000000'])
    expect(failed).toEqual(['1'])
  })

  it('keep no job that this node does not bring to its end', async () => {
    await waiting('1')
    const idle = living()
    idle.state.works = false
    expect(await idle.all()).toEqual([])
    idle.state.works = true
    expect(await idle.all()).toHaveLength(1)
    expect(await living(new Map([[addressOfDigit('7'), pool]])).all()).toEqual([])
    for (const reason of ['TRIED_AGAIN', 'ASSIGNED_TO_OTHER_NODE', 'JOB_SUSPENDED', 'HOME_SILENT']) {
      await store.query('update jobs set reason = $1', [reason])
      expect(await living().all(), reason).toEqual([])
    }
    await store.query('update jobs set reason = null, detached = true')
    expect(await living().all()).toEqual([])
  })
})
