import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findContribution, insertContribution } from '../state/contribution-table.js'
import { findVerdict } from '../state/verdict-table.js'
import { undoContributions } from '../state/withdrawal.js'
import { blockOne, daysOf, hashOf, judgingWorld } from '../testing/judging-world.js'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { eraseWithdrawn } from './erase-withdrawn.js'
import { judgeBatch } from './judge-batch.js'

const newStore = memoryStores()

let world: Awaited<ReturnType<typeof judgingWorld>>

beforeAll(async () => {
  world = await judgingWorld(newStore)
})
afterAll(() => world.close())
beforeEach(() => world.reset())

describe('a contribution is judged by the time of its block', () => {
  it('and by no clock', async () => {
    // The clock of the node is far past both.
    await world.contribute('3', { days: daysOf(1), expires: blockOne + 2 })
    await world.contribute('4', { days: daysOf(2), expires: blockOne + 2 })
    await world.judge()
    expect(await world.verdictOn('3')).toMatchObject({ valid: true })
    expect(await world.verdictOn('4')).toMatchObject({ valid: false, refusal: { code: 'EXPIRED' } })
  })

  it('and not at all while its block is not to be had', async () => {
    await world.contribute('1', { days: daysOf(1) })
    world.missingBlocks.add(hashOf(1))
    await expect(judgeBatch(world.context(), world.pool())).rejects.toMatchObject({
      code: 'CHAIN_CALL_FAILED',
    })
    expect((await findContribution(world.context().store, '1'))?.state).toBe('seen')
    world.missingBlocks.clear()
    await world.judge()
    expect(await world.verdictOn('1')).toMatchObject({ valid: true })
  })
})

it('a contribution under a text that the pool does not accept is refused before it is opened', async () => {
  await world.contribute('1', { days: daysOf(1) })
  const named = (await findContribution(world.context().store, '1'))?.consentDigest ?? '0x'
  world.rule({ consents: [digestOfDigit('b')] })
  await world.judge()
  expect(await world.verdictOn('1')).toMatchObject({
    valid: false,
    refusal: { code: 'CONSENT_NOT_ACCEPTED', place: 'consentDigest' },
  })
  world.rule({ consents: [digestOfDigit('b'), `sha256:${named.slice(2)}`] })
  await world.contribute('2', { days: daysOf(1) })
  await world.judge()
  expect(await world.verdictOn('2')).toMatchObject({ valid: true })
})

describe('a near copy adds little', () => {
  const pairs = async (between: () => Promise<void>) => {
    await world.contribute('1', { days: daysOf(1) })
    await between()
    await world.contribute('2', { days: daysOf(2, 27, 1) })
    await world.judge()
    expect(await world.noveltyOf('1')).toBe(1)
    expect(await world.noveltyOf('2')).toBeLessThan(0.2)
  }
  it('in the batch of its original', () => pairs(async () => undefined))
  it('in a later batch', () => pairs(() => world.judge()))
  it('after a restart on the state at rest', async () => {
    const durable = await newStore()
    world.start(await world.sealed(durable))
    await pairs(async () => {
      await world.judge()
      await world.context().store.close()
      world.start(await world.sealed(durable))
    })
    await world.context().store.close()
    await durable.close()
  })

  it('also one that is put together of the pieces of many', async () => {
    for (const person of [1, 2, 3]) await world.contribute(String(person), { days: daysOf(person) })
    await world.judge()
    const pieces = [1, 2, 3].flatMap((person) => daysOf(person).slice(0, 10))
    await world.contribute('4', { days: pieces })
    await world.judge()
    expect(await world.noveltyOf('4')).toBe(0)
  })

  it('also one whose numbers were all moved far, after a restart too; another person of the same days is new', async () => {
    const walk = (step: number, times = 1) =>
      Array.from({ length: 30 }, (_, day) => ({
        day: `9-${day}`,
        steps: times * 1_000 * (1 + ((day * step) % 10)),
      }))
    await world.contribute('1', { days: walk(7) })
    await world.judge()
    world.context().contents.forget(world.pool().address)
    await world.contribute('2', { days: walk(7, 1.5) })
    await world.contribute('3', { days: walk(3, 1.2) })
    await world.judge()
    expect(await world.noveltyOf('2')).toBe(0)
    expect(await world.noveltyOf('3')).toBe(1)
    // As it was stored before courses were.
    await world.context().store.query('update content_prints set sketch = substring(sketch from 1 for 68)')
    world.context().contents.forget(world.pool().address)
    await world.contribute('4', { days: walk(7, 2.3) })
    await world.contribute('5', { days: walk(7, 2.3) })
    await world.contribute('6', { days: walk(7, 3.1) })
    await world.judge()
    expect(await world.noveltyOf('4')).toBe(1)
    expect(await world.noveltyOf('6')).toBe(0)
  })

  it('but not of what was refused', async () => {
    await world.contribute('1', { days: daysOf(1), expires: 0 })
    await world.contribute('2', { days: daysOf(2, 27, 1) })
    await world.judge()
    expect(await world.noveltyOf('2')).toBe(1)
    expect(await world.countOf('content_prints')).toBe(1)
  })

  it('but not of what its owner took back', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(2) })
    await world.judge()
    await world.withdraw('1')
    await world.contribute('3', { days: daysOf(3, 27, 1) })
    await world.contribute('4', { days: daysOf(4, 27, 2) })
    await world.judge()
    expect(await world.noveltyOf('3')).toBe(1)
    expect(await world.noveltyOf('4')).toBeLessThan(0.2)
  })

  it('but not of what a reorganisation took away, and again of what it gave back', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await world.contribute('2', { days: daysOf(2) })
    await world.judge()
    const kept = await findContribution(world.context().store, '2')
    await world.context().store.transaction((tx) => undoContributions(tx, 1n))
    await world.contribute('3', { days: daysOf(3, 27, 2) })
    await world.judge()
    expect(await world.noveltyOf('3')).toBe(1)
    if (kept === undefined) throw new Error('it was there')
    await world.context().store.transaction((tx) => insertContribution(tx, { ...kept, blockNumber: 9n }))
    await world.contribute('4', { days: daysOf(4, 27, 2) })
    await world.judge()
    expect(await world.noveltyOf('4')).toBeLessThan(0.2)
  })

  it('and is not compared with itself when it is judged again', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    await world.context().store.query(`update contributions set state = 'seen'`)
    world.context().contents.forget(world.pool().address)
    await world.judge()
    expect(await world.noveltyOf('1')).toBe(1)
    expect(await world.countOf('content_prints')).toBe(1)
  })
})

describe('what changes while a batch is judged', () => {
  it('has it judged anew: nothing of it is stored', async () => {
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    await world.contribute('2', { days: daysOf(2, 27, 1) })
    let withdrawn = false
    world.whileOpening(async () => {
      if (withdrawn) return
      withdrawn = true
      await world.withdraw('1')
    })
    expect(await judgeBatch(world.context(), world.pool())).toBe(1)
    expect(await findVerdict(world.context().store, '2')).toBeUndefined()
    await world.judge()
    expect(await world.noveltyOf('2')).toBe(1)
  })

  it('has it judged anew when one of it is taken back, and that one leaves the index', async () => {
    for (const id of ['1', '2', '3']) await world.contribute(id, { days: daysOf(Number(id)) })
    let fetched = 0
    world.whileOpening(async () => {
      fetched += 1
      // The first two were judged by then.
      if (fetched === 3) await world.withdraw('1')
    })
    expect(await judgeBatch(world.context(), world.pool())).toBe(3)
    expect(await world.countOf('verdicts')).toBe(0)
    await world.judge()
    expect(await world.countOf('verdicts')).toBe(2)
    await world.contribute('4', { days: daysOf(4, 27, 1) })
    await world.judge()
    expect(await world.noveltyOf('4')).toBe(1)
  })

  it('and a batch that is not stored leaves no trace in the index', async () => {
    await world.contribute('1', { days: daysOf(1) })
    const { store } = world.context()
    const failing = { ...store, transaction: () => Promise.reject(new Error('the disk is full')) }
    await expect(judgeBatch({ ...world.context(), store: failing }, world.pool())).rejects.toThrow('full')
    await world.judge()
    expect(await world.noveltyOf('1')).toBe(1)
  })
})

describe('an account', () => {
  it.each([
    ['in one batch', async () => undefined],
    ['in two batches', () => world.judge()],
  ])('is the first wallet’s (%s)', async (_, between) => {
    await world.contribute('1', { days: daysOf(1), account: 'Ann' })
    await between()
    await world.contribute('2', { days: daysOf(2), account: 'ann ' })
    await world.contribute('3', { days: daysOf(3), account: 'ann', owner: addressOfDigit('1') })
    await world.judge()
    expect(await world.verdictOn('2')).toMatchObject({
      valid: false,
      refusal: { code: 'ACCOUNT_OF_ANOTHER_WALLET', place: 'account' },
    })
    expect(await world.verdictOn('3')).toMatchObject({ valid: true })
    expect(await world.countOf('account_claims')).toBe(2)
    const [claim] = await world.context().store.query('select account from account_claims')
    expect(claim?.['account']).toMatch(/^[0-9a-f]{64}$/)
  })

  it('of several wallets is one contributor where the pool merges them', async () => {
    world.rule({ accountRule: 'merge' })
    await world.contribute('1', { days: daysOf(1), account: 'ann' })
    await world.contribute('2', { days: daysOf(2), account: 'ann' })
    await world.contribute('3', { days: daysOf(3), account: 'bob' })
    await world.judge()
    expect(await world.verdictOn('2')).toMatchObject({ valid: true })
    expect([
      await world.contributorOf('1'),
      await world.contributorOf('2'),
      await world.contributorOf('3'),
    ]).toEqual([1, 1, 3])
    // The person stays one, whoever withdraws.
    await world.withdraw('1')
    await world.contribute('4', { days: daysOf(4), account: 'ann' })
    await world.judge()
    expect(await world.contributorOf('4')).toBe(1)
  })

  it('is free again once its contributions are withdrawn or gone', async () => {
    await world.contribute('1', { days: daysOf(1), account: 'ann' })
    await world.contribute('2', { days: daysOf(2), account: 'bob' })
    await world.judge()
    await world.context().store.transaction((tx) => undoContributions(tx, 1n))
    await world.withdraw('1')
    await world.contribute('3', { days: daysOf(3), account: 'ann' })
    await world.contribute('4', { days: daysOf(4), account: 'bob' })
    await world.judge()
    expect(await world.verdictOn('3')).toMatchObject({ valid: true })
    expect(await world.verdictOn('4')).toMatchObject({ valid: true })
  })

  it('without a name costs its contribution and holds up nobody', async () => {
    await world.contribute('1', { days: daysOf(1), account: '\u200b' })
    await world.contribute('2', { days: daysOf(2), account: 'ann' })
    await world.judge()
    expect(await world.verdictOn('1')).toMatchObject({
      valid: false,
      refusal: { code: 'PROOF_FAILED', place: 'account' },
    })
    expect(await world.verdictOn('2')).toMatchObject({ valid: true })
  })
})

describe('what is erased', () => {
  it('has neither prints nor an account any more, whichever way it came', async () => {
    await world.contribute('1', { days: daysOf(1), account: 'ann' })
    await world.contribute('2', { days: daysOf(2), account: 'bob', merkle: { batch: '1', index: 0 } })
    await world.contribute('3', { days: daysOf(3), account: 'eve' })
    await world.judge()
    expect([await world.countOf('content_prints'), await world.countOf('account_claims')]).toEqual([3, 3])
    await world.withdraw('1')
    await world.withdraw('2')
    expect(await eraseWithdrawn(world.context(), new Map([[world.pool().address, world.pool()]]))).toBe(2)
    expect([await world.countOf('content_prints'), await world.countOf('account_claims')]).toEqual([1, 1])
    expect(await eraseWithdrawn(world.context(), new Map([[world.pool().address, world.pool()]]))).toBe(0)
  })
})
