import { DEFAULT_FARMING_RULE } from '@sealpool/poc'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PoolFarming } from '../config/judging-rules.js'
import { findContribution, insertContribution } from '../state/contribution-table.js'
import { type Erasure, undoContributions } from '../state/withdrawal.js'
import { blockOne, daysOf, judgingWorld } from '../testing/judging-world.js'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { eraseWithdrawn } from './erase-withdrawn.js'

const newStore = memoryStores()
const farming: PoolFarming = { ...DEFAULT_FARMING_RULE, clusterFrom: 0.3, periodSeconds: 3_600 }
const ann = addressOfDigit('a')

let world: Awaited<ReturnType<typeof judgingWorld>>

beforeAll(async () => {
  world = await judgingWorld(newStore)
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.reset()
  world.rule({ farming })
})

/** What the verdict says of the rule. */
async function worthOf(id: string) {
  const { valid, score, evidence } = await world.verdictOn(id)
  const line = evidence.find(({ check }) => check === 'pool.farming')
  const proof = evidence.find(({ check }) => check === 'pool.score')
  return {
    valid,
    score,
    proof: proof?.degree,
    share: line?.degree,
    reason: line?.place,
    result: line?.result,
  }
}
const undo = (last: bigint) => world.context().store.transaction((tx) => undoContributions(tx, last))

describe('the score that goes to the chain', () => {
  it('is the proof’s own where the pool has no rule', async () => {
    world.rule({ farming: null })
    await world.contribute('1', { days: daysOf(1), owner: ann })
    await world.contribute('2', { days: daysOf(2), owner: ann })
    await world.judge()
    expect(await worthOf('2')).toMatchObject({ score: 1, reason: undefined })
    expect(await world.countOf('farming_values')).toBe(0)
  })

  it.each([
    ['in one batch', async () => undefined],
    ['in batches of their own', () => world.judge()],
  ])('sinks with each contribution of one contributor (%s)', async (_, between) => {
    for (const id of ['1', '2', '3']) {
      await world.contribute(id, { days: daysOf(Number(id)), owner: ann })
      await between()
    }
    await world.contribute('4', { days: daysOf(4) })
    await world.judge()
    expect(await worthOf('1')).toEqual({
      valid: true,
      score: 1,
      proof: 1,
      share: 1,
      reason: 'FULL',
      result: 'pass',
    })
    expect(await worthOf('2')).toMatchObject({ score: 0.8, reason: 'DECAYED', result: 'partial' })
    expect(await worthOf('3')).toMatchObject({ score: 0.64, proof: 1, share: 0.64 })
    expect(await worthOf('4')).toMatchObject({ score: 1, reason: 'FULL' })
    const sent = (
      await world.context().store.query('select entries from verdict_batches order by id')
    ).flatMap((row) => JSON.parse(String(row['entries'])) as { contributionId: string; score: number }[])
    expect(sent.map(({ score }) => score)).toEqual([10_000, 8_000, 6_400, 10_000])
    expect((await findContribution(world.context().store, '3'))?.score).toBe(6_400)
  })

  it('sinks with each copy of one content, whoever brings it', async () => {
    world.rule({ farming: { ...farming, noveltyFloor: 0 } })
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    await world.contribute('2', { days: daysOf(2, 27, 1) })
    await world.contribute('3', { days: daysOf(3, 27, 1) })
    await world.judge()
    const [second, third] = [await worthOf('2'), await worthOf('3')]
    // A tenth of it is new; the proof weighs that once more.
    expect(second).toMatchObject({ proof: 0.325, share: 0.05, score: 0.0163, reason: 'DECAYED' })
    expect(third.share).toBeCloseTo((await world.noveltyOf('3')) * 0.25, 4)
  })

  it('is nothing for a near copy, which is accepted all the same', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(2, 27, 1) })
    await world.judge()
    expect(await worthOf('2')).toMatchObject({
      valid: true,
      score: 0,
      share: 0,
      reason: 'NOT_NEW',
      result: 'fail',
    })
    expect(await findContribution(world.context().store, '2')).toMatchObject({
      state: 'judged',
      score: 0,
      reason: null,
    })
  })

  it('has an end for a contributor in a period, and begins anew with the next', async () => {
    world.rule({ farming: { ...farming, identityCap: 2 } })
    const expires = blockOne + 100_000
    for (const id of ['1', '2', '3', '7000']) {
      await world.contribute(id, { days: daysOf(Number(id)), owner: ann, expires })
    }
    await world.judge()
    expect(await worthOf('3')).toMatchObject({ valid: true, score: 0, reason: 'IDENTITY_CAP' })
    expect(await worthOf('7000')).toMatchObject({ score: 1, reason: 'FULL' })
  })

  it('has an end for a cluster of copies, of which each is a copy of another', async () => {
    world.rule({ farming: { ...farming, clusterDecay: 1, clusterCap: 1.02, noveltyFloor: 0 } })
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: [...daysOf(1).slice(0, 24), ...daysOf(2).slice(0, 6)] })
    await world.contribute('3', {
      days: [...daysOf(2).slice(0, 6), ...daysOf(1).slice(6, 24), ...daysOf(3).slice(0, 6)],
    })
    await world.judge()
    expect(await worthOf('2')).toMatchObject({ score: 0.02, reason: 'CLUSTER_CAP' })
    expect(await worthOf('3')).toMatchObject({ score: 0, reason: 'CLUSTER_CAP' })
  })

  it('is less than 1.2 in all for a farm of near copies from many wallets', async () => {
    await world.contribute('1', { days: daysOf(1) })
    for (let id = 2; id <= 13; id++) {
      await world.contribute(String(id), {
        days: daysOf(id, 30 - (id % 6), 1),
        owner: `0x${id.toString(16).padStart(40, '0')}`,
      })
    }
    await world.judge()
    let earned = 0
    for (let id = 1; id <= 13; id++) {
      const verdict = await world.verdictOn(String(id))
      // A whole copy is refused.
      earned += verdict.score
    }
    expect(earned).toBeGreaterThanOrEqual(1)
    expect(earned).toBeLessThan(1.2)
  })

  it('counts wallets as one contributor that share an account', async () => {
    world.rule({ farming, accountRule: 'merge' })
    await world.contribute('1', { days: daysOf(1), account: 'ann' })
    await world.contribute('2', { days: daysOf(2), account: 'ann' })
    await world.contribute('3', { days: daysOf(3), account: 'bob' })
    await world.judge()
    expect(await worthOf('2')).toMatchObject({ score: 0.8, reason: 'DECAYED' })
    expect(await worthOf('3')).toMatchObject({ score: 1 })
  })

  it('is at most what its items are of a typical contribution, also where the index was made anew', async () => {
    const wallet = (id: number): `0x${string}` => `0x${id.toString(16).padStart(40, '0')}`
    const bring = async (id: number, days: number) => {
      await world.contribute(String(id), { days: daysOf(id).slice(0, days), owner: wallet(id) })
      await world.judge()
      return worthOf(String(id))
    }
    for (let id = 1; id <= 4; id++) await bring(id, 30)
    // Four are not enough to say what is typical, so that the fifth is whole.
    expect(await bring(5, 3)).toMatchObject({ proof: 1, share: 1, reason: 'FULL' })
    const small = { proof: 1, share: 0.1176, score: 0.1176, reason: 'SMALL', result: 'partial' }
    expect(await bring(6, 3)).toMatchObject(small)
    world.context().contents.forget(world.pool().address)
    expect(await bring(7, 3)).toMatchObject(small)
    expect(await bring(8, 30)).toMatchObject({ share: 1, reason: 'FULL' })
    world.rule({ farming: { ...farming, fullFrom: 0 } })
    expect(await bring(9, 3)).toMatchObject({ share: 1, reason: 'FULL' })
  })

  it('counts nothing that was refused', async () => {
    await world.contribute('1', { days: daysOf(1), owner: ann, expires: 0 })
    await world.contribute('2', { days: daysOf(2), owner: ann })
    await world.judge()
    expect(await worthOf('1')).toMatchObject({ valid: false, reason: undefined })
    expect(await worthOf('2')).toMatchObject({ score: 1 })
  })
})

describe('what was earned before', () => {
  it('counts after a restart on the state at rest', async () => {
    const durable = await newStore()
    world.start(await world.sealed(durable))
    await world.contribute('1', { days: daysOf(1), owner: ann })
    await world.judge()
    await world.context().store.close()
    world.start(await world.sealed(durable))
    await world.contribute('2', { days: daysOf(2), owner: ann })
    await world.judge()
    expect(await worthOf('2')).toMatchObject({ score: 0.8 })
    await world.context().store.close()
    await durable.close()
  })

  const erase = () => eraseWithdrawn(world.context(), new Map([[world.pool().address, world.pool()]]))

  it.each([
    ['and erased', erase],
    ['and not erased yet', async () => undefined],
  ])('counts after it was taken back %s: bringing it again earns nothing', async (_, then) => {
    await world.contribute('1', { days: daysOf(1), owner: ann })
    await world.judge()
    let earned = (await worthOf('1')).score
    for (const id of ['2', '3', '4']) {
      await world.withdraw(String(Number(id) - 1))
      await then()
      // From another wallet, then from the first one again.
      await world.contribute(id, { days: daysOf(1), ...(id === '3' ? { owner: ann } : {}) })
      await world.judge()
      expect(await worthOf(id)).toMatchObject({ valid: true, score: 0, share: 0, reason: 'NOT_NEW' })
      earned += (await worthOf(id)).score
    }
    expect(earned).toBe(1)
    // Other content of that wallet is worth what it was.
    await world.contribute('5', { days: daysOf(5) })
    await world.judge()
    expect(await worthOf('5')).toMatchObject({ score: 1, reason: 'FULL' })
  })

  it('stands in the statement on its erasure', async () => {
    const said: unknown[] = []
    const recording = {
      ...world.context(),
      chain: {
        ...world.context().chain,
        recordErasure: async ({ statement }: Erasure) => {
          said.push(statement.statement.body)
          return null
        },
      },
    }
    world.rule({ farming: { ...farming, identityCap: 1 } })
    await world.contribute('1', { days: daysOf(1), owner: ann })
    await world.contribute('2', { days: daysOf(2), owner: ann })
    await world.judge()
    await world.withdraw('1')
    await world.withdraw('2')
    await eraseWithdrawn(recording, new Map([[world.pool().address, world.pool()]]))
    expect(said).toEqual([
      { contribution: '1', erased: ['rows', 'verdict', 'prints', 'account'], kept: ['fingerprint'] },
      { contribution: '2', erased: ['rows', 'verdict', 'fingerprint', 'prints', 'account'] },
    ])
  })

  it('earns nothing however many periods later it is brought again, and leaves a fingerprint of what had earned alone', async () => {
    const expires = blockOne + 100_000
    const kept = async () =>
      (
        await world
          .context()
          .store.query('select print from earlier_rewards where print is not null order by contribution')
      ).length
    world.rule({ farming: { ...farming, identityCap: 1 } })
    await world.contribute('1', { days: daysOf(1), expires, owner: ann })
    await world.contribute('2', { days: daysOf(2), expires, owner: ann })
    await world.judge()
    expect((await worthOf('2')).reason).toBe('IDENTITY_CAP')
    await world.withdraw('1')
    await world.withdraw('2')
    await erase()
    expect(await kept()).toBe(1)
    expect(await world.countOf('fingerprints')).toBe(0)
    await world.contribute('14000', { days: daysOf(4), expires, owner: addressOfDigit('d') })
    await world.contribute('14001', { days: daysOf(1), expires, owner: addressOfDigit('e') })
    await world.judge()
    expect(await worthOf('14001')).toMatchObject({ score: 0, reason: 'NOT_NEW' })
  })

  it('may be brought again at its worth where it had earned nothing', async () => {
    world.rule({ farming: { ...farming, identityCap: 1 } })
    await world.contribute('1', { days: daysOf(1), owner: ann })
    await world.contribute('2', { days: daysOf(2), owner: ann })
    await world.judge()
    await world.withdraw('2')
    await world.contribute('3', { days: daysOf(2) })
    await world.judge()
    expect(await worthOf('3')).toMatchObject({ score: 1, reason: 'FULL' })
  })

  it('counts not when a reorganisation took it away, and again when it is back', async () => {
    await world.contribute('1', { days: daysOf(1), owner: ann })
    await world.contribute('2', { days: daysOf(2), owner: ann })
    await world.judge()
    const kept = await findContribution(world.context().store, '2')
    if (kept === undefined) throw new Error('it was there')
    const signed = await world.verdictOn('2')
    await undo(1n)
    await world.contribute('3', { days: daysOf(3), owner: ann })
    await world.judge()
    expect(await worthOf('3')).toMatchObject({ score: 0.8 })
    await world.context().store.transaction((tx) => insertContribution(tx, { ...kept, blockNumber: 9n }))
    await world.contribute('4', { days: daysOf(4), owner: ann })
    await world.judge()
    expect(await worthOf('4')).toMatchObject({ score: 0.512 })
    expect(await world.verdictOn('2')).toEqual(signed)
  })

  it('counts not when the chain gave its number to another contribution', async () => {
    await world.contribute('1', { days: daysOf(1), owner: ann })
    await world.contribute('2', { days: daysOf(2), owner: ann })
    await world.judge()
    await undo(1n)
    await world.contribute('2', { days: daysOf(3) })
    await world.contribute('3', { days: daysOf(4), owner: ann })
    await world.judge()
    expect(await worthOf('2')).toMatchObject({ score: 1 })
    expect(await worthOf('3')).toMatchObject({ score: 0.8 })
  })

  it('is the same for one that is judged again: what came after it does not count', async () => {
    for (const id of ['1', '2', '3']) {
      await world.contribute(id, { days: daysOf(Number(id)), owner: ann })
      await world.judge()
    }
    const before = await Promise.all(['1', '2', '3'].map(world.verdictOn))
    for (const again of [['1'], ['2'], ['1', '2', '3']]) {
      await world
        .context()
        .store.query(
          `update contributions set state = 'seen' where id = any (string_to_array($1, ',')::bigint[])`,
          [again.join(',')],
        )
      world.context().contents.forget(world.pool().address)
      await world.judge()
      expect(await Promise.all(['1', '2', '3'].map(world.verdictOn))).toEqual(before)
    }
    expect(await world.countOf('farming_values')).toBe(3)
  })

  it('follows the order of judging where a blob came late, and pays no more for it', async () => {
    await world.contribute('1', { days: daysOf(1), owner: ann })
    await world.contribute('2', { days: daysOf(2), owner: ann })
    await world
      .context()
      .store.query(`update contributions set retry_at = ${world.context().now() + 3600} where id = 1`)
    await world.judge()
    await world.context().store.query(`update contributions set retry_at = 0 where id = 1`)
    await world.judge()
    expect([(await worthOf('1')).score, (await worthOf('2')).score]).toEqual([0.8, 1])
  })
})
