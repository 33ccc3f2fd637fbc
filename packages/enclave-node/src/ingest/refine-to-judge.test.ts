import { digestOf } from '@sealpool/crypto'
import { type Job, type JobRuntime, type RunResult, SandboxError } from '@sealpool/sandbox'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findContribution, markBatchRecorded } from '../state/contribution-table.js'
import { unrecordedBatches } from '../state/verdict-table.js'
import { daysOf, judgingWorld } from '../testing/judging-world.js'
import { memoryStores } from '../testing/memory-store.js'
import { validatorPeers } from '../testing/validator-peers.js'
import { auditVerdicts } from './audit-verdicts.js'
import type { IngestContext } from './ingest-context.js'
import { judgeBatch } from './judge-batch.js'
import { refineNext } from './refine-batch.js'

const newStore = memoryStores()
let world: Awaited<ReturnType<typeof judgingWorld>>

beforeAll(async () => {
  world = await judgingWorld(newStore)
})
afterAll(() => world.close())
beforeEach(() => world.reset())

/** Thirty days of which the last does not fit the table: the proof looks at no length. */
const unfit = (person: number) =>
  daysOf(person).map((one, index) => (index === 29 ? { ...one, day: '9'.repeat(21) } : one))
const refused = (place: string) => ({ valid: false, score: 0, refusal: { code: 'REFINER_REFUSED', place } })
const stateOf = async (id: string) => {
  const { state, reason, score } = (await findContribution(world.context().store, id)) ?? {}
  return { state, reason, score }
}
/** What goes to the chain. */
const sent = async () =>
  (await unrecordedBatches(world.context().store)).flatMap(({ entries }) =>
    entries.map(({ contributionId, refused: isRefused, score }) => [contributionId, isRefused, score]),
  )
/** A sandbox in which the refiner's runs end otherwise. */
const atRefiner = (end: (job: Job) => RunResult | Promise<RunResult>): JobRuntime => ({
  ...world.runtime,
  run: async (job) => (job.entry === 'refine' ? end(job) : world.runtime.run(job)),
})
/** One that takes whatever the proof takes, as every release before this one paid for it. */
const takesAll = () =>
  atRefiner(() => ({ ok: true, output: { tables: { days: [{ day: 'any', steps: 1 }] } }, logs: [] }))
const tooLong = () => atRefiner(() => ({ ok: false, code: 'TIMEOUT', message: '', place: 'run' }))

describe('what the proof accepts and the refiner does not', () => {
  it.each([
    ['has a value that does not fit', { days: unfit(1) }, 'refiner.VALUE_RANGE'],
    ['has a value of another type', { days: [{ day: '1', steps: 1.5 }] }, 'refiner.VALUE_TYPE'],
    ['gives no row', { days: [] }, 'refiner.NO_ROWS'],
  ])('is refused and not paid when it %s', async (_, brought, place) => {
    await world.contribute('1', brought)
    world.runIn(takesAll())
    await world.judge()
    // The proof has nothing against it.
    expect(await world.verdictOn('1')).toMatchObject({ valid: true })
    await world.reset()
    await world.contribute('1', brought)
    await world.contribute('2', { days: daysOf(2) })
    await world.judge()
    expect(await world.verdictOn('1')).toMatchObject(refused(place))
    expect(await sent()).toEqual([
      ['1', true, 0],
      ['2', false, 10_000],
    ])
    expect(await stateOf('1')).toMatchObject({ state: 'judged', reason: 'REFINER_REFUSED', score: 0 })
    for (const { id } of await unrecordedBatches(world.context().store))
      await markBatchRecorded(world.context().store, id)
    expect(await stateOf('1')).toMatchObject({ state: 'refused' })
    expect(await stateOf('2')).toMatchObject({ state: 'recorded' })
  })

  it('is no leaf of a Merkle batch', async () => {
    await world.contribute('1', { days: unfit(1), merkle: { batch: '1', index: 0 } })
    await world.judge()
    expect(await stateOf('1')).toMatchObject({ reason: 'REFINER_REFUSED', score: 0 })
  })

  it('claims nothing: the same days in a form that fits are new, in the same batch and later', async () => {
    await world.contribute('1', { days: unfit(1), account: 'ann' })
    await world.contribute('2', { days: daysOf(1), account: 'ann' })
    await world.judge()
    expect(await world.verdictOn('2')).toMatchObject({ valid: true, uniqueness: 1, score: 1 })
    expect([await world.countOf('content_prints'), await world.countOf('fingerprints')]).toEqual([1, 1])
    expect(await world.countOf('account_claims')).toBe(1)
  })

  it('is refused by another name when it was a clock that ended the refiner', async () => {
    await world.contribute('1', { days: daysOf(1) })
    world.runIn(tooLong())
    await world.judge()
    expect((await world.verdictOn('1')).refusal).toEqual({
      code: 'REFINER_TIMEOUT',
      place: 'refiner.MAP_FAILED',
    })
  })
})

describe('a stop while the refiner is asked', () => {
  it('leaves nothing behind: the next process judges it as the first would have', async () => {
    const durable = await newStore()
    world.start(await world.sealed(durable))
    await world.contribute('1', { days: unfit(1) })
    await world.contribute('2', { days: daysOf(2) })
    // As after `kill -9`: nothing that the process would still do reaches the disk.
    const closed = new SandboxError('RUNTIME_CLOSED', 'runtime', 'the process is gone')
    let runs = 0
    world.runIn(
      atRefiner((job) => {
        runs += 1
        if (runs === 2) throw closed
        return world.runtime.run(job)
      }),
    )
    await expect(judgeBatch(world.context(), world.pool())).rejects.toMatchObject({ code: 'RUNTIME_CLOSED' })
    await world.context().store.close()
    world.runIn(world.runtime)
    world.start(await world.sealed(durable))
    expect(await stateOf('1')).toMatchObject({ state: 'seen', reason: null })
    expect([await world.countOf('verdicts'), await world.countOf('verdict_batches')]).toEqual([0, 0])
    await world.judge()
    expect(await sent()).toEqual([
      ['1', true, 0],
      ['2', false, 10_000],
    ])
    await world.context().store.close()
    await durable.close()
  })
})

it('what an earlier release has paid for ends where it did: without rows, and said so', async () => {
  await world.contribute('1', { days: unfit(1) })
  world.runIn(takesAll())
  await world.judge()
  world.runIn(world.runtime)
  for (const { id } of await unrecordedBatches(world.context().store))
    await markBatchRecorded(world.context().store, id)
  const written: unknown[] = []
  const parts = { write: async (part: unknown) => written.push(part) }
  const context = { ...world.context(), parts } as unknown as IngestContext
  const settings = { ...context.settings, refinementSize: 10 }
  expect(await refineNext({ ...context, settings }, world.pool())).toBe(1)
  expect(await stateOf('1')).toMatchObject({ state: 'refined', reason: 'REFINER_REFUSED', score: 10_000 })
  expect(written).toEqual([])
})

describe('validators', () => {
  const honest = () => [world.runtime, world.runtime]

  it('refuse alike what gives no rows, each with the refiner of its own', async () => {
    const { errors, peers } = validatorPeers(world, { threshold: 3, runtimes: honest() })
    await world.contribute('1', { days: unfit(1) })
    await world.contribute('2', { days: daysOf(2) })
    await world.judge()
    expect(await world.verdictOn('1')).toMatchObject(refused('refiner.VALUE_RANGE'))
    expect(await world.verdictOn('2')).toMatchObject({ valid: true })
    expect(errors).toEqual([])
    expect(peers.map(({ server }) => server.signed())).toEqual([2, 2])
  })

  it('overrule a home that pays for it', async () => {
    const { facts } = validatorPeers(world, { threshold: 2, runtimes: honest() })
    world.runIn(takesAll())
    await world.contribute('1', { days: unfit(1) })
    await world.judge()
    expect(await world.verdictOn('1')).toMatchObject(refused('refiner.VALUE_RANGE'))
    expect(await sent()).toEqual([['1', true, 0]])
    expect(await world.countOf('fingerprints')).toBe(0)
    expect(facts).toMatchObject([{ event: 'verdict-disputed' }])
  })

  it('overrule a home that refuses in the refiner’s name what it takes', async () => {
    validatorPeers(world, { threshold: 2, runtimes: honest() })
    world.runIn(atRefiner(() => ({ ok: false, code: 'THREW', message: '', place: 'run' })))
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    expect(await world.verdictOn('1')).toMatchObject({ valid: true, score: 1 })
    expect([await world.countOf('content_prints'), await world.countOf('fingerprints')]).toEqual([1, 1])
  })

  it('sign no word of a clock that did not end the home’s run as well', async () => {
    const { errors } = validatorPeers(world, { threshold: 2, runtimes: [tooLong()] })
    await world.contribute('1', { days: daysOf(1) })
    await judgeBatch(world.context(), world.pool())
    expect(errors.join()).toContain('BY_THE_CLOCK')
    expect(await stateOf('1')).toMatchObject({ state: 'seen', reason: 'VALIDATORS_AWAY' })
    await world.reset()
    validatorPeers(world, { threshold: 2, runtimes: [tooLong()] })
    world.runIn(tooLong())
    await world.contribute('1', { days: daysOf(1) })
    await world.judge()
    expect((await world.verdictOn('1')).refusal?.code).toBe('REFINER_TIMEOUT')
  })

  it('who give the refiner less count for nothing: they judge by something else', async () => {
    const { proof, refiner } = world.context().limits
    const limits = { proof, refiner: { ...refiner, memoryBytes: refiner.memoryBytes - 1 } }
    const { errors } = validatorPeers(world, { threshold: 2, runtimes: [world.runtime], change: { limits } })
    await world.contribute('1', { days: daysOf(1) })
    await judgeBatch(world.context(), world.pool())
    expect(errors.join()).toContain('VERDICT_OVER_OTHER_INPUTS')
    expect(await stateOf('1')).toMatchObject({ state: 'seen', reason: 'VALIDATORS_AWAY' })
  })
})

describe('a verdict that is judged again', () => {
  const statesOf = async () =>
    (await world.context().store.query('select state from verdict_audits order by contribution')).map(
      ({ state }) => state,
    )
  const audit = async (runtime: JobRuntime) => {
    const told: unknown[] = []
    const ingest = { ...world.context(), runtime, now: () => 3_000_000_000 }
    await auditVerdicts({ ingest, audit: { write: (fact) => void told.push(fact) } }, world.pool())
    return told
  }
  const settled = () =>
    world
      .context()
      .store.query(
        `update contributions set state = case when reason is null then 'recorded' else 'refused' end`,
      )

  it('asks the refiner again, and a clock that ends it proves nothing', async () => {
    world.rule({ auditShare: 1 })
    await world.contribute('1', { days: unfit(1) })
    await world.judge()
    await settled()
    expect(await audit(tooLong())).toEqual([])
    expect(await statesOf()).toEqual(['due'])
    await world.context().store.query('update verdict_audits set retry_at = 0')
    expect(await audit(world.runtime)).toEqual([])
    expect(await statesOf()).toEqual(['same'])
  })

  it('shows a machine whose refiner says something else', async () => {
    world.rule({ auditShare: 1 })
    await world.contribute('1', { days: unfit(1) })
    await world.judge()
    await settled()
    expect(await audit(takesAll())).toMatchObject([{ event: 'verdict-differs' }])
  })

  it('of a release that did not ask the refiner is judged without it', async () => {
    world.rule({ auditShare: 1 })
    await world.contribute('1', { days: unfit(1) })
    world.runIn(takesAll())
    await world.judge()
    world.runIn(world.runtime)
    await settled()
    // What such a release had noted: the same rules without a refiner.
    const { limits } = world.context()
    const { poc } = world.pool()
    const rules = digestOf({ poc: poc.digest, farming: null, limits: { ...limits.proof } })
    const { store } = world.context()
    const [noted] = await store.query('select known::text from verdict_audits')
    const known = { ...(JSON.parse(String(noted?.['known'])) as object), rules }
    await store.query('update verdict_audits set known = $1', [JSON.stringify(known)])
    expect(await audit(world.runtime)).toEqual([])
    expect(await statesOf()).toEqual(['same'])
  })
})
