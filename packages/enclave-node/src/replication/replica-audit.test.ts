import { memoryBlobStore, type ReplicaState, replicatedBlobStore } from '@sealpool/client'
import type { Digest } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { maximumManifestBytes } from '../job/load-manifest.js'
import { maximumRestrictionBytes } from '../policy/narrowed-pools.js'
import { insertContribution } from '../state/contribution-table.js'
import { insertJob } from '../state/job-table.js'
import { noteBlob } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { chainContribution } from '../testing/job-fixture.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { replicaAudit } from './replica-audit.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

const periodSeconds = 7_200
let now = 1_800_000_000
let stores = [memoryBlobStore(), memoryBlobStore()] as const
let found: [Digest, readonly ReplicaState[]][] = []
let restrictions: () => Promise<readonly Digest[]> = async () => []
const open = () =>
  replicaAudit({
    store,
    blobStore: replicatedBlobStore({ stores }),
    periodSeconds,
    maximumBytes: 1_000,
    restrictions: () => restrictions(),
    now: () => now,
    onFinding: (digest, states) => found.push([digest, states]),
  })

/** Puts a blob of a contribution into every store. */
async function contribute(id: number, state = 'refined'): Promise<Digest> {
  const bytes = new Uint8Array([id])
  const { digest } = await stores[0].put(bytes)
  await stores[1].put(bytes)
  await insertContribution(store, chainContribution({ id: `${id}`, blobDigest: digest, logIndex: id }))
  await store.query('update contributions set state = $2 where id = $1', [`${id}`, state])
  await noteBlob(store, { digest, purpose: 'contribution', size: 1 })
  return digest
}
const has = (place: 0 | 1, digest: Digest) =>
  stores[place].get(digest).then(
    () => true,
    () => false,
  )

/** Lets time pass in steps, with a round at each that finds no more to do. */
async function pass(audit: ReturnType<typeof open>, seconds: number, step = 60): Promise<number> {
  let audited = 0
  for (const end = now + seconds; now < end; now += step) while (await audit.round()) audited += 1
  return audited
}

beforeEach(async () => {
  await store.run('truncate contributions, contributors, blobs, meta, jobs cascade')
  restrictions = async () => []
  stores = [memoryBlobStore(), memoryBlobStore()]
  found = []
  now += 1_000_000
})

describe('the audit of replicas', () => {
  it('repairs what was lost within one period, whenever that was', async () => {
    const digests = await Promise.all([1, 2, 3, 4, 5].map((id) => contribute(id)))
    const audit = open()
    expect(await pass(audit, periodSeconds)).toBe(10)
    expect(found).toEqual([])
    for (const moment of [0, 1_000, 3_599, 3_601]) {
      await pass(audit, moment)
      for (const [place, digest] of digests.entries()) await stores[place % 2 === 0 ? 0 : 1].remove(digest)
      await pass(audit, periodSeconds)
      for (const digest of digests) expect([await has(0, digest), await has(1, digest)]).toEqual([true, true])
    }
    expect(audit.figures()).toMatchObject({ replicas: 2, replicas_repaired: 20, replicas_lost: 0 })
  })

  it('spreads a pass over its time, and looks at nothing between two', async () => {
    await Promise.all([1, 2, 3, 4].map((id) => contribute(id)))
    const audit = open()
    let audited = 0
    const round = async (): Promise<number> => {
      while (await audit.round()) audited += 1
      return audited
    }
    expect(await round()).toBe(1)
    now += periodSeconds / 4
    expect(await round()).toBe(3)
    now += periodSeconds / 4 - 1
    expect(await round()).toBe(4)
    expect(await round()).toBe(4)
    const { replicas_audited_at: end } = audit.figures()
    await audit.round()
    // Between two passes nothing comes to an end anew.
    now += 0.5
    expect(await round()).toBe(4)
    expect(audit.figures()['replicas_audited_at']).toBe(end)
    now += 0.5
    expect(await round()).toBe(5)
  })

  it('comes to the end of a pass that takes longer than its time', async () => {
    const digests = await Promise.all([1, 2, 3].map((id) => contribute(id)))
    for (const digest of digests) await stores[1].remove(digest)
    const audit = open()
    for (const _ of digests) {
      expect(await audit.round()).toBe(true)
      now += 2 * periodSeconds
    }
    for (const digest of digests) expect(await has(1, digest)).toBe(true)
    expect(await audit.round()).toBe(false)
    expect(audit.figures()).toMatchObject({ replicas_repaired: 3, replicas_audited_at: now })
  })

  it('goes on where it was after a restart', async () => {
    const digests = await Promise.all([1, 2, 3, 4].map((id) => contribute(id)))
    const asked: string[] = []
    const [first, second] = stores
    const noting = {
      ...first,
      get: (...of: Parameters<typeof first.get>) => {
        asked.push(of[0])
        return first.get(...of)
      },
    }
    stores = [noting, second]
    await open().round()
    now += periodSeconds / 4
    expect(await open().round()).toBe(true)
    await pass(open(), periodSeconds / 4, periodSeconds / 4 - 1)
    expect(asked).toEqual(digests.toSorted())
  })

  it('writes nothing of what was withdrawn meanwhile', async () => {
    const digest = await contribute(1)
    const [first, second] = stores
    await second.remove(digest)
    const withdrawn = {
      ...second,
      get: async (...of: Parameters<typeof second.get>) => {
        await store.query(`update contributions set state = 'withdrawn'`)
        return second.get(...of)
      },
    }
    stores = [first, withdrawn]
    expect(await open().round()).toBe(true)
    expect(found).toEqual([[digest, ['good', 'missing']]])
  })

  it('begins anew when the clock was set back, or what it kept cannot be read', async () => {
    await contribute(1)
    const audit = open()
    expect(await pass(audit, 60)).toBe(1)
    now -= 10 * periodSeconds
    expect(await audit.round()).toBe(true)
    await audit.round()
    await store.query(`update meta set value = '{"begun":"x"}' where key = 'replica-audit'`)
    expect(await open().round()).toBe(true)
    await store.query(`update meta set value = 'null' where key = 'replica-audit'`)
    expect(await open().round()).toBe(true)
    const last = { begun: now, total: 1, done: 1, after: `sha256:${'f'.repeat(64)}` }
    const odd = [{ begun: 'x' }, { total: null }, { done: '1' }, { after: 7 }, { after: undefined }]
    for (const change of [{}, ...odd]) {
      const value = JSON.stringify({ ...last, ...change })
      await store.query(`update meta set value = $1 where key = 'replica-audit'`, [value])
      // Of one that can be read it goes on, where nothing comes any more.
      expect(await open().round(), value).toBe(Object.keys(change).length > 0)
    }
  })

  it('leaves alone what is withdrawn or refused, and what this node never opened', async () => {
    const gone = [await contribute(1, 'withdrawn'), await contribute(2, 'refused'), await contribute(3)]
    await store.query('delete from blobs where digest = $1', [gone[2] ?? ''])
    for (const digest of gone) await stores[1].remove(digest)
    expect(await pass(open(), periodSeconds)).toBe(0)
    for (const digest of gone) expect(await has(1, digest)).toBe(false)
  })

  it('says what no store has whole, and what is away, in every pass', async () => {
    const lost = await contribute(1)
    await stores[0].remove(lost)
    await stores[1].remove(lost)
    const audit = open()
    await pass(audit, periodSeconds)
    expect(found).toEqual([
      [lost, ['missing', 'missing']],
      [lost, ['missing', 'missing']],
    ])
    expect(audit.figures()).toMatchObject({ replicas_lost: 1, replicas_damaged: 1, replicas_repaired: 0 })
  })
})

/** Puts a document into the first store alone. */
async function document(text: string, length = 0): Promise<Digest> {
  return (await stores[0].put(new TextEncoder().encode(text.padEnd(length)))).digest
}
/** Puts a paid job of a manifest on the chain. */
async function paid(id: number, manifestDigest: Digest, change = '', locator: string = manifestDigest) {
  const consumer = addressOfDigit('e')
  await insertJob(store, { id: `${id}`, consumer, manifestDigest, locator, pools: [addressOfDigit('a')] })
  await store.query(`update jobs set state = 'waiting', chain_state = 'Funded' where id = $1`, [`${id}`])
  if (change !== '') await store.query(`update jobs set ${change} where id = $1`, [`${id}`])
}

describe('the audit of what jobs need', () => {
  it('mends manifests of paid jobs that wait or run, between the sealed files', async () => {
    await contribute(1)
    const needed = [await document('one'), await document('two'), await document('three')]
    await paid(1, needed[0] as Digest)
    await paid(2, needed[1] as Digest, `state = 'running', chain_state = 'Running', reservation = '{}'`)
    await paid(3, needed[2] as Digest, `chain_state = 'Assigned'`)
    // The same manifest again is the same blob.
    await paid(4, needed[0] as Digest)
    expect(await pass(open(), periodSeconds / 2 - 1)).toBe(4)
    for (const digest of needed) expect(await has(1, digest)).toBe(true)
  })

  it.each([
    ['is not paid for', `state = 'seen', chain_state = 'Approved'`],
    ['is over for the node', `state = 'charged', chain_state = 'Running'`],
    ['is over on the chain', `chain_state = 'Expired'`],
    ['is gone from the chain', 'detached = true'],
    ['names another place', `locator = 'sha256:${'0'.repeat(64)}'`],
  ])('leaves alone the manifest of a job that %s', async (_, change) => {
    const digest = await document('one')
    await paid(1, digest, change)
    expect(await pass(open(), periodSeconds)).toBe(0)
    expect(await has(1, digest)).toBe(false)
  })

  it('brings back under no other name what a contributor has taken back', async () => {
    const gone = await contribute(1, 'withdrawn')
    await stores[1].remove(gone)
    await paid(1, gone)
    restrictions = async () => [gone]
    expect(await pass(open(), periodSeconds)).toBe(0)
    expect(await has(1, gone)).toBe(false)
  })

  it('mends restrictions, those of now, and goes by what it knows while the chain is away', async () => {
    const [old, fresh] = [await document('old'), await document('fresh')]
    let asked = 0
    restrictions = async () => {
      asked += 1
      return [old, old]
    }
    const audit = open()
    expect(await audit.round()).toBe(true)
    await audit.round()
    // The chain is asked every ten minutes, not for every blob.
    expect(asked).toBe(1)
    expect([await has(1, old), await has(1, fresh)]).toEqual([true, false])
    await stores[1].remove(old)
    restrictions = async () => Promise.reject(new Error('the chain is away'))
    await pass(audit, periodSeconds)
    expect([await has(1, old), await has(1, fresh)]).toEqual([true, false])
    restrictions = async () => [fresh]
    await stores[1].remove(old)
    await pass(audit, periodSeconds)
    expect([await has(1, old), await has(1, fresh)]).toEqual([false, true])
    // Sealed files are not held up by it either, from the first look on.
    restrictions = async () => Promise.reject(new Error('the chain is away'))
    const file = await contribute(1)
    await stores[1].remove(file)
    await pass(open(), periodSeconds)
    expect(await has(1, file)).toBe(true)
  })

  it('copies no more about than a manifest or a restriction may have', async () => {
    const [manifest, restriction] = [
      await document('manifest', maximumManifestBytes + 1),
      await document('restriction', maximumRestrictionBytes + 1),
    ]
    const most = [
      await document('manifest', maximumManifestBytes),
      await document('restriction', maximumRestrictionBytes),
    ]
    await paid(1, manifest)
    await paid(2, most[0] as Digest)
    restrictions = async () => [restriction, most[1] as Digest]
    await pass(open(), periodSeconds)
    for (const digest of [manifest, restriction]) expect(await has(1, digest)).toBe(false)
    for (const digest of most) expect(await has(1, digest)).toBe(true)
  })
})
