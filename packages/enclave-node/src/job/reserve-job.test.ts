import type { SqlEngine } from '@sealpool/query'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { diskImage } from '../testing/disk-image.js'
import { engine, jobFixture, manifest, pool } from '../testing/job-fixture.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { JobPutOff } from './job-refusal.js'
import { requireAnchored, requireNotBehind } from './reserve-job.js'
import { advanceJob } from './run-job.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
beforeEach(async () => {
  await world.reset()
  world.chain.anchors = true
})
const never = () => {
  throw new Error('the job was run')
}
const advance = (id: string, open?: () => SqlEngine) => advanceJob(world.context(open), id)
const another = (id: string) => {
  Object.assign(world.chain, { state: 'Funded', node: null })
  return world.paid(manifest({ salt: `another-job-here-${id}` }), {}, id)
}

describe('a node that the registry lists no more', () => {
  it('charges nothing, and signs nothing of what it has under way', async () => {
    const id = await world.paid()
    const gone = { isListed: async () => false }
    expect(await advanceJob(world.context(never, gone), id)).toMatchObject({ reason: 'NODE_NOT_LISTED' })
    expect(await world.spent()).toBe('0')
    let listed = true
    const ends = () =>
      engine({
        load: async () => {
          listed = false
        },
      })
    const meanwhile = world.context(ends, { isListed: async () => listed })
    expect(await advanceJob(meanwhile, id)).toMatchObject({ state: 'waiting', reason: 'NODE_NOT_LISTED' })
    expect(await world.spent()).toBe('1')
    expect(world.chain.calls).not.toContain('release')
    expect((await advance(id))?.state).toBe('settled')
    expect(await world.spent()).toBe('1')
  })
})

describe('a charge that other nodes remember', () => {
  it('is seen by them before it goes on chain, before anything is read, and again before the answer is released', async () => {
    const id = await world.paid()
    const seen: string[][] = []
    let isKept = false
    const heads = {
      cover: async () => {
        seen.push([...world.chain.calls])
        if (!isKept) throw new JobPutOff('HEADS_NOT_KEPT', 'they are silent')
      },
    }
    expect(await advanceJob(world.context(never, { heads }), id)).toMatchObject({
      state: 'waiting',
      reason: 'HEADS_NOT_KEPT',
    })
    expect(await world.spent()).toBe('1')
    isKept = true
    expect((await advanceJob(world.context(undefined, { heads }), id))?.state).toBe('settled')
    expect(seen).toEqual([['start'], ['start'], ['start', 'anchor 1']])
    expect(await world.spent()).toBe('1')
  })
})

describe('a charge that is anchored', () => {
  it('stands on the chain before anything is read', async () => {
    const seen: string[][] = []
    const looking = () =>
      engine({
        load: async () => {
          seen.push([...world.chain.calls])
        },
      })
    expect((await advance(await world.paid(), looking))?.state).toBe('settled')
    expect(seen).toEqual([['start', 'anchor 1']])
    const [anchor] = world.chain.anchored
    expect(anchor).toMatchObject({ sequence: 1, previous: null })
    expect(anchor?.head).toBe((await world.receiptOf('1')).pools[0]?.budget?.after.head)
  })

  it('is waited for: a host that withholds it gets no answer', async () => {
    const id = await world.paid()
    world.chain.anchorsConfirmed = false
    expect(await advance(id, never)).toMatchObject({ state: 'waiting', reason: 'ANCHOR_NOT_CONFIRMED' })
    world.chain.fail = 'anchor'
    await expect(advance(id, never)).rejects.toThrow('cut off')
    expect(await world.spent()).toBe('1')
    Object.assign(world.chain, { fail: undefined, anchorsConfirmed: true })
    expect((await advance(id))?.state).toBe('settled')
    expect(await world.spent()).toBe('1')
  })

  it('follows the one before, also when anchoring began after the first charges', async () => {
    world.chain.anchors = false
    await advance(await world.paid())
    await advance(await another('2'))
    world.chain.anchors = true
    await advance(await another('3'))
    expect(world.chain.anchored.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    expect(world.chain.anchored.map(({ previous }) => previous)).toEqual([
      null,
      world.chain.anchored[0]?.head,
      world.chain.anchored[1]?.head,
    ])
    expect(await requireNotBehind(world.context(), pool.address)).toBe(3)
  })

  it('is sent once, however many jobs that run side by side wait for it', async () => {
    world.chain.anchors = false
    await advance(await world.paid())
    await advance(await another('2'))
    world.chain.anchors = true
    world.chain.calls.splice(0)
    const context = world.context()
    const reservation = { versions: [{ pool: pool.address, version: 2 }] }
    await Promise.all([requireAnchored(context, reservation), requireAnchored(context, reservation)])
    expect(world.chain.calls).toEqual(['anchor 1', 'anchor 2'])
  })

  it('is anchored again before the release when a reorganisation took the anchor, and nothing is released until it stands', async () => {
    const id = await world.paid()
    world.chain.fail = 'release'
    await expect(advance(id)).rejects.toThrow('cut off')
    expect(await findJob(store, id)).toMatchObject({ state: 'charged' })
    Object.assign(world.chain, { fail: undefined, anchored: [], anchorsConfirmed: false })
    world.chain.calls.length = 0
    expect(await advance(id, never)).toMatchObject({ state: 'charged', reason: 'ANCHOR_NOT_CONFIRMED' })
    expect(world.chain.calls).toEqual(['anchor 1'])
    world.chain.anchorsConfirmed = true
    expect(await advance(id, never)).toMatchObject({ state: 'settled', reason: null })
    expect(world.chain.calls).toEqual(['anchor 1', 'release', 'settle'])
    expect(await world.spent()).toBe('1')
  })

  it('is a charge for these inputs: with others, the head is another one', async () => {
    await advance(await world.paid())
    const head = world.chain.anchored[0]?.head
    await world.reset()
    world.chain.anchors = true
    await world.refined('2', ['5'])
    await advance(await world.paid())
    expect(world.chain.anchored[0]?.head).not.toBe(head)
  })
})

describe('an old disk', () => {
  const image = () => diskImage(store)

  it('from before a charge is refused, naming the version that is expected', async () => {
    const id = await world.paid()
    const restore = await image()
    await advance(id)
    await restore()
    expect(await world.spent()).toBe('0')
    const refusal = expect.objectContaining({
      code: 'STATE_ROLLED_BACK',
      message: expect.stringMatching(
        /holds version 1 .* only version 0; restore a copy of version 1 or newer/,
      ),
    })
    await expect(requireNotBehind(world.context(), pool.address)).rejects.toEqual(refusal)
    // The release was withheld: the job looks as if it had only begun.
    world.chain.state = 'Running'
    await expect(advance(id, never)).rejects.toEqual(refusal)
  })

  it('that went on to another ledger is refused too', async () => {
    const id = await world.paid()
    const restore = await image()
    await advance(id)
    await restore()
    // The host gets a contribution of its own in, and lets another job take the place of the first one.
    await world.refined('2', ['5'])
    const anchored = world.chain.anchored.splice(0)
    await advance(await another('2'))
    world.chain.anchored = anchored
    await expect(requireNotBehind(world.context(), pool.address)).rejects.toMatchObject({
      code: 'STATE_ROLLED_BACK',
      message: expect.stringContaining('another entry of that version'),
    })
  })

  it('from between charge and answer gives the same answer, whatever was contributed since', async () => {
    const id = await world.paid()
    let restore: (() => Promise<void>) | undefined
    const stopping = () =>
      engine({
        load: async () => {
          restore ??= await image()
        },
      })
    const first = await advance(id, stopping)
    expect(first?.state).toBe('settled')
    await restore?.()
    await world.refined('2', ['5', '6', '7'])
    // Release and settlement never reached the chain.
    world.chain.state = 'Running'
    const second = await advance(id)
    expect(second?.resultDigest).toBe(first?.resultDigest)
    expect(await world.spent()).toBe('1')
    expect(world.chain.calls.filter((call) => call.startsWith('anchor'))).toEqual(['anchor 1'])
  })
})

describe('a number that a reorganisation gave to another job', () => {
  it('is refused, because a second release under it would prove equivocation', async () => {
    const id = await world.paid()
    await advance(id)
    await store.query('update jobs set detached = true')
    Object.assign(world.chain, { state: 'Funded', node: null, calls: [] })
    await world.paid(manifest({ salt: 'another-job-here' }), {}, id)
    expect(await findJob(store, id)).toMatchObject({ state: 'waiting', receipt: null, detached: false })
    expect(await advance(id, never)).toMatchObject({ state: 'refused', reason: 'JOB_NUMBER_REUSED' })
    expect(await world.spent()).toBe('1')
  })

  it('is taken up where it stood when the chain shows the same job again', async () => {
    const id = await world.paid()
    const settled = await advance(id)
    await store.query('update jobs set detached = true')
    expect(await advance(id, never)).toMatchObject({ detached: true })
    await world.paid(manifest(), {}, id)
    expect(await findJob(store, id)).toMatchObject({
      detached: false,
      receipt: settled?.receipt,
      resultDigest: settled?.resultDigest,
    })
  })

  it('is never charged under the name of the first: the digest of what is asked stands in it', async () => {
    await advance(await world.paid())
    const [first] = await store.query(`select (entry::jsonb) ->> 'job' as job from ledger where version = 1`)
    expect(String(first?.['job'])).toMatch(/^1 [0-9a-f]{32} sha256:[0-9a-f]{64}$/)
    await store.query(`update jobs set state = 'waiting', reservation = null`)
    await store.query('delete from receipts')
    world.chain.state = 'Running'
    await expect(advance('1', never)).rejects.toMatchObject({ code: 'JOB_ALREADY_CHARGED' })
    await store.query('update jobs set manifest_digest = $1', [digestOfDigit('6')])
    expect((await advance('1', never))?.reason).toBe('MANIFEST_DIGEST_MISMATCH')
  })
})
