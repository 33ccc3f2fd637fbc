import { DEFAULT_FARMING_RULE, type PocVerdict } from '@sealpool/poc'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findContribution, insertContribution } from '../state/contribution-table.js'
import { type Erasure, undoContributions } from '../state/withdrawal.js'
import { daysOf, judgingWorld } from '../testing/judging-world.js'
import { memoryStores } from '../testing/memory-store.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { auditVerdicts } from './audit-verdicts.js'
import { eraseWithdrawn } from './erase-withdrawn.js'
import { refusedVerdict } from './judge-contribution.js'
import { rewardOnce } from './reward-once.js'

const [ann, bob] = [addressOfDigit('a'), addressOfDigit('b')]
let world: Awaited<ReturnType<typeof judgingWorld>>

beforeAll(async () => {
  world = await judgingWorld(memoryStores())
})
afterAll(() => world.close())
beforeEach(() => world.reset())

const store = () => world.context().store
/** The score that goes to the chain, the proof's own, and what the verdict says was rewarded before. */
async function worthOf(id: string) {
  const { score, evidence } = await world.verdictOn(id)
  const line = evidence.find(({ check }) => check === 'pool.rewarded')
  const own = evidence.find(({ check }) => check === 'pool.score')
  return { score, proof: own?.degree, before: line?.degree, reason: line?.place, result: line?.result }
}
const asItIs = { proof: undefined, before: undefined, reason: undefined, result: undefined }
const erase = () => eraseWithdrawn(world.context(), new Map([[world.pool().address, world.pool()]]))
/** Ann's file of days of her own, and as many of another person's, which are worth less. */
const annBrings = async (id: string, person: number, copied = 0) => {
  await world.contribute(id, { days: daysOf(person, copied, 1), owner: ann })
}

describe('a newer version', () => {
  beforeEach(async () => {
    await world.contribute('1', { days: daysOf(1), owner: bob })
    await annBrings('2', 2, 27)
    await world.judge()
    expect(await worthOf('2')).toEqual({ score: 0.325, ...asItIs })
  })

  it('is rewarded for what it is better than the best before it, whatever comes between', async () => {
    await annBrings('3', 2)
    await world.withdraw('2', { replacedBy: '3' })
    await world.judge()
    expect(await worthOf('3')).toEqual({
      score: 0.675,
      proof: 1,
      before: 0.325,
      reason: 'HIGHER',
      result: 'partial',
    })
    await annBrings('4', 4, 27)
    await world.withdraw('3', { replacedBy: '4' })
    await world.judge()
    expect(await worthOf('4')).toEqual({
      score: 0,
      proof: 0.325,
      before: 1,
      reason: 'NOT_HIGHER',
      result: 'fail',
    })
    expect(await findContribution(store(), '4')).toMatchObject({ state: 'judged', score: 0, reason: null })
    await annBrings('5', 5)
    await world.withdraw('4', { replacedBy: '5' })
    await world.judge()
    expect(await worthOf('5')).toMatchObject({ score: 0, proof: 1, before: 1 })
    const sent = (await store().query('select entries from verdict_batches order by id')).flatMap(
      (row) => JSON.parse(String(row['entries'])) as { contributionId: string; score: number }[],
    )
    const hers = sent.filter(({ contributionId }) => contributionId !== '1')
    expect(hers.reduce((sum, { score }) => sum + score, 0)).toBe(10_000)
  })

  it('follows from versions that were replaced before they were judged', async () => {
    await annBrings('3', 3)
    await world.withdraw('2', { replacedBy: '3' })
    await annBrings('4', 4)
    await world.withdraw('3', { replacedBy: '4' })
    await world.judge()
    expect(await worthOf('4')).toMatchObject({ score: 0.675, before: 0.325 })
  })

  it('is rewarded whole where the older one was taken back before it was rewarded', async () => {
    await annBrings('3', 3)
    await world.withdraw('2', { replacedBy: '3', unpaid: true })
    await world.judge()
    expect(await worthOf('3')).toEqual({ score: 1, ...asItIs })
  })

  it('of a better one that was replaced before it was rewarded is rewarded for all above what was', async () => {
    await annBrings('3', 3)
    await world.withdraw('2', { replacedBy: '3' })
    await world.judge()
    await annBrings('4', 4)
    await world.withdraw('3', { replacedBy: '4', unpaid: true })
    await world.judge()
    expect(await worthOf('4')).toMatchObject({ score: 0.675, before: 0.325 })
  })

  it('that was refused first, and is judged again after a reorganisation, is rewarded for the difference', async () => {
    await world.contribute('3', { days: daysOf(1), owner: ann })
    await world.withdraw('2', { replacedBy: '3' })
    await world.judge()
    expect((await world.verdictOn('3')).refusal?.code).toBe('DUPLICATE_CONTENT')
    await store().query(`update contributions set state = 'detached', state_before = state where id = 1`)
    await store().query(`update contributions set state = 'seen' where id = 3`)
    world.start(store())
    await world.judge()
    expect(await worthOf('3')).toMatchObject({ score: 0.675, before: 0.325 })
  })

  it('is known by its file where an entry of a batch was replaced, and only its owner’s', async () => {
    await annBrings('3', 3)
    const digest = (await findContribution(store(), '3'))?.blobDigest ?? ''
    // Bob names Ann's file as the newer version of his own, so that she would get less.
    await world.withdraw('1', { replacedBy: digest })
    await world.judge()
    expect(await worthOf('3')).toEqual({ score: 1, ...asItIs })
    await annBrings('4', 4)
    await world.withdraw('3', { replacedBy: (await findContribution(store(), '4'))?.blobDigest ?? '' })
    await world.judge()
    expect(await worthOf('4')).toMatchObject({ score: 0, before: 1 })
  })

  it('and the same content are of one pool: what was rewarded in another one counts not', async () => {
    await store().query('update contributions set pool = $1 where id = 2', [addressOfDigit('9')])
    await annBrings('3', 4)
    await world.withdraw('2', { replacedBy: '3' })
    await annBrings('4', 2, 27)
    await world.judge()
    expect(await worthOf('3')).toEqual({ score: 1, ...asItIs })
    expect(await worthOf('4')).toEqual({ score: 0.325, ...asItIs })
  })

  it('is rewarded for the difference after the farming rule', async () => {
    world.rule({ farming: { ...DEFAULT_FARMING_RULE, clusterFrom: 0.3, periodSeconds: 3_600 } })
    await annBrings('3', 3)
    await world.withdraw('2', { replacedBy: '3' })
    await annBrings('4', 4)
    await world.judge()
    expect(await worthOf('3')).toEqual({
      score: 0.675,
      proof: 1,
      before: 0.325,
      reason: 'HIGHER',
      result: 'partial',
    })
    expect((await world.verdictOn('3')).evidence.map(({ check }) => check).slice(-3)).toEqual([
      'pool.score',
      'pool.farming',
      'pool.rewarded',
    ])
    const earned = await store().query('select earned from farming_values order by contribution')
    expect(earned.map((row) => row['earned'])).toEqual([6_750, 8_000])
  })

  it('is rewarded whole when a reorganisation took the replacing away, and for the difference when it is back', async () => {
    await annBrings('3', 3)
    await world.withdraw('2', { replacedBy: '3' })
    await store().transaction((tx) => undoContributions(tx, 89n))
    await world.judge()
    expect(await worthOf('3')).toEqual({ score: 1, ...asItIs })
    await annBrings('4', 4)
    await world.withdraw('2', { replacedBy: '4' })
    await world.judge()
    expect(await worthOf('4')).toMatchObject({ score: 0.675 })
  })

  it('comes to the same when it is judged again, whatever was taken back since, and when it is audited', async () => {
    world.rule({ auditShare: 1 })
    await annBrings('3', 3)
    await annBrings('4', 4)
    await world.withdraw('2', { replacedBy: '3' })
    await world.judge()
    const first = await world.verdictOn('3')
    await store().query(`update contributions set state = 'recorded' where id = 3`)
    const told: unknown[] = []
    world.start(store())
    const audit = { write: (fact: unknown) => void told.push(fact) }
    expect(await auditVerdicts({ ingest: world.context(), audit }, world.pool())).toBe(1)
    expect(told).toEqual([])
    // It was worth more than what stood for it before.
    await world.withdraw('4', { replacedBy: '3' })
    await store().query(`update contributions set state = 'seen' where id = 3`)
    await world.judge()
    expect(await world.verdictOn('3')).toEqual(first)
  })

  it('counts not when the chain gave its number to another contribution', async () => {
    await annBrings('3', 3)
    await world.withdraw('2', { replacedBy: '3' })
    await world.judge()
    const kept = await findContribution(store(), '3')
    if (kept === undefined) throw new Error('it was there')
    await store().transaction((tx) => undoContributions(tx, 2n))
    await store().transaction((tx) => insertContribution(tx, { ...kept, epoch: 2 }))
    expect(await world.countOf('earlier_rewards where rewarded > 0')).toBe(0)
  })
})

describe('content that was rewarded and taken back', () => {
  it.each([
    ['from the same wallet', ann, true],
    ['from another wallet', bob, true],
    ['before it is erased', bob, false],
  ])(
    'earns nothing when it is brought again %s, at any time, and is in the tables all the same',
    async (_, owner, erased) => {
      const expires = 10_000_000_000
      await world.contribute('1', { days: daysOf(1), owner: ann, expires })
      await world.judge()
      for (const id of ['2', '70000000']) {
        await world.withdraw(id === '2' ? '1' : '2')
        if (erased) await erase()
        await world.contribute(id, { days: daysOf(1), owner, expires })
        await world.judge()
        expect(await worthOf(id)).toEqual({
          score: 0,
          proof: 1,
          before: 1,
          reason: 'NOT_HIGHER',
          result: 'fail',
        })
        expect(await findContribution(store(), id)).toMatchObject({ state: 'judged', reason: null })
      }
      await world.contribute('70000001', { days: daysOf(5), owner, expires })
      await world.judge()
      expect(await worthOf('70000001')).toEqual({ score: 1, ...asItIs })
    },
  )

  it('earns all where it was taken back unrewarded; then no fingerprint of it is kept', async () => {
    await annBrings('1', 2)
    await world.judge()
    await world.withdraw('1', { unpaid: true })
    await erase()
    expect(await world.countOf('earlier_rewards where print is not null')).toBe(0)
    await annBrings('2', 2)
    await world.judge()
    expect(await worthOf('2')).toEqual({ score: 1, ...asItIs })
  })

  it('is refused as content that is there when a reorganisation undoes that after its erasure', async () => {
    await annBrings('1', 2)
    await world.judge()
    await world.withdraw('1')
    await erase()
    await store().transaction((tx) => undoContributions(tx, 89n))
    await world.contribute('2', { days: daysOf(2, 0, 1), owner: bob })
    await world.judge()
    expect((await world.verdictOn('2')).refusal?.code).toBe('DUPLICATE_CONTENT')
  })

  it('stands in the statement on its erasure', async () => {
    const said: unknown[] = []
    await annBrings('1', 2)
    await annBrings('2', 3)
    await world.judge()
    await world.withdraw('1')
    await world.withdraw('2', { unpaid: true })
    const context = world.context()
    const chain = {
      ...context.chain,
      recordErasure: async ({ statement }: Erasure) => {
        said.push(statement.statement.body)
        return null
      },
    }
    await eraseWithdrawn({ ...context, chain }, new Map([[world.pool().address, world.pool()]]))
    expect(said).toEqual([
      { contribution: '1', erased: ['rows', 'verdict', 'prints', 'account'], kept: ['fingerprint'] },
      { contribution: '2', erased: ['rows', 'verdict', 'fingerprint', 'prints', 'account'] },
    ])
  })

  it('leaves nothing but a keyed fingerprint and numbers', async () => {
    await annBrings('1', 2)
    await world.judge()
    await world.withdraw('1')
    await erase()
    const [row, ...more] = await store().query('select * from earlier_rewards')
    expect(more).toEqual([])
    expect(row).toEqual({
      contribution: expect.anything(),
      pool: world.pool().address,
      rewarded: 0,
      replaced_by: null,
      print: expect.stringMatching(/^[0-9a-f]{64}$/),
      unpaid: false,
    })
  })
})

describe('the verdict', () => {
  const verdict: PocVerdict = {
    ...refusedVerdict({ id: '1' }, somePool(), 'PROOF_FAILED', 'x'),
    ...{ valid: true, score: 0.8, refusal: null },
    evidence: Array.from({ length: 200 }, () => ({ check: 'own', result: 'pass', place: 'x' }) as const),
  }

  it('is as it was where nothing was rewarded before, or where it is refused', () => {
    expect(rewardOnce(verdict, 0, false)).toBe(verdict)
    const refused = refusedVerdict({ id: '1' }, somePool(), 'PROOF_FAILED', 'x')
    expect(rewardOnce(refused, 5_000, false)).toBe(refused)
  })

  it('has no more than 200 lines of evidence, of which the pool’s are the last', () => {
    const { evidence, score } = rewardOnce(verdict, 5_000, false)
    expect(score).toBe(0.3)
    expect(evidence).toHaveLength(200)
    expect(evidence.slice(-3).map(({ check }) => check)).toEqual(['own', 'pool.score', 'pool.rewarded'])
  })
})

function somePool() {
  return { address: addressOfDigit('1'), poc: { code: '', digest: `sha256:${'0'.repeat(64)}` } } as const
}
