import { digestOf } from '@sealpool/crypto'
import type { Job } from '@sealpool/sandbox'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { JobContext } from '../job/job-context.js'
import type { PlannedJob } from '../job/planned-job.js'
import { requireNotBehind } from '../job/reserve-job.js'
import { advanceJob } from '../job/run-job.js'
import { findJob, type Reservation } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { diskImage } from '../testing/disk-image.js'
import { jobFixture, manifest } from '../testing/job-fixture.js'
import {
  fakePrograms,
  openProgramBudget,
  programManifest,
  programPool,
  someCode,
  wages,
  workers,
} from '../testing/program-fixture.js'
import { processOf, requireOwnProcess } from './one-process.js'
import type { Programs } from './programs.js'

/* Each `fakePrograms` is a process of its own: the same node started anew, a copy of it, or the next leader of its group. */

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
beforeEach(async () => {
  await world.reset()
  await openProgramBudget(store)
  await world.blobs.put(someCode)
  world.chain.anchors = true
})

const pools = new Map([[programPool.address, programPool]])
const advance = (id: string, programs: JobContext['programs']) =>
  advanceJob(world.context(workers, { pools, programs }), id)
const toldAfterMs = 8_000
const interrupted = { state: 'refused', reason: 'PROGRAM_INTERRUPTED', sealedResult: null }

/** Has another process take a job up: it must end it, and not begin it. */
async function takenUp(id: string): Promise<void> {
  const heir = fakePrograms(world)
  await ended(id, heir.programs)
  expect(heir.open.jobs).toEqual([])
  expect(heir.open.runtimes).toBe(0)
}
async function ended(id: string, programs: JobContext['programs']): Promise<void> {
  expect(await advance(id, programs)).toMatchObject(interrupted)
  expect(await world.spent()).toBe('20')
  const { refusal, pools: charged } = await world.receiptOf(id)
  expect(refusal?.code).toBe('PROGRAM_INTERRUPTED')
  expect(charged[0]?.budget?.after.epsilonSpent).toBe('20')
  expect(world.chain.calls.at(-1)).toBe('refuse')
}

describe('a job of a program that is charged is ended, charged, by any process but the one that charged it', () => {
  it('before its charge is confirmed', async () => {
    world.chain.anchorsConfirmed = false
    const id = await world.paid(programManifest())
    expect(await advance(id, fakePrograms(world).programs)).toMatchObject({ reason: 'ANCHOR_NOT_CONFIRMED' })
    await takenUp(id)
  })

  it('when the node was stopped in the middle of the runs', async () => {
    const id = await world.paid(programManifest())
    let stopping: Promise<void> | undefined
    const first = fakePrograms(world, (job: Job) => {
      stopping ??= first.programs.stop()
      return wages(job)
    })
    expect(await advance(id, first.programs)).toMatchObject({ state: 'waiting', reason: 'NODE_STOPS' })
    await stopping
    expect(first.open.runtimes).toBe(0)
    await expect(first.programs.open('quickjs')).rejects.toThrow()
    // A process that stops begins nothing again either.
    const { length } = first.open.jobs
    expect(await advance(id, first.programs)).toMatchObject({ state: 'waiting', reason: 'NODE_STOPS' })
    expect(first.open.jobs).toHaveLength(length)
    await takenUp(id)
  })

  it('when its outcome was there and not told yet', async () => {
    const id = await world.paid(programManifest())
    expect(await advance(id, fakePrograms(world).programs)).toMatchObject({ reason: 'PROGRAM_RUNS' })
    await takenUp(id)
  })

  it('when it was reserved by a node that did not note who may run it', async () => {
    const id = await world.paid(programManifest())
    const first = fakePrograms(world)
    await advance(id, first.programs)
    const { process, ...reservation } = (await findJob(store, id))?.reservation ?? {}
    expect(process).toBe(first.programs.process)
    await store.query('update jobs set reservation = $1', [JSON.stringify(reservation)])
    await takenUp(id)
  })

  it('when the settings name no runtime any more', async () => {
    const id = await world.paid(programManifest())
    await advance(id, fakePrograms(world).programs)
    await store.query(`update jobs set reservation = (reservation::jsonb - 'process')::text`)
    expect(await advance(id, undefined)).toMatchObject(interrupted)
  })
})

describe('the process that charged it begins it once', () => {
  it('when its outcome was forgotten with the job, which the chain took away and gives back', async () => {
    const id = await world.paid(programManifest())
    const { clock, open, programs } = fakePrograms(world)
    expect(await advance(id, programs)).toMatchObject({ reason: 'PROGRAM_RUNS' })
    await store.query(`update jobs set state = 'closed' where id = $1`, [id])
    expect(await advance(id, programs)).toMatchObject({ state: 'closed' })
    // As after a reorganisation, or when the other node that got it was silent too.
    await store.query(`update jobs set state = 'waiting' where id = $1`, [id])
    clock.now += toldAfterMs
    await ended(id, programs)
    expect(open.jobs).toHaveLength(4)
  })

  it('when its runtime did not end as it should', async () => {
    const id = await world.paid(programManifest())
    const { open, programs } = fakePrograms(world)
    const stuck: JobContext['programs'] = {
      ...programs,
      open: async (kind) => ({
        ...(await programs.open(kind)),
        close: async () => {
          throw new Error('it does not end')
        },
      }),
    }
    await expect(advance(id, stuck)).rejects.toThrow('it does not end')
    await ended(id, stuck)
    expect(open.jobs).toHaveLength(4)
  })
})

it('the process that charged it goes on with it, however often it waits', async () => {
  world.chain.anchorsConfirmed = false
  const { clock, open, programs } = fakePrograms(world)
  const id = await world.paid(programManifest())
  for (let turn = 0; turn < 2; turn++)
    expect(await advance(id, programs)).toMatchObject({ reason: 'ANCHOR_NOT_CONFIRMED' })
  expect(open.jobs).toEqual([])
  world.chain.anchorsConfirmed = true
  expect(await advance(id, programs)).toMatchObject({ reason: 'PROGRAM_RUNS' })
  clock.now += toldAfterMs
  expect(await advance(id, programs)).toMatchObject({ state: 'settled', reason: null })
  expect(open.jobs).toHaveLength(4)
})

it('a query may be run by whoever has the state next: its answer is the same', async () => {
  world.chain.anchorsConfirmed = false
  const id = await world.paid(manifest())
  const first = fakePrograms(world).programs
  expect(await advanceJob(world.context(undefined, { pools, programs: first }), id)).toMatchObject({
    reason: 'ANCHOR_NOT_CONFIRMED',
  })
  expect((await findJob(store, id))?.reservation).not.toHaveProperty('process')
  world.chain.anchorsConfirmed = true
  const next = fakePrograms(world).programs
  expect(await advanceJob(world.context(undefined, { pools, programs: next }), id)).toMatchObject({
    state: 'settled',
  })
})

describe('a host that keeps disks', () => {
  it('of before the charge has them refused at the start', async () => {
    const id = await world.paid(programManifest())
    const restore = await diskImage(store)
    const { clock, programs } = fakePrograms(world)
    await advance(id, programs)
    clock.now += toldAfterMs
    expect(await advance(id, programs)).toMatchObject({ state: 'settled' })
    await restore()
    const refusal = { code: 'STATE_ROLLED_BACK', message: expect.stringContaining('only version 0') }
    await expect(requireNotBehind(world.context(), programPool.address)).rejects.toMatchObject(refusal)
    // The release was withheld: the job looks as if it had only begun.
    world.chain.state = 'Running'
    const { open, programs: second } = fakePrograms(world)
    await expect(advance(id, second)).rejects.toMatchObject(refusal)
    expect(open.jobs).toEqual([])
  })

  it('of between charge and answer gets no second answer', async () => {
    const id = await world.paid(programManifest())
    const { clock, programs } = fakePrograms(world)
    await advance(id, programs)
    const restore = await diskImage(store)
    clock.now += toldAfterMs
    expect(await advance(id, programs)).toMatchObject({ state: 'settled' })
    await restore()
    await requireNotBehind(world.context(), programPool.address)
    world.chain.state = 'Running'
    await takenUp(id)
  })

  it('and runs two copies of one disk side by side gets the answer of one: the chain takes one charge', async () => {
    const id = await world.paid(programManifest())
    const restore = await diskImage(store)
    world.chain.anchorsConfirmed = false
    const processes = [fakePrograms(world), fakePrograms(world)] as const
    const heads: unknown[] = []
    for (const { programs } of processes) {
      world.chain.state = 'Funded'
      world.chain.node = null
      await restore()
      expect(await advance(id, programs)).toMatchObject({ reason: 'ANCHOR_NOT_CONFIRMED' })
      const [row] = await store.query('select head from ledger where version = 1')
      heads.push(row?.['head'])
    }
    expect(new Set(heads).size).toBe(2)
    expect(world.chain.anchored.map(({ head }) => head)).toEqual([heads[0]])
    world.chain.anchorsConfirmed = true
    // What is on the disk now is the second one's.
    await expect(advance(id, processes[1].programs)).rejects.toMatchObject({
      code: 'STATE_ROLLED_BACK',
      message: expect.stringContaining('another entry of that version'),
    })
    expect(processes[1].open.jobs).toEqual([])
  })
})

it('the charge is of this plan and these inputs still', async () => {
  const id = await world.paid(programManifest())
  await advance(id, fakePrograms(world).programs)
  const { charge, planDigest, process, inputs } = (await findJob(store, id))?.reservation ?? {}
  const told = inputs?.map(({ pool, root, count }) => ({ pool, root, count })) ?? []
  const digest = digestOf({
    format: 'sealpool/reservation',
    plan: planDigest ?? null,
    inputs: told,
    process: process ?? null,
  })
  expect(charge?.endsWith(` ${digest}`)).toBe(true)
})

describe('what hangs on the process', () => {
  const program = {} as NonNullable<PlannedJob['program']>
  const query: Pick<PlannedJob, 'program'> = {}

  it('is the charge of a program alone, where there is a runtime for any', () => {
    expect(processOf({ program }, { process: 'a' })).toEqual({ process: 'a' })
    expect(processOf(query, { process: 'a' })).toEqual({})
    expect(processOf({ program }, undefined)).toEqual({})
  })

  it.each<[string, Pick<Programs, 'process'> | undefined, Pick<Reservation, 'process'>]>([
    ['without a runtime, of a charge that names none', undefined, {}],
    ['without a runtime', undefined, { process: 'a' }],
    ['of a charge that names none', { process: 'a' }, {}],
    ['of the charge of another', { process: 'a' }, { process: 'b' }],
  ])('is nobody’s %s', (_, programs, reservation) => {
    expect(() => requireOwnProcess({ program }, programs, reservation)).toThrow(
      expect.objectContaining({ code: 'PROGRAM_INTERRUPTED' }),
    )
    expect(() => requireOwnProcess(query, programs, reservation)).not.toThrow()
  })

  it('is its own', () => {
    expect(() => requireOwnProcess({ program }, { process: 'a' }, { process: 'a' })).not.toThrow()
  })
})
