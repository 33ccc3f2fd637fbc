import { BlobStoreError } from '@sealpool/client'
import { parseJobManifest } from '@sealpool/compute'
import { hpkeIdentity, type JsonValue, openBytes, sha256Digest } from '@sealpool/crypto'
import { type Job, type RunResult, SandboxError } from '@sealpool/sandbox'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { JobRow } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { wakeJobs } from '../state/wake-jobs.js'
import { engine, jobFixture, resultKeys } from '../testing/job-fixture.js'
import {
  fakePrograms,
  openProgramBudget,
  programManifest,
  programPool,
  someCode,
  someDigest,
  wageOf,
  wages,
  workers,
} from '../testing/program-fixture.js'
import type { JobContext } from './job-context.js'
import { previewPlan, previewPrice } from './request-run.js'
import { advanceJob } from './run-job.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
beforeEach(async () => {
  await world.reset()
  await openProgramBudget(store)
  await world.blobs.put(someCode)
})

const pools = new Map([[programPool.address, programPool]])
const contextOf = (programs: JobContext['programs'], change: Partial<JobContext> = {}) =>
  world.context(workers, { pools, programs, ...change })
/** 4 runs of a second, and a second for each to be ended. */
const tellingMs = 8_000

async function answerIn(job: JobRow | undefined) {
  const opened = await openBytes(job?.sealedResult ?? new Uint8Array(0), {
    identities: [hpkeIdentity(resultKeys)],
  })
  return JSON.parse(new TextDecoder().decode(opened.plaintext)) as JsonValue
}

describe('a job of a program', () => {
  it('is charged, run, told when its time is over and not before, and settled', async () => {
    const { clock, open, programs } = fakePrograms(world)
    const context = contextOf(programs)
    const id = await world.paid(programManifest())
    const waiting = { state: 'waiting', reason: 'PROGRAM_RUNS', sealedResult: null, receipt: null }
    expect(await advanceJob(context, id)).toMatchObject(waiting)
    expect(await world.spent()).toBe('20')
    expect(open.jobs.map(wageOf).sort()).toEqual([10, 20, 30, 40])
    clock.now += tellingMs - 1
    expect(await advanceJob(context, id)).toMatchObject(waiting)
    clock.now += 1
    const job = await advanceJob(context, id)
    expect(job).toMatchObject({ state: 'settled', reason: null })
    const answer = (await answerIn(job)) as unknown as { outputs: { name: string; value: number }[] }
    expect(answer.outputs.map(({ name }) => name)).toEqual(['wage'])
    expect(Math.abs((answer.outputs[0]?.value ?? 0) - 25)).toBeLessThan(5)
    expect(world.chain.calls).toEqual(['start', 'release', 'settle'])
    // Each worker in one run, of one runtime, which is closed.
    expect(open.jobs).toHaveLength(4)
    expect(open.runtimes).toBe(0)
    expect(programs.held.find(id, job?.reservation?.charge ?? '')).toBeUndefined()
  })

  it('says the same of itself, and is told at the same moment, however long its runs take and however they end', async () => {
    const lost: RunResult = { ok: false, code: 'RUNTIME_LOST', message: 'x', place: 'run' }
    const fakes = [
      { answer: wages, takes: 0 },
      { answer: wages, takes: 1_400 },
      { answer: (): RunResult => ({ ...lost, code: 'TIMEOUT' }), takes: 1_999 },
      { answer: () => lost, takes: 400 },
    ]
    const shown: unknown[] = []
    const ends: unknown[] = []
    for (const [index, { answer, takes }] of fakes.entries()) {
      const id = `${index + 1}`
      const { clock, programs } = fakePrograms(world, (job) => {
        clock.now += takes
        return answer(job)
      })
      const { now: began } = clock
      await world.paid(programManifest(), {}, id)
      world.chain.state = 'Funded'
      const now = () => 1_700_000_000 + Math.floor((clock.now - began) / 1_000)
      const context = contextOf(programs, { now })
      await advanceJob(context, id)
      const [row] = await store.query('select state, reason, retry_at::text as at from jobs where id = $1', [
        id,
      ])
      shown.push(row)
      clock.now = began + tellingMs - 1
      expect((await advanceJob(context, id))?.reason).toBe('PROGRAM_RUNS')
      clock.now = began + tellingMs
      const { state, reason } = (await advanceJob(context, id)) ?? {}
      ends.push([state, reason])
    }
    expect(new Set(shown.map((one) => JSON.stringify(one))).size).toBe(1)
    expect(ends).toEqual([
      ['settled', null],
      ['settled', null],
      ['refused', 'TOO_FEW_CONTRIBUTORS_AFTER_NOISE'],
      // As any other run without an answer: a failure of the job as a whole would have no noise.
      ['refused', 'TOO_FEW_CONTRIBUTORS_AFTER_NOISE'],
    ])
  })

  it('says that it waits from before its first run on, for the time that is counted from there', async () => {
    const seen: unknown[] = []
    const { clock, programs } = fakePrograms(world, async (job) => {
      const [row] = await store.query('select state, reason, retry_at::int as at from jobs')
      seen.push(row)
      return wages(job)
    })
    const { now: asked } = clock
    // To start a runtime may take any time.
    const open: typeof programs.open = (runtime) => {
      clock.now += 700
      return programs.open(runtime)
    }
    const id = await world.paid(programManifest())
    const context = contextOf({ ...programs, open })
    await advanceJob(context, id)
    expect(seen).toEqual(
      Array.from({ length: 4 }, () => ({ state: 'waiting', reason: 'PROGRAM_RUNS', at: 1_700_000_008 })),
    )
    clock.now = asked + 700 + tellingMs - 1
    expect(await advanceJob(context, id)).toMatchObject({ reason: 'PROGRAM_RUNS' })
    clock.now += 1
    expect(await advanceJob(context, id)).toMatchObject({ state: 'settled' })
  })

  it('fails, charged, where its runtime cannot be started', async () => {
    const { programs } = fakePrograms(world)
    const open = async () => {
      throw new SandboxError('RUNTIME_UNAVAILABLE', 'process', 'x')
    }
    const id = await world.paid(programManifest())
    const job = await advanceJob(contextOf({ ...programs, open }), id)
    expect(job).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    expect(await world.spent()).toBe('20')
  })

  it('keeps its place among the jobs that run at once until it may be told, whatever its runs were', async () => {
    const ends: unknown[] = []
    for (const [index, { takes, few }] of [
      { takes: 0, few: false },
      { takes: 1_700, few: false },
      { takes: 0, few: true },
    ].entries()) {
      const id = `${index + 1}`
      const starts: number[] = []
      const { clock, open, programs } = fakePrograms(world, (job) => {
        starts.push(clock.now - began)
        clock.now += takes
        return wages(job)
      })
      clock.moves = true
      const { now: began } = clock
      await world.paid(programManifest(), {}, id)
      world.chain.state = 'Funded'
      const nobody = () => engine({ query: async () => [] })
      const context = world.context(few ? nobody : workers, { pools, programs })
      // No other job could have begun meanwhile.
      expect(await advanceJob(context, id)).toMatchObject({ state: 'waiting', reason: 'PROGRAM_RUNS' })
      ends.push(clock.now - began)
      expect(starts).toEqual(few ? [] : [0, 2_000, 4_000, 6_000])
      expect(open.runtimes).toBe(0)
      expect((await advanceJob(context, id))?.reason).not.toBe('PROGRAM_RUNS')
    }
    expect(ends).toEqual([tellingMs, tellingMs, tellingMs])
  })

  it('has one run at a time where nobody counts steps', async () => {
    const limits = { memoryBytes: 16_777_216, timeMs: 1_000 }
    for (const [runtime, atOnce] of [
      ['quickjs', 2],
      ['native', 1],
    ] as const) {
      let running = 0
      let most = 0
      const answer = async (job: Job): Promise<RunResult> => {
        running += 1
        most = Math.max(most, running)
        await new Promise((resolve) => setImmediate(resolve))
        running -= 1
        return wages(job)
      }
      const { programs } = fakePrograms(world, answer, { runtimes: [runtime], children: 2 })
      const id = atOnce === 2 ? '1' : '2'
      await world.paid(programManifest(runtime === 'native' ? { runtime, limits } : {}), {}, id)
      world.chain.state = 'Funded'
      await advanceJob(contextOf(programs), id)
      expect(most).toBe(atOnce)
    }
  })

  it('that waits is tried at once by a node that has been started anew', async () => {
    const id = await world.paid(programManifest())
    await advanceJob(contextOf(fakePrograms(world).programs), id)
    const retry = async () => (await store.query('select retry_at::int as at from jobs'))[0]?.['at']
    expect(await retry()).toBe(1_700_000_008)
    await wakeJobs(store, 'ANOTHER_REASON')
    expect(await retry()).toBe(1_700_000_008)
    await wakeJobs(store, 'PROGRAM_RUNS')
    expect(await retry()).toBe(0)
  })

  it('waits for its code when the store loses it after the charge', async () => {
    const { clock, programs } = fakePrograms(world)
    const context = contextOf(programs)
    Object.assign(world.chain, { anchors: true, anchorsConfirmed: false })
    const id = await world.paid(programManifest())
    expect(await advanceJob(context, id)).toMatchObject({ reason: 'ANCHOR_NOT_CONFIRMED' })
    // Other jobs' programs have taken its place in memory meanwhile.
    for (let other = 0; other < 4; other++)
      await programs.code((await world.blobs.put(new Uint8Array([other]))).digest)
    await world.blobs.remove(someDigest)
    world.chain.anchorsConfirmed = true
    const { get } = world.blobs
    world.blobs.get = async (locator, options) => {
      if (locator === someDigest) throw new BlobStoreError('BLOB_STORE_FAILED', 'get', 'x')
      return get(locator, options)
    }
    expect(await advanceJob(context, id)).toMatchObject({ state: 'waiting', reason: 'BLOB_STORE_FAILED' })
    world.blobs.get = get
    expect(await advanceJob(context, id)).toMatchObject({ state: 'waiting', reason: 'PROGRAM_AWAY' })
    await world.blobs.put(someCode)
    await advanceJob(context, id)
    clock.now += tellingMs
    expect(await advanceJob(context, id)).toMatchObject({ state: 'settled' })
    expect(await world.spent()).toBe('20')
  })
})

describe('before anybody is charged', () => {
  const unserved = () => undefined
  const served = () => fakePrograms(world).programs
  const missing = sha256Digest(new Uint8Array(3))
  const limits = { memoryBytes: 16_777_216, timeMs: 1_000 }

  it.each<[string, JsonValue, () => JobContext['programs'], object]>([
    ['PROGRAMS_NOT_SERVED', programManifest(), unserved, {}],
    ['PROGRAMS_NOT_SERVED', programManifest({ runtime: 'native', limits }), served, {}],
    ['PROGRAM_MISSING', programManifest({ code: missing }), served, {}],
    ['PROGRAM_PAST_DEADLINE', programManifest(), served, { deadline: 1_700_000_008 }],
  ])('it is refused with %s', async (reason, asked, programs, chain) => {
    Object.assign(world.chain, chain)
    const context = contextOf(programs())
    const job = await advanceJob(context, await world.paid(asked))
    expect(job).toMatchObject({ state: 'refused', reason })
    expect(world.chain.calls).toEqual(['refuse'])
    expect(await world.spent()).toBe('0')
    if ('deadline' in chain) return
    // Whoever asks beforehand is told the same.
    for (const preview of [previewPlan, previewPrice]) {
      const answer = await preview(context, parseJobManifest(asked))
      if (answer.ok) throw new Error('it is refused')
      expect(answer.receipt.statement.body).toMatchObject({ refusal: { code: reason } })
    }
  })

  it('one second more is enough', async () => {
    world.chain.deadline = 1_700_000_009
    const job = await advanceJob(contextOf(served()), await world.paid(programManifest()))
    expect(job).toMatchObject({ reason: 'PROGRAM_RUNS' })
  })

  it('the plan says what is run and when it is told', async () => {
    const answer = await previewPlan(contextOf(served()), parseJobManifest(programManifest()))
    if (!answer.ok) throw new Error('it is planned')
    expect(answer.explanation).toMatchObject({
      computation: 'program',
      runtime: 'quickjs',
      split: { kind: 'contributors', atMost: 4 },
      toldAfterMs: tellingMs,
      columns: [{ column: 'wage' }],
    })
  })

  it('it waits for a store that is away or slow, and nothing has begun meanwhile', async () => {
    const id = await world.paid(programManifest())
    let give: () => void = () => undefined
    const slow = new Promise<void>((resolve) => {
      give = resolve
    })
    let tries = 0
    const get = world.blobs.get
    world.blobs.get = async (locator, options) => {
      if (locator !== someDigest) return get(locator, options)
      tries += 1
      if (tries === 1) throw new BlobStoreError('BLOB_STORE_FAILED', 'get', 'x')
      await slow
      return get(locator, options)
    }
    const context = contextOf(served())
    expect(await advanceJob(context, id)).toMatchObject({ state: 'waiting', reason: 'BLOB_STORE_FAILED' })
    const advancing = advanceJob(context, id)
    await expect.poll(() => tries).toBe(2)
    expect(world.chain.calls).toEqual([])
    expect(await world.spent()).toBe('0')
    give()
    expect(await advancing).toMatchObject({ reason: 'PROGRAM_RUNS' })
    expect(world.chain.calls).toEqual(['start'])
  })
})

it('the same manifest on the same contributions has the same noise only where its runs gave the same', async () => {
  const outputs = ['wage', 'other'].map((name) => ({ name, min: 0, max: 100 }))
  const both = (job: Job, other: number): RunResult => ({
    ok: true,
    output: { wage: wageOf(job), other },
    logs: [],
  })
  const answered = async (other: (wage: number) => number) => {
    await store.run('truncate jobs, job_events, receipts, exclusive_statements cascade')
    await openProgramBudget(store)
    world.chain.state = 'Funded'
    const { clock, programs } = fakePrograms(world, (job) => both(job, other(wageOf(job))))
    const context = contextOf(programs)
    const id = await world.paid(programManifest({ outputs }))
    await advanceJob(context, id)
    clock.now += tellingMs
    const found = (await answerIn(await advanceJob(context, id))) as { outputs?: { value: number }[] }
    return found.outputs?.map(({ value }) => value)
  }
  const first = await answered(() => 50)
  expect(await answered(() => 50)).toEqual(first)
  // One run of another answer for one output: no output's noise is the same.
  const second = await answered((wage) => (wage === 10 ? 51 : 50))
  expect(first).toHaveLength(2)
  expect(second?.[0]).not.toBe(first?.[0])
})
