import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Deletion, verifyDeletions } from '@sealpool/attest'
import type { BlobStore } from '@sealpool/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { logFrom } from '../state/receipt-log-table.js'
import type { StateStore } from '../state/state-store.js'
import { memoryStores } from '../testing/memory-store.js'
import { retentionRegistry, retentionWorld } from '../testing/retention-world.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'

let kept: StateStore
beforeAll(async () => {
  kept = await memoryStores()()
  await migrate(kept)
})
afterAll(() => kept.close())
let world: Awaited<ReturnType<typeof retentionWorld>>
beforeEach(async () => {
  world = await retentionWorld(kept)
})
afterEach(() => world.close())

const keepAll = { contributionDays: null, copyDays: null, factsDays: null }
type Node = ReturnType<typeof world.start>

/** Everything that the node says to have deleted; every list must verify and stand in the log. */
async function told(node: Node): Promise<readonly Deletion[]> {
  const { lists } = await node.collector.read(1)
  const verdict = verifyDeletions({
    lists,
    node: world.node,
    deployment: { chainId: 31_337, registry: retentionRegistry },
  })
  expect(verdict).toMatchObject({ ok: true })
  const logged = (await logFrom(world.store, 0)).filter(({ kind }) => kind === 'deletion')
  expect(logged.map(({ number }) => Number(number))).toEqual(verdict.lists.map(({ number }) => number))
  expect(logged.at(-1)?.digest).toBe(verdict.end?.digest)
  return verdict.lists.flatMap(({ entries }) => entries)
}
const names = (deletions: readonly Deletion[]) =>
  deletions.map(({ kind, object, reason }) => `${kind} ${object} ${reason}`).sort()
const isThere = (digest: string) =>
  world.blobs.get(digest).then(
    () => true,
    () => false,
  )

describe('contributions whose time is over', () => {
  it('go with their rows, verdict and copy, are told in a signed list, and leave others alone', async () => {
    await world.refinement('1')
    const old = await world.refined('1', 0, '1')
    const young = await world.refined('2', 3, '1')
    const retention = { pool: { ...keepAll, contributionDays: 30, copyDays: 30 } }
    world.to(30)
    const node = world.start(retention)
    await node.work()
    expect(await told(node)).toEqual([])
    expect(await world.stateOf('1')).toBe('refined')

    world.to(31)
    await node.work()
    expect(await world.stateOf('1')).toBe('RETENTION_OVER')
    // Its refinement is given up, and it is refined again without it.
    expect(await world.stateOf('2')).toBe('recorded')
    expect([await isThere(old), await isThere(young)]).toEqual([false, true])
    expect(await world.files()).toEqual([])
    expect(await world.count('verdicts')).toBe(1)
    // The same content is not paid for again.
    expect(await world.count('fingerprints')).toBe(2)
    const deletions = await told(node)
    expect(names(deletions)).toEqual([
      `contribution contribution 1 expired`,
      `copy ${old} expired`,
      'rows refinement 1 superseded',
    ])
    expect(deletions.find(({ kind }) => kind === 'contribution')?.kept).toEqual(['fingerprint'])
    await node.work()
    expect(await told(node)).toHaveLength(3)
  })

  it.each(['running', 'waiting'])(
    'are kept a day longer while a job with inputs set aside is %s',
    async (state) => {
      await world.refinement('1')
      await world.refined('1', 0, '1')
      await world.settled('5', 0)
      await world.store.query(`update jobs set state = $1, reservation = '{}'`, [state])
      const node = world.start({ pool: { ...keepAll, contributionDays: 30 } })
      world.to(31)
      await node.work()
      expect(await world.stateOf('1')).toBe('refined')
      world.to(32)
      await node.work()
      expect(await world.stateOf('1')).toBe('RETENTION_OVER')
    },
  )

  it('go within ten minutes when the node hears of them later than others of their day', async () => {
    await world.refinement('1')
    await world.refined('1', 0, '1')
    world.to(40)
    const node = world.start({ pool: { ...keepAll, contributionDays: 30 } })
    await node.work()
    await world.refinement('2')
    await world.refined('2', 0, '2')
    await node.collector.collect()
    expect(await world.stateOf('2')).toBe('refined')
    await node.work()
    expect(await world.stateOf('2')).toBe('RETENTION_OVER')
  })

  it('stay when a chain says that it is later than the node’s own clock knows', async () => {
    await world.refinement('1')
    await world.refined('1', 0, '1')
    world.to(31)
    const retention = { pool: { ...keepAll, contributionDays: 30 } }
    await world.start(retention, { behind: 86_400 }).work()
    expect(await world.stateOf('1')).toBe('refined')
    await world.start(retention).work()
    expect(await world.stateOf('1')).toBe('RETENTION_OVER')
  })

  it('go when the node’s clock was set far forward and back again', async () => {
    await world.refinement('1')
    await world.refined('1', 0, '1')
    world.to(30)
    const clock = { behind: -86_400_000 }
    const node = world.start({ pool: { ...keepAll, contributionDays: 30 } }, clock)
    await node.work()
    expect(await world.stateOf('1')).toBe('refined')
    clock.behind = 0
    world.to(31)
    await node.work()
    expect(await world.stateOf('1')).toBe('RETENTION_OVER')
  })

  it('stay where nothing is declared', async () => {
    await world.refinement('1')
    const copy = await world.refined('1', 0, '1')
    await world.withdraw('1', 1)
    await world.settled('5', 0)
    world.to(9_999)
    const node = world.start({})
    await node.work()
    expect(names(await told(node))).toEqual(['rows refinement 1 superseded'])
    expect(await isThere(copy)).toBe(true)
    expect((await findJob(world.store, '5'))?.sealedResult).not.toBeNull()
  })

  it('are told in as many lists as they fill, each naming the one before', async () => {
    await world.refinement('1')
    for (let id = 1; id <= 230; id++) await world.refined(String(id), 0, '1')
    world.to(50)
    const node = world.start({ pool: { ...keepAll, contributionDays: 1 } })
    await node.work()
    expect((await told(node)).filter(({ kind }) => kind === 'contribution')).toHaveLength(230)
    expect((await node.collector.read(2)).lists).toHaveLength(1)
  })
})

describe('sealed copies', () => {
  const retention = { pool: { ...keepAll, copyDays: 10 } }

  it('of what was withdrawn go after their days', async () => {
    await world.refinement('1')
    const copy = await world.refined('1', 0, '1')
    await world.withdraw('1', 5)
    const node = world.start(retention)
    world.to(15)
    await node.work()
    expect(await isThere(copy)).toBe(true)
    world.to(16)
    await node.work()
    expect(await isThere(copy)).toBe(false)
    expect(names(await told(node))).toContain(`copy ${copy} ended`)
  })

  it('stay while another contribution has the same bytes', async () => {
    await world.refinement('1')
    const copy = await world.refined('1', 0, '1')
    await world.seen('2', 1, copy)
    await world.withdraw('1', 1)
    world.to(40)
    const node = world.start(retention)
    await node.work()
    expect(await isThere(copy)).toBe(true)
    await world.withdraw('2', 35)
    await world.start(retention).work()
    expect(await isThere(copy)).toBe(true)
    world.to(46)
    await node.work()
    expect(await isThere(copy)).toBe(false)
  })

  it('that the node never opened as its pool’s are nobody’s to delete', async () => {
    const { digest } = await world.blobs.put(new TextEncoder().encode('of another pool'))
    await world.seen('1', 0, digest)
    await world.store.query(`update contributions set state = 'refused', reason = 'WRONG_POOL' where id = 1`)
    world.to(99)
    const node = world.start(retention)
    await node.work()
    expect(await isThere(digest)).toBe(true)
    expect(await told(node)).toEqual([])
  })

  it.each<[string, (id: string) => Promise<unknown>]>([
    [
      'was refused there',
      (id) =>
        world.store.query(
          `update contributions set state = 'refused', reason = 'WRONG_POOL', verdict_digest = 'x' where id = $1`,
          [id],
        ),
    ],
    ['was taken back before it was judged', (id) => world.withdraw(id, 2)],
  ])('of another pool are not this one’s to delete by naming them, when that %s', async (_, end) => {
    await world.refinement('1')
    const copy = await world.refined('1', 0, '1')
    await world.withdraw('1', 1)
    // The other pool declares nothing: what it took back stays.
    await world.store.query(`update contributions set pool = $1 where id = 1`, [`0x${'dd'.repeat(20)}`])
    await world.seen('2', 1, copy)
    await end('2')
    world.to(99)
    const node = world.start(retention)
    await node.work()
    expect(await isThere(copy)).toBe(true)
    expect(names(await told(node)).filter((name) => name.startsWith('copy'))).toEqual([])
  })

  it('that come to be needed between the note and the removal stay', async () => {
    await world.refinement('1')
    const copy = await world.refined('1', 0, '1')
    await world.withdraw('1', 1)
    world.to(40)
    const away: BlobStore = { ...world.blobs, remove: () => Promise.reject(new Error('away')) }
    await world.start(retention, { blobs: away }).work()
    expect(await world.count("deletions where state = 'due'")).toBe(1)
    await world.seen('2', 39, copy)
    await world.start(retention).work()
    expect(await isThere(copy)).toBe(true)
    expect(await world.count('deletions')).toBe(0)
  })

  it('that a store says to have removed, and gives still, are not told as deleted', async () => {
    await world.refinement('1')
    const copy = await world.refined('1', 0, '1')
    await world.withdraw('1', 1)
    world.to(40)
    const lying = world.start(retention, { blobs: { ...world.blobs, remove: async () => undefined } })
    await lying.work()
    expect(lying.errors).toEqual([expect.objectContaining({ code: 'BLOB_NOT_REMOVED' })])
    expect(lying.collector.figures()).toMatchObject({ deletions_due: 1 })
    expect(names(await told(lying))).toEqual(['rows refinement 1 superseded'])
    const honest = world.start(retention)
    await honest.work()
    expect(names(await told(honest))).toContain(`copy ${copy} ended`)
    expect(honest.collector.figures()).toEqual({ deletions_due: 0, deletions_made: 1 })
  })
})

describe('a blob store that is away', () => {
  const retention = { pool: { ...keepAll, copyDays: 10 } }
  const copies = async (count: number) => {
    const all: string[] = []
    for (let id = 1; id <= count; id++) {
      await world.refinement(String(id))
      all.push(await world.refined(String(id), 0, String(id)))
      await world.withdraw(String(id), 1)
    }
    world.to(40)
    // In the order in which they fall due.
    return all.sort()
  }

  it('is asked for three things in a row, and again after ten minutes, beginning with others', async () => {
    const all = await copies(5)
    const asked: string[] = []
    const remove = (digest: string) => {
      asked.push(digest)
      return Promise.reject(new Error('away'))
    }
    const node = world.start(retention, { blobs: { ...world.blobs, remove } })
    await node.work()
    expect(asked).toEqual(all.slice(0, 3))
    await node.collector.collect()
    expect(asked).toHaveLength(3)
    await node.work()
    expect(asked.slice(3)).toEqual(all.slice(3))
    expect(node.collector.figures()).toEqual({ deletions_due: 5, deletions_made: 0 })
  })

  it('holds up only what it refuses', async () => {
    const all = await copies(5)
    const refused = new Set(all.slice(0, 3))
    const remove = (digest: string) =>
      refused.has(digest) ? Promise.reject(new Error('locked')) : world.blobs.remove(digest)
    const node = world.start(retention, { blobs: { ...world.blobs, remove } })
    await node.work()
    await node.work()
    expect(await Promise.all(all.map(isThere))).toEqual([true, true, true, false, false])
  })

  it('is asked for nothing of a pool that the node serves no more', async () => {
    const [copy = ''] = await copies(1)
    const away: BlobStore = { ...world.blobs, remove: () => Promise.reject(new Error('away')) }
    await world.start(retention, { blobs: away }).work()
    await world.start(retention, { serves: false }).work()
    expect(await isThere(copy)).toBe(true)
    expect(await world.count("deletions where state = 'due'")).toBe(1)
  })
})

describe('a stop at any moment', () => {
  it('leaves everything deleted and told once, when the node is started again', async () => {
    const retention = { pool: { ...keepAll, contributionDays: 20, copyDays: 20 }, jobs: { answerDays: 20 } }
    const expected = async () => {
      await world.refinement('1')
      const copies = [await world.refined('1', 0, '1'), await world.refined('2', 0, '1')]
      await world.withdraw('2', 1)
      await world.settled('7', 0)
      await writeFile(join(world.tables, '8-workers.parquet'), 'left over')
      world.to(40)
      return copies
    }
    let stopped = true
    for (let at = 0; stopped; at++) {
      const copies = await expected()
      stopped = false
      let steps = 0
      // Once stopped, nothing more is done: what was done just before stands.
      const step = <T>(work: () => Promise<T>): Promise<T> => {
        stopped ||= steps++ === at
        return stopped ? Promise.reject(new Error('killed')) : work()
      }
      const store: StateStore = {
        ...world.store,
        query: (...asked) => step(() => world.store.query(...asked)),
        transaction: (work) => step(() => world.store.transaction(work)),
      }
      const blobs: BlobStore = {
        ...world.blobs,
        remove: (...asked) => step(() => world.blobs.remove(...asked)),
        getRange: (...asked) => step(() => world.blobs.getRange(...asked)),
      }
      await world
        .start(retention, { store, blobs })
        .work()
        .catch(() => undefined)
      const node = world.start(retention)
      await node.work()
      expect(names(await told(node))).toEqual(
        [
          'answer job 7 expired',
          'contribution contribution 1 expired',
          `copy ${copies[0]} expired`,
          `copy ${copies[1]} ended`,
          'rows refinement 1 superseded',
          'rows refinement 8 orphaned',
        ].sort(),
      )
      expect(await Promise.all(copies.map(isThere))).toEqual([false, false])
      expect(await world.files()).toEqual([])
      await world.close()
      world = await retentionWorld(kept)
      if (at > 200) throw new Error('it is never through')
    }
  })
})

describe('what else is over', () => {
  it('is the answer of a job, with plan and manifest; its receipt and digests stay', async () => {
    const sealed = await world.settled('7', 2)
    await world.settled('8', 20)
    const node = world.start({ jobs: { answerDays: 10 } })
    world.to(12)
    await node.work()
    expect(await told(node)).toEqual([])
    world.to(13)
    await node.work()
    expect(await told(node)).toEqual([
      { kind: 'answer', pool: null, object: 'job 7', digest: sealed, reason: 'expired' },
    ])
    expect(await findJob(world.store, '7')).toMatchObject({
      sealedResult: null,
      plan: null,
      manifest: null,
      receipt: {},
      state: 'settled',
    })
    expect((await findJob(world.store, '8'))?.sealedResult).not.toBeNull()
  })

  it.each([
    ['the chain is not through with', `chain_state = 'Running'`],
    ['the node is not through with', `state = 'released'`],
    ['a reorganisation has taken away', 'detached = true'],
  ])('is no answer of a job that %s', async (_, change) => {
    await world.settled('7', 2)
    await world.store.query(`update jobs set ${change}`)
    world.to(99)
    const node = world.start({ jobs: { answerDays: 10 } })
    await node.work()
    expect(await told(node)).toEqual([])
    expect((await findJob(world.store, '7'))?.sealedResult).not.toBeNull()
  })

  it('is a set of facts, of which only that it was paid for stays', async () => {
    await world.store.query(
      `insert into dataset_facts (pool, number, reservation, state, statements) values ($1, 1, $2, 'signed', '[]')`,
      [world.pool.address, JSON.stringify({ at: world.timeOf(0) })],
    )
    const node = world.start({ pool: { ...keepAll, factsDays: 10 } })
    world.to(10)
    await node.work()
    expect(await told(node)).toEqual([])
    world.to(11)
    await node.work()
    expect(names(await told(node))).toEqual(['facts facts 1 expired'])
    expect(await world.count("dataset_facts where statements is null and state = 'signed'")).toBe(1)
  })

  it('is a file of an attempt that came to nothing, before anybody is told that his rows are erased', async () => {
    await world.refinement('1')
    await world.refined('1', 0, '1')
    await world.seen('2', 0, digestOfDigit('2'))
    await writeFile(
      join(world.tables, '2-workers.parquet'),
      'rows of 2, who took it back while they were written',
    )
    await world.withdraw('2', 1)
    const node = world.start({})
    await node.erase()
    expect(world.erasures).toEqual([{ contribution: '2', files: ['1-workers.parquet'] }])
    await node.work()
    expect(names(await told(node))).toEqual(['rows refinement 2 orphaned'])
  })

  it('is a file that no refinement names; others in the folder stay', async () => {
    await world.refinement('1')
    await writeFile(join(world.tables, '1-days.parquet'), 'left by an attempt that was cut short')
    await writeFile(join(world.tables, 'README'), 'not the node’s')
    const node = world.start({})
    await node.work()
    expect(await world.files()).toEqual(['1-workers.parquet', 'README'])
    expect(names(await told(node))).toEqual(['rows refinement 1 orphaned'])
  })
})
