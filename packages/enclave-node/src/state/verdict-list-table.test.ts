import { type Digest, sha256Digest } from '@sealpool/crypto'
import * as fc from 'fast-check'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { retentionWorld } from '../testing/retention-world.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { insertJob } from './job-table.js'
import { setMeta } from './meta-table.js'
import { migrate } from './migration.js'
import { openPgliteStore } from './pglite-store.js'
import type { Sql } from './state-store.js'
import {
  forgetVerdictLists,
  keepVerdictList,
  keepVerdictLists,
  readVerdictList,
  readVerdictLists,
} from './verdict-list-table.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
beforeEach(() => store.run('truncate verdict_lists, verdict_parts, jobs, meta cascade'))

const digestOf = (number: number): Digest => sha256Digest(new TextEncoder().encode(String(number)))
/** Digests of which some end a part. */
const digests = (count: number): readonly Digest[] => Array.from({ length: count }, (_, n) => digestOf(n))
const parts = async (): Promise<number> =>
  Number((await store.query('select count(*) as count from verdict_parts'))[0]?.['count'])

it('gives back every list as it was', async () => {
  const ends = fc.constantFrom('00', '0', '', '01', 'ff00')
  const digest = fc
    .tuple(fc.integer({ min: 0, max: 20 }), ends)
    .map(([number, end]): Digest => `${digestOf(number).slice(0, 71 - end.length)}${end}` as Digest)
  await fc.assert(
    fc.asyncProperty(fc.array(digest, { maxLength: 30 }), async (verdicts) => {
      const name = await keepVerdictList(store, verdicts)
      expect(await readVerdictList(store, name)).toEqual(verdicts)
      expect(await keepVerdictList(store, verdicts)).toBe(name)
    }),
    { numRuns: 60 },
  )
})

it('tells lists apart, also those of which one says the same in another order or without its end', async () => {
  const [one, two, three] = digests(3) as [Digest, Digest, Digest]
  const lists = [[], [one], [one, two], [two, one], [one, two, three], [one, one]]
  const names = await Promise.all(lists.map((list) => keepVerdictList(store, list)))
  expect(new Set(names).size).toBe(lists.length)
})

it('writes what lists have in common once: 100 heads of a growing pool take little more than one', async () => {
  const all = digests(3_000)
  await keepVerdictList(store, all)
  const before = await parts()
  expect(before).toBeGreaterThan(3)
  await keepVerdictList(store, all)
  expect(await parts()).toBe(before)
  for (let count = 2_990; count < 3_000; count++) await keepVerdictList(store, all.slice(0, count))
  // The last part of each.
  expect(await parts()).toBeLessThanOrEqual(before + 10)
  const after = await parts()
  // One that was taken back changes the part that it was in.
  await keepVerdictList(
    store,
    all.filter((_, index) => index !== 100),
  )
  expect(await parts()).toBeLessThanOrEqual(after + 1)
})

it('keeps lists of several pools', async () => {
  const lists = { a: digests(3), b: [], c: digests(300) }
  const names = await keepVerdictLists(store, lists)
  expect(await readVerdictLists(store, names)).toEqual(lists)
})

it('says so when a list is not there, or not all of it', async () => {
  const name = await keepVerdictList(store, digests(700))
  const missing = { code: 'STATE_UNREADABLE' }
  await expect(readVerdictList(store, digestOf(1))).rejects.toMatchObject(missing)
  await store.query('delete from verdict_parts where digest = (select min(digest) from verdict_parts)')
  await expect(readVerdictList(store, name)).rejects.toMatchObject(missing)
})

/** A job whose row has a text in one of its columns. */
async function naming(
  id: string,
  column: 'inputs' | 'reservation',
  value: object,
  sql: Sql = store,
): Promise<void> {
  const consumer = addressOfDigit('e')
  await insertJob(sql, { id, consumer, manifestDigest: digestOf(1), locator: 'x', pools: [consumer] })
  await sql.query(`update jobs set ${column} = $1 where id = $2`, [JSON.stringify(value), id])
}
const left = async () =>
  (await store.query('select digest from verdict_lists order by digest')).map((row) => row['digest'])
const forget = (limit = 100) => store.transaction((tx) => forgetVerdictLists(tx, limit))

it('forgets what neither a job nor a kept share names any more, and no part that another list has', async () => {
  const all = digests(1_500)
  const named = [
    await keepVerdictList(store, all),
    await keepVerdictList(store, all.slice(0, 700)),
    await keepVerdictList(store, all.slice(3)),
  ] as const
  await naming('1', 'inputs', { [addressOfDigit('a')]: named[0] })
  await naming('2', 'reservation', { inputs: [{ verdictList: named[1], root: digestOf(7) }] })
  await setMeta(store, 'taken-shares 3', JSON.stringify([{ statement: {}, lists: { a: named[2] } }]))
  const before = [await left(), await parts()]
  expect(await forget()).toBe(0)
  expect([await left(), await parts()]).toEqual(before)

  const more = await keepVerdictList(store, all.slice(0, 1_400))
  const alone = await keepVerdictList(store, digests(2_000).slice(1_600))
  // What merely holds the same text names nothing.
  await setMeta(store, 'other', JSON.stringify([more, alone]))
  expect(await forget()).toBe(2)
  expect([await left(), await parts()]).toEqual(before)
  for (const [place, list] of [all, all.slice(0, 700), all.slice(3)].entries())
    expect(await readVerdictList(store, named[place] ?? digestOf(0))).toEqual(list)

  // Each of the three holds what it alone names.
  for (const [step, gone] of [
    () => store.query('delete from jobs where id = 1'),
    () => store.query(`update jobs set reservation = null where id = 2`),
    () => store.query(`delete from meta where key = 'taken-shares 3'`),
  ].entries()) {
    await gone()
    expect(await forget()).toBe(1)
    expect(await left()).toEqual(named.slice(step + 1).toSorted())
    for (const [place, list] of [all, all.slice(0, 700), all.slice(3)].entries())
      if (place > step) expect(await readVerdictList(store, named[place] ?? digestOf(0))).toEqual(list)
  }
  expect(await parts()).toBe(0)
})

it('forgets so many at a time, and all of a list or nothing', async () => {
  for (let count = 1; count <= 5; count++) await keepVerdictList(store, digests(count * 300))
  expect(await forget(2)).toBe(2)
  const cut = store.transaction(async (tx) => {
    await forgetVerdictLists(tx, 2)
    throw new Error('killed')
  })
  await expect(cut).rejects.toThrow('killed')
  expect(await left()).toHaveLength(3)
  for (const list of await left()) expect((await readVerdictList(store, list as Digest)).length % 300).toBe(0)
  expect([await forget(2), await forget(2), await forget(2), await parts()]).toEqual([2, 1, 0, 0])
})

it('keeps a list that is named again in the transaction in which it would have gone', async () => {
  const list = digests(600)
  const name = await keepVerdictList(store, list)
  await store.transaction(async (tx) => {
    expect(await keepVerdictList(tx, list)).toBe(name)
    await naming('1', 'inputs', { a: name }, tx)
  })
  expect(await forget()).toBe(0)
  expect(await readVerdictList(store, name)).toEqual(list)
})

it('is rid of them by the collector, a few in each step, also without any retention', async () => {
  const world = await retentionWorld(store)
  const kept = await keepVerdictList(store, [digestOf(0)])
  await naming('1', 'inputs', { a: kept })
  for (let count = 1; count <= 45; count++) await keepVerdictList(store, [digestOf(count)])
  const { collector } = world.start({})
  const steps = [await collector.collect(), await collector.collect(), await collector.collect()]
  expect(steps).toEqual([20, 20, 5])
  expect(await collector.collect()).toBe(0)
  expect(await readVerdictList(store, kept)).toEqual([digestOf(0)])
  expect(await parts()).toBe(1)
  // What comes later is found at a later look, as after a restart.
  await keepVerdictList(store, [digestOf(99)])
  expect(await collector.collect()).toBe(0)
  expect(await world.start({}).collector.collect()).toBe(1)
  await world.close()
})
