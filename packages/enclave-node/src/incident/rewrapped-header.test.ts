import { afterAll, beforeEach, expect, it } from 'vitest'
import { insertContribution } from '../state/contribution-table.js'
import { setMeta } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { applyPolicy } from '../state/policy-table.js'
import { chainContribution, pool } from '../testing/job-fixture.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { countToRewrap, findRewrapped, nextToRewrap, saveRewrapped } from './rewrapped-header.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const ids = ['1', '2', '3', '4']
const header = new Uint8Array([1, 2, 3])
const next = async (epoch: number, after = '0') =>
  (await nextToRewrap(store, { pool: pool.address, epoch, after, limit: 10 })).map(({ id }) => id)

beforeEach(async () => {
  await store.run('truncate contributions, contributors, meta, earlier_policies cascade')
  for (const id of ids) await insertContribution(store, chainContribution({ id, logIndex: Number(id) }))
})

it.each([
  ['before the database has looked at its tables', false],
  ['after it has', true],
])('headers of another epoch are found among notes that are no JSON, %s', async (_, analyzed) => {
  // What else is noted, in words, numbers and JSON of another kind.
  for (const [key, value] of [
    ['keep 0x1', 'live'],
    ['consents 0x1', 'any'],
    ['live-look 0x1', '17'],
    ['rewrapped', '{"epoch":"x"}'],
    ...Array.from(
      { length: 200 },
      (_, index) => [`presented credential ${index}`, `${index} holder`] as const,
    ),
  ] as const)
    await setMeta(store, key, value)
  await saveRewrapped(store, '1', { epoch: 2, header })
  await saveRewrapped(store, '2', { epoch: 3, header })
  if (analyzed) await store.run('analyze')
  expect([await countToRewrap(store, pool.address, 2), await next(2)]).toEqual([2, ['3', '4']])
  expect([await countToRewrap(store, pool.address, 3), await next(3)]).toEqual([3, ['1', '3', '4']])
  expect(await next(3, '1')).toEqual(['3', '4'])
  expect(await findRewrapped(store, '2')).toEqual({ epoch: 3, header })
})

it('what was sealed under an earlier policy is moved when its policy is back: until then no key of the pool opens it', async () => {
  const apply = (digit: string) => applyPolicy(store, pool.address, digestOfDigit(digit))
  await store.run(`update contributions set state = 'recorded' where id in (1, 2)`)
  await apply('a')
  await apply('b')
  expect([await countToRewrap(store, pool.address, 2), await next(2)]).toEqual([2, ['3', '4']])
  await apply('a')
  expect([await countToRewrap(store, pool.address, 2), await next(2)]).toEqual([4, ids])
})
