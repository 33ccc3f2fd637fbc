import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { type FarmingQuestion, farmingBefore, nextFarmingPlace } from './farming-table.js'
import { migrate } from './migration.js'
import type { StateStore } from './state-store.js'

const pool = addressOfDigit('a')
const rows = 3_000
let store: StateStore

/** One wallet and one cluster of so many copies, the last of which were worth nothing. */
beforeAll(async () => {
  store = await memoryStores()()
  await migrate(store)
  await store.run(`
    insert into contributors (owner, number) values ('o', 1);
    insert into contributions (id, pool, owner, contributor, blob_digest, commitment, schema_id, consent_digest, epoch, locator,
      block_number, block_hash, log_index, state)
    select n, '${pool}', 'o', 1, 'b', 'c', 's', 'd', 1, 'l', n, 'h', 0, case when n = 2 then 'detached' else 'judged' end
      from generate_series(1, ${rows}) n;
    insert into farming_values (contribution, pool, place, identity, period, cluster, earned)
      select n, '${pool}', n, 1, 1, 1, case when n <= 4 then 100 else 0 end from generate_series(1, ${rows}) n;
    analyze;
  `)
}, 60_000)
afterAll(() => store.close())

const before = (change: Partial<FarmingQuestion> = {}) =>
  farmingBefore(store, pool, {
    place: rows + 1,
    identity: 1,
    period: 1,
    cluster: '1',
    without: [],
    most: { ofIdentity: 10_000, ofCluster: 10_000 },
    ...change,
  })

describe('a history of many copies', () => {
  it('is told without those that are detached, that come later, or that the asker counts', async () => {
    expect(await before()).toEqual({ ofIdentity: rows - 1, ofCluster: rows - 1, earned: 300 })
    expect(await before({ place: 4 })).toEqual({ ofIdentity: 2, ofCluster: 2, earned: 200 })
    expect(await before({ without: ['3', '900'] })).toEqual({
      ofIdentity: rows - 3,
      ofCluster: rows - 3,
      earned: 200,
    })
    expect(await before({ identity: 2, cluster: '7' })).toEqual({ ofIdentity: 0, ofCluster: 0, earned: 0 })
  })

  it('is counted as far as it changes anything, and what was earned is counted whole', async () => {
    expect(await before({ most: { ofIdentity: 20, ofCluster: 3 } })).toEqual({
      ofIdentity: 20,
      ofCluster: 3,
      earned: 300,
    })
  })

  it('is found by index, the next place as well', async () => {
    expect(await nextFarmingPlace(store, pool)).toBe(rows + 1)
    const plan = async (sql: string) => JSON.stringify(await store.query(`explain ${sql}`))
    expect(await plan(`select max(place) from farming_values where pool = '${pool}'`)).toContain(
      'farming_values_by_place',
    )
    expect(
      await plan(
        `select sum(earned) from farming_values where pool = '${pool}' and cluster = 1 and place < 9000 and earned > 0`,
      ),
    ).toContain('farming_values_earned')
  })
})
