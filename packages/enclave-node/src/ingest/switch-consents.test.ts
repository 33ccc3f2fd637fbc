import { digestToHex } from '@sealpool/crypto'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { advanceJob } from '../job/run-job.js'
import { jobInputs } from '../release/job-inputs.js'
import { countWithheld } from '../state/consent-table.js'
import { nextContributions } from '../state/contribution-table.js'
import { liveCopiesOf } from '../state/live-copy-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { isRebuilding } from '../state/withdrawal.js'
import { engine, jobFixture, pool } from '../testing/job-fixture.js'
import { livePool, liveWorld } from '../testing/live-world.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { switchConsents } from './switch-consents.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
const runtime = await createQuickJsRuntime()
afterAll(async () => {
  await runtime.close()
  await store.close()
})
const old = digestOfDigit('b')
const present = digestOfDigit('c')
const events: unknown[] = []
const audit = { write: (event: unknown) => void events.push(event) }
const agreeTo = (digest: typeof old, ...ids: string[]) =>
  store.query(
    `update contributions set consent_digest = $1 where id = any (string_to_array($2, ',')::bigint[])`,
    [digestToHex(digest), ids.join(',')],
  )
const standing = async () =>
  (await store.query('select id::text, state, reason from contributions order by contributions.id')).map(
    ({ id, state, reason }) => `${id} ${state} ${reason ?? '-'}`,
  )

describe('a pool whose text changes', () => {
  const world = jobFixture(store)
  const switchTo = (consents: readonly (typeof old)[] | null) =>
    switchConsents({ store }, { address: pool.address, consents }, audit)
  const next = async () =>
    (await nextContributions(store, pool.address, 'recorded', 10, 0)).map(({ id }) => id)
  /** Takes accepted contributions into the tables again, as refining does. */
  const refine = (...ids: string[]) => world.refined('2', ids)
  const ruled = { ...pool, consents: [present] }
  const context = () => world.context(() => engine(), { pools: new Map([[pool.address, ruled]]) })

  beforeEach(async () => {
    await world.reset()
    await store.run('truncate meta')
    await agreeTo(old, '1', '2')
    await agreeTo(present, '3', '4')
    events.length = 0
  })

  it('uses what was contributed under another one in no job, and the rest again once its tables are made', async () => {
    expect(await switchTo([present])).toBe(1)
    expect(await standing()).toEqual([
      '1 recorded CONSENT_CHANGED',
      '2 recorded CONSENT_CHANGED',
      '3 recorded -',
      '4 recorded -',
    ])
    expect(await store.query('select state from refinements')).toEqual([{ state: 'superseded' }])
    expect(await next()).toEqual(['3', '4'])
    expect(await isRebuilding(store, pool.address)).toBe(true)
    await refine('3', '4')
    expect(await isRebuilding(store, pool.address)).toBe(false)
    expect(await jobInputs(store, [ruled])).toMatchObject([{ count: 2, withheld: 2 }])
    expect(events).toEqual([
      { event: 'pool-consents', facts: { pool: pool.address, accepted: 1, withheld: 2 } },
    ])
    expect(await switchTo([present])).toBe(0)
  })

  it('tells in receipts how many it left out, and not which', async () => {
    await switchTo([present])
    await refine('3', '4')
    const id = await world.paid()
    expect(await advanceJob(context(), id)).toMatchObject({ state: 'settled' })
    const [told] = (await world.receiptOf(id)).pools
    expect(told).toMatchObject({ inputs: { count: 2 }, consent: { withheld: 2 } })
  })

  it('begins no job before its tables are made by the text', async () => {
    const id = await world.paid()
    expect(await advanceJob(context(), id)).toMatchObject({ state: 'waiting', reason: 'CONSENTS_SWITCHED' })
  })

  it('uses it again when its owner agreed, and when the text counts again', async () => {
    await switchTo([present])
    await agreeTo(present, '1')
    expect(await next()).toEqual(['1', '3', '4'])
    expect(await countWithheld(store, pool.address)).toBe(1)
    expect(await switchTo([present, old])).toBe(1)
    expect(await next()).toEqual(['1', '2', '3', '4'])
    expect((await standing()).every((line) => line.endsWith(' recorded -'))).toBe(true)
    expect(await switchTo(null)).toBe(1)
    expect(await jobInputs(store, [pool])).not.toHaveProperty('0.withheld')
  })

  it('leaves what jobs have reserved of it to them first, and waits for no others', async () => {
    const id = await world.paid()
    await store.query(`update jobs set reservation = '{"inputs":[]}', state = 'running' where id = $1`, [id])
    expect(await switchTo([present])).toBe(0)
    expect((await standing())[0]).toBe('1 refined -')
    await store.query(`update jobs set state = 'settled' where id = $1`, [id])
    expect(await switchTo([present])).toBe(1)
    // There may always be one over another pool.
    await store.query(`update jobs set state = 'running', pools = $2 where id = $1`, [
      id,
      JSON.stringify([addressOfDigit('d')]),
    ])
    expect(await switchTo([old])).toBe(1)
  })

  it('goes by nothing where no text is named', async () => {
    expect(await switchTo(null)).toBe(0)
    expect(await jobInputs(store, [pool])).toMatchObject([{ count: 4 }])
    expect((await jobInputs(store, [pool]))[0]).not.toHaveProperty('withheld')
  })
})

describe('a live pool whose text changes', () => {
  const world = liveWorld(store, runtime)
  const switchTo = (consents: readonly (typeof old)[] | null) =>
    switchConsents(world.ingest(), { address: livePool.address, consents }, audit)

  it('asks the stores of those who agreed to it, and no others', async () => {
    await world.reset()
    await world.accepted('1')
    await world.accepted('2')
    await world.see()
    await agreeTo(old, '1')
    await agreeTo(present, '2')
    expect(await switchTo([present])).toBe(1)
    world.fetched.length = 0
    expect(await world.see()).toBe(0)
    expect(world.fetched).toEqual([])
    expect((await liveCopiesOf(store, livePool.address)).map(({ contribution }) => contribution.id)).toEqual([
      '2',
    ])
    await agreeTo(present, '1')
    expect(await world.see()).toBe(1)
  })
})
