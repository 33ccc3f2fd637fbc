import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import {
  forgetEarlierRewards,
  keepsFingerprint,
  noteTakenBack,
  rewardedBefore,
  storeRewardedBefore,
  undoTakenBack,
} from './earlier-rewards.js'
import { migrate } from './migration.js'
import type { StateStore } from './state-store.js'

const pool = addressOfDigit('a')
const otherPool = addressOfDigit('b')
let store: StateStore

beforeAll(async () => {
  store = await memoryStores()()
  await migrate(store)
}, 60_000)
beforeEach(() =>
  store.run(
    `truncate earlier_rewards, fingerprints, contributions, contributors cascade;
     insert into contributors (owner, number) values ('ann', 1), ('bob', 2);
     insert into contributions (id, pool, owner, contributor, blob_digest, commitment, schema_id, consent_digest, epoch,
       locator, block_number, block_hash, log_index, state)
     select n, '${pool}', 'ann', 1, 'blob' || n, 'c', 's', 'd', 1, 'l', n, 'h', 0, 'judged' from generate_series(1, 9) n`,
  ),
)
afterAll(() => store.close())

const set = (id: number, values: string) => store.run(`update contributions set ${values} where id = ${id}`)
const accepted = async (id: number, score: number, print?: string, before = 0) => {
  await set(id, `score = ${score}`)
  await storeRewardedBefore(store, pool, `${id}`, before)
  if (print === undefined) return
  await store.run(
    `insert into fingerprints (pool, fingerprint, contribution) values ('${pool}', '${print}', ${id})`,
  )
}
const takenBack = async (id: number, block: number, said: { unpaid?: true; replacedBy?: string } = {}) => {
  await noteTakenBack(store, { id: `${id}`, ...said })
  await set(id, `state = 'withdrawn', withdrawn_block = ${block}`)
  await store.run(`delete from fingerprints where contribution = ${id}`)
}
const before = (id: number, fingerprint?: string) =>
  rewardedBefore(store, pool, { contribution: `${id}`, fingerprint })

describe('what was rewarded before', () => {
  it('is the highest sum of an older version, whether the newer one was named by number or by file', async () => {
    await accepted(1, 4_000)
    await takenBack(1, 20, { replacedBy: 'blob2' })
    expect(await before(2)).toBe(4_000)
    await accepted(2, 1_000, undefined, 4_000)
    await takenBack(2, 21, { replacedBy: '3' })
    expect(await before(3)).toBe(5_000)
    expect(await before(4)).toBe(0)
  })

  it('is found through an older version that earned nothing', async () => {
    await accepted(1, 4_000)
    await takenBack(1, 20, { replacedBy: '2' })
    await takenBack(2, 21, { replacedBy: '3' })
    expect(await before(3)).toBe(4_000)
  })

  it('does not count versions of another owner, or of another pool', async () => {
    await accepted(1, 4_000)
    await takenBack(1, 20, { replacedBy: '3' })
    await set(1, `owner = 'bob'`)
    expect(await before(3)).toBe(0)
    await set(1, `owner = 'ann', pool = '${otherPool}'`)
    expect(await before(3)).toBe(0)
    await set(1, `pool = '${pool}'`)
    expect(await before(3)).toBe(4_000)
  })

  it('counts the same content of anybody, in the same pool, and without a fingerprint nothing', async () => {
    await accepted(1, 4_000, 'print')
    await set(1, `owner = 'bob'`)
    await takenBack(1, 20)
    expect(await before(3, 'print')).toBe(4_000)
    expect(await before(3, 'another')).toBe(0)
    expect(await before(3)).toBe(0)
    expect(await rewardedBefore(store, otherPool, { contribution: '3', fingerprint: 'print' })).toBe(0)
  })

  it('counts only what its owner took back', async () => {
    await accepted(1, 4_000, 'print')
    await takenBack(1, 20)
    await set(1, `state = 'judged', withdrawn_block = null`)
    expect(await before(3, 'print')).toBe(0)
  })

  it('leaves out the score that the chain never paid, and keeps what came before it', async () => {
    await accepted(1, 4_000, 'print', 500)
    await takenBack(1, 20, { unpaid: true, replacedBy: '3' })
    expect(await before(3)).toBe(500)
    expect(await before(4, 'print')).toBe(0)
    expect(await keepsFingerprint(store, '1')).toBe(false)
  })

  it('of an accepted contribution is what it was told when it was accepted, and of a refused one it is looked up', async () => {
    await accepted(1, 4_000)
    await takenBack(1, 20, { replacedBy: '3' })
    await accepted(3, 900, undefined, 77)
    expect(await before(3)).toBe(77)
    await storeRewardedBefore(store, pool, '3', 78)
    expect(await before(3)).toBe(78)
    await set(3, `reason = 'DUPLICATE'`)
    expect(await before(3)).toBe(4_000)
    await set(3, `reason = null, score = null`)
    expect(await before(3)).toBe(4_000)
  })

  it('does not count the contribution itself', async () => {
    await accepted(1, 4_000, 'print')
    await takenBack(1, 20)
    await set(1, `reason = 'TWICE'`)
    expect(await before(1, 'print')).toBe(0)
    expect(await before(2, 'print')).toBe(4_000)
  })

  it('is forgotten with its contribution, and no other', async () => {
    for (const id of [1, 2]) {
      await accepted(id, 1_000 * id, `print${id}`)
      await takenBack(id, 20)
    }
    await forgetEarlierRewards(store, '1')
    expect(await before(3, 'print1')).toBe(0)
    expect(await before(3, 'print2')).toBe(2_000)
  })
})

describe('the fingerprint of what was taken back', () => {
  it('is kept where it was rewarded, the least of several', async () => {
    await accepted(1, 4_000, 'second')
    await store.run(
      `insert into fingerprints (pool, fingerprint, contribution) values ('${pool}', 'first', 1)`,
    )
    await takenBack(1, 20)
    expect(await keepsFingerprint(store, '1')).toBe(true)
    expect(await before(3, 'first')).toBe(4_000)
    expect(await before(3, 'second')).toBe(0)
  })

  it('is not kept of what earned nothing', async () => {
    await accepted(1, 0, 'print')
    await takenBack(1, 20, { replacedBy: '2' })
    await takenBack(3, 20)
    expect(await keepsFingerprint(store, '1')).toBe(false)
    expect(await store.query('select 1 from earlier_rewards where contribution = 3')).toEqual([])
  })

  it('is not kept of what the chain never paid, whether anything was noted of it before or not', async () => {
    await accepted(1, 4_000, 'print1')
    await accepted(2, 4_000, 'print2')
    await forgetEarlierRewards(store, '2')
    for (const id of [1, 2]) {
      await takenBack(id, 20, { unpaid: true })
      expect(await keepsFingerprint(store, `${id}`)).toBe(false)
    }
  })

  it('stays when the same is noted again after the fingerprint is gone, and goes when it turns out unpaid', async () => {
    await accepted(1, 4_000, 'print')
    await takenBack(1, 20)
    await noteTakenBack(store, { id: '1', replacedBy: '2' })
    expect(await keepsFingerprint(store, '1')).toBe(true)
    expect(await before(2)).toBe(4_000)
    await noteTakenBack(store, { id: '1', unpaid: true })
    expect(await keepsFingerprint(store, '1')).toBe(false)
  })
})

describe('after a reorganisation', () => {
  it('what was taken back above the last block counts as contributed again, below it stays taken back', async () => {
    for (const [id, block] of [
      [1, 20],
      [2, 21],
    ] as const) {
      await accepted(id, 4_000, `print${id}`)
      await takenBack(id, block, { replacedBy: '5' })
    }
    await undoTakenBack(store, 20n)
    expect(await store.query('select fingerprint, contribution from fingerprints')).toEqual([
      { fingerprint: 'print2', contribution: 2 },
    ])
    expect(await keepsFingerprint(store, '1')).toBe(true)
    expect(await keepsFingerprint(store, '2')).toBe(false)
    const noted = await store.query('select replaced_by, unpaid from earlier_rewards where contribution = 2')
    expect(noted).toEqual([{ replaced_by: null, unpaid: false }])
  })

  it('what was replaced without a reward stands for nothing any more', async () => {
    await accepted(1, 4_000, undefined, 300)
    await takenBack(1, 21, { unpaid: true, replacedBy: '5' })
    await undoTakenBack(store, 20n)
    expect(await before(5)).toBe(0)
    expect(await store.query('select unpaid, rewarded from earlier_rewards')).toEqual([
      { unpaid: false, rewarded: 300 },
    ])
  })

  it('does not take a fingerprint from a contribution that has it now', async () => {
    await accepted(1, 4_000, 'print')
    await takenBack(1, 21)
    await accepted(2, 0, 'print')
    await undoTakenBack(store, 20n)
    expect(await store.query('select contribution from fingerprints')).toEqual([{ contribution: 2 }])
  })

  it('gives no fingerprint back of what is not withdrawn', async () => {
    await accepted(1, 4_000, 'print')
    await takenBack(1, 21)
    await set(1, `state = 'detached'`)
    await undoTakenBack(store, 20n)
    expect(await store.query('select 1 from fingerprints')).toEqual([])
    expect(await keepsFingerprint(store, '1')).toBe(true)
  })
})
