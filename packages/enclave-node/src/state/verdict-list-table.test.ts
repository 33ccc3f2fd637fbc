import { type Digest, sha256Digest } from '@sealpool/crypto'
import * as fc from 'fast-check'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { migrate } from './migration.js'
import { openPgliteStore } from './pglite-store.js'
import { keepVerdictList, keepVerdictLists, readVerdictList, readVerdictLists } from './verdict-list-table.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
beforeEach(() => store.run('truncate verdict_lists, verdict_parts'))

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
