import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeRestriction } from '../policy/narrowed-pools.js'
import type { PolicyRestriction } from '../policy/restriction.js'
import { applyJobEvent, undoJobEvents } from '../state/job-event-table.js'
import { begunJobs } from '../state/job-queue.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { jobFixture, keys, manifest, pool } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { advanceJob } from './run-job.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
beforeEach(() => world.reset())
const never = () => {
  throw new Error('the job was run')
}
const here = { served: true, self: keys.statementAddress }
const advance = (id: string, open?: () => never) => advanceJob(world.context(open), id)

describe('a drawn job', () => {
  it('is started only when the lot has fallen on this node', async () => {
    const id = await world.paid()
    Object.assign(world.chain, { drawn: true, lot: 'Funded' })
    expect(await advance(id, never)).toMatchObject({ state: 'waiting', reason: 'LOT_NOT_DRAWN' })
    expect(world.chain.calls).toEqual(['assign'])
    world.chain.lot = 'Assigned'
    await advance(id, never)
    expect((await advance(id))?.state).toBe('settled')
    expect(world.chain.calls).toEqual(['assign', 'assign', 'start', 'release', 'settle'])
  })

  it('has its lot fixed while a contributor or the guardian holds it', async () => {
    const id = await world.paid()
    Object.assign(world.chain, { drawn: true, lot: 'Funded', suspended: true })
    expect(await advance(id, never)).toMatchObject({ state: 'waiting', reason: 'JOB_SUSPENDED' })
    expect(world.chain.calls).toEqual(['assign'])
  })

  it('is left to the node on which the lot fell, and taken from it when it stays silent', async () => {
    const id = await world.paid()
    Object.assign(world.chain, { drawn: true, state: 'Assigned', node: addressOfDigit('7') })
    expect(await advance(id, never)).toMatchObject({ state: 'waiting', reason: 'ASSIGNED_TO_OTHER_NODE' })
    world.chain.silent = true
    expect(await advance(id, never)).toMatchObject({ state: 'waiting', reason: 'TAKEN_FROM_SILENT_NODE' })
    expect(world.chain.calls).toEqual(['requeue'])
  })

  it('is refused only while the lot is on this node: not before it falls anew, and not once another node has it', async () => {
    const id = await world.paid(manifest({ purpose: 'advertising' }))
    Object.assign(world.chain, { drawn: true, state: 'Assigned', node: keys.statementAddress })
    world.chain.fail = 'refuse'
    await expect(advance(id, never)).rejects.toThrow('cut off')
    Object.assign(world.chain, { fail: undefined, state: 'Funded', node: null, lot: 'Funded' })
    expect(await advance(id, never)).toMatchObject({ state: 'refusing', reason: 'PURPOSE_NOT_ALLOWED' })
    expect(world.chain.calls).toEqual(['assign'])
    Object.assign(world.chain, { state: 'Running', node: addressOfDigit('7') })
    expect(await advance(id, never)).toMatchObject({ state: 'closed', reason: 'LOST_TO_OTHER_NODE' })
    expect(world.chain.calls).toEqual(['assign'])
  })

  it('is refused once the lot has fallen on this node again', async () => {
    const id = await world.paid(manifest({ purpose: 'advertising' }))
    Object.assign(world.chain, { drawn: true, state: 'Assigned', node: keys.statementAddress })
    world.chain.fail = 'refuse'
    await expect(advance(id, never)).rejects.toThrow('cut off')
    Object.assign(world.chain, { fail: undefined, state: 'Assigned', node: keys.statementAddress })
    expect(await advance(id, never)).toMatchObject({ state: 'refused', reason: 'PURPOSE_NOT_ALLOWED' })
  })
})

describe('a job that a node has begun', () => {
  it('of another node is taken over when that one falls silent', async () => {
    const id = await world.paid()
    Object.assign(world.chain, { state: 'Running', node: addressOfDigit('7') })
    expect(await advance(id, never)).toMatchObject({ state: 'closed', reason: 'RUN_BY_OTHER_NODE' })
    const moved = { kind: 'moved', id, state: 'Funded', block: 9n, position: 0 } as const
    await applyJobEvent(store, moved, here)
    Object.assign(world.chain, { state: 'Funded', node: null })
    expect(await findJob(store, id)).toMatchObject({ state: 'waiting', reason: null })
    expect((await advance(id))?.state).toBe('settled')
  })

  it('is taken up again when it is handed to this node', async () => {
    const id = await world.paid()
    Object.assign(world.chain, { state: 'Running', node: addressOfDigit('7') })
    await advance(id, never)
    await applyJobEvent(
      store,
      { kind: 'handed', id, to: keys.statementAddress, block: 9n, position: 0 },
      here,
    )
    world.chain.node = keys.statementAddress
    expect((await advance(id))?.state).toBe('settled')
    expect(world.chain.calls).toEqual(['release', 'settle'])
  })

  it('and that the chain gave to another one is not answered any more, and stays charged', async () => {
    const id = await world.paid()
    world.chain.fail = 'release'
    await expect(advance(id)).rejects.toThrow('cut off')
    Object.assign(world.chain, { fail: undefined, state: 'Running', node: addressOfDigit('7') })
    expect(await advance(id, never)).toMatchObject({ state: 'closed', reason: 'LOST_TO_OTHER_NODE' })
    expect(world.chain.calls).toEqual(['start'])
    expect(await world.spent()).toBe('1')
  })

  it('stays with the node that it was handed to', async () => {
    const id = await world.paid()
    Object.assign(world.chain, { state: 'Running', node: addressOfDigit('7') })
    await advance(id, never)
    await applyJobEvent(store, { kind: 'handed', id, to: addressOfDigit('8'), block: 9n, position: 0 }, here)
    expect(await findJob(store, id)).toMatchObject({ state: 'closed', reason: 'RUN_BY_OTHER_NODE' })
  })

  it('and lost, and has again, is released with the answer that it had', async () => {
    const id = await world.paid()
    world.chain.fail = 'release'
    await expect(advance(id)).rejects.toThrow('cut off')
    const before = await findJob(store, id)
    Object.assign(world.chain, { fail: undefined, node: addressOfDigit('7') })
    expect(await advance(id, never)).toMatchObject({ state: 'closed', reason: 'LOST_TO_OTHER_NODE' })
    await applyJobEvent(store, { kind: 'handed', id, to: here.self, block: 9n, position: 0 }, here)
    world.chain.node = keys.statementAddress
    expect(await advance(id, never)).toMatchObject({
      state: 'settled',
      reason: null,
      resultDigest: before?.resultDigest,
    })
    expect(await world.spent()).toBe('1')
  })

  it('and lost while it was refused, and has again, is refused for the same reason', async () => {
    const id = await world.paid(manifest({ purpose: 'advertising' }))
    world.chain.fail = 'refuse'
    await expect(advance(id, never)).rejects.toThrow('cut off')
    Object.assign(world.chain, { fail: undefined, state: 'Running', node: addressOfDigit('7') })
    expect(await advance(id, never)).toMatchObject({ state: 'closed', reason: 'LOST_TO_OTHER_NODE' })
    await applyJobEvent(store, { kind: 'handed', id, to: here.self, block: 9n, position: 0 }, here)
    world.chain.node = keys.statementAddress
    expect(await advance(id, never)).toMatchObject({ state: 'refused', reason: 'PURPOSE_NOT_ALLOWED' })
  })

  it('is started again when a reorganisation took its start, and released with the same answer', async () => {
    const id = await world.paid()
    world.chain.fail = 'release'
    await expect(advance(id)).rejects.toThrow('cut off')
    const before = await findJob(store, id)
    Object.assign(world.chain, { fail: undefined, state: 'Funded', node: null })
    expect(await advance(id, never)).toMatchObject({ state: 'settled', resultDigest: before?.resultDigest })
    expect(world.chain.calls).toEqual(['start', 'start', 'release', 'settle'])
  })
})

describe('a job that the chain took from this node, and that no other one has', () => {
  const lost = (id: string) =>
    applyJobEvent(store, { kind: 'lost', id, node: here.self, block: 9n, position: 0 }, here)
  const free = () => {
    world.chain.calls.length = 0
    Object.assign(world.chain, { fail: undefined, state: 'Funded', node: null, anchors: false })
  }

  it.each<[string, () => Promise<string>]>([
    [
      'before it was charged',
      async () => {
        const id = await world.paid()
        world.chain.confirmed = 'Funded'
        expect(await advance(id, never)).toMatchObject({ reason: 'START_NOT_CONFIRMED' })
        return id
      },
    ],
    [
      'while its charge waited for its anchor',
      async () => {
        const id = await world.paid()
        Object.assign(world.chain, { anchors: true, anchorsConfirmed: false })
        expect(await advance(id, never)).toMatchObject({ reason: 'ANCHOR_NOT_CONFIRMED' })
        return id
      },
    ],
    [
      'with its answer',
      async () => {
        const id = await world.paid()
        world.chain.fail = 'release'
        await expect(advance(id)).rejects.toThrow('cut off')
        return id
      },
    ],
    [
      'with its refusal',
      async () => {
        const id = await world.paid(manifest({ purpose: 'advertising' }))
        world.chain.fail = 'refuse'
        await expect(advance(id, never)).rejects.toThrow('cut off')
        return id
      },
    ],
  ])('is over here, %s: it is neither started nor refused again', async (_, begun) => {
    const id = await begun()
    free()
    await lost(id)
    const spent = await world.spent()
    expect(await advance(id, never)).toMatchObject({ state: 'closed', reason: 'LOST_TO_OTHER_NODE' })
    expect(world.chain.calls).toEqual([])
    expect(await world.spent()).toBe(spent)
    expect((await begunJobs(store, [pool.address])).all.size).toBe(0)
  })

  it('goes on when a reorganisation gives it back', async () => {
    const id = await world.paid()
    world.chain.fail = 'release'
    await expect(advance(id)).rejects.toThrow('cut off')
    await applyJobEvent(store, { kind: 'moved', id, state: 'Running', block: 8n, position: 0 }, here)
    free()
    await lost(id)
    await applyJobEvent(store, { kind: 'moved', id, state: 'Funded', block: 9n, position: 1 }, here)
    expect(await advance(id, never)).toMatchObject({ state: 'closed' })
    await undoJobEvents(store, 8n)
    Object.assign(world.chain, { state: 'Running', node: here.self })
    expect(await advance(id, never)).toMatchObject({ state: 'settled', reason: null })
    expect(await world.spent()).toBe('1')
  })

  it('is still this node’s when another one lost it', async () => {
    const id = await world.paid()
    await applyJobEvent(store, { kind: 'lost', id, node: addressOfDigit('7'), block: 9n, position: 0 }, here)
    expect((await advance(id))?.state).toBe('settled')
  })
})

describe('a pool that has said no', () => {
  const restricted = async (change: Partial<PolicyRestriction>): Promise<void> => {
    const { bytes, digest } = encodeRestriction({
      format: 'sealpool/policy-restriction',
      version: 1,
      reason: 'test',
      ...change,
    })
    await world.blobs.put(bytes)
    world.chain.restrictions.push(digest)
  }

  it.each<[string, Partial<PolicyRestriction>]>([
    ['POOL_STOPPED', { stop: true }],
    ['POOL_STOPPED', { purposes: ['teaching', 'research '] }],
    ['POOL_STOPPED', { purposes: [] }],
    ['POOL_STOPPED', { tables: ['others'] }],
    ['TOO_FEW_CONTRIBUTORS', { minimumContributors: 5 }],
    ['BUDGET_PER_JOB_EXCEEDED', { perJob: { epsilon: 0.5, delta: 0 } }],
    ['COLUMN_UNKNOWN', { withoutColumns: ['workers.sector'] }],
  ])('has jobs refused with %s from then on', async (reason, change) => {
    await restricted(change)
    expect(await advance(await world.paid(), never)).toMatchObject({ state: 'refused', reason })
    expect(world.chain.calls).toEqual(['refuse'])
    expect(await world.spent()).toBe('0')
  })

  it('by several restrictions is obeyed in all of them', async () => {
    await restricted({ minimumContributors: 3 })
    expect((await advance(await world.paid()))?.state).toBe('settled')
    await restricted({ stop: true })
    Object.assign(world.chain, { state: 'Funded', node: null })
    expect(
      (await advance(await world.paid(manifest({ salt: 'another-job-here' }), {}, '2'), never))?.reason,
    ).toBe('POOL_STOPPED')
  })

  it.each<[string, () => Promise<void>]>([
    ['is not to be had', async () => void world.chain.restrictions.push(digestOfDigit('a'))],
    ['is not understood', () => restricted({ colour: 'blue' } as Partial<PolicyRestriction>)],
    [
      'is not JSON',
      async () => {
        world.chain.restrictions.push((await world.blobs.put(new Uint8Array(9))).digest)
      },
    ],
  ])('by a document that %s has every job wait', async (_, narrow) => {
    await narrow()
    expect(await advance(await world.paid(), never)).toMatchObject({
      state: 'waiting',
      reason: 'RESTRICTION_UNKNOWN',
    })
    expect(world.chain.calls).toEqual([])
  })

  it('after a job was charged ends it: the receipt shows the charge and not the reason', async () => {
    const id = await world.paid()
    world.chain.anchors = true
    world.chain.anchorsConfirmed = false
    expect(await advance(id, never)).toMatchObject({ state: 'waiting', reason: 'ANCHOR_NOT_CONFIRMED' })
    await restricted({ stop: true })
    expect(await advance(id, never)).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    expect((await world.receiptOf(id)).pools[0]?.budget?.after.epsilonSpent).toBe('1')
  })

  it('by a pause of its guardian has jobs wait for its end', async () => {
    world.chain.pausedUntil = 1_700_000_001
    const id = await world.paid()
    expect(await advance(id, never)).toMatchObject({ state: 'waiting', reason: 'POOL_PAUSED' })
    world.chain.pausedUntil = 1_700_000_000
    expect((await advance(id))?.state).toBe('settled')
  })
})
