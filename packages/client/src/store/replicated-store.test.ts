import { sha256Digest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import type { BlobRange, BlobStore } from './blob-store.js'
import { BlobStoreError } from './blob-store-error.js'
import { memoryBlobStore } from './memory-store.js'
import { replicatedBlobStore } from './replicated-store.js'
import { blobStoreSuite } from './testing/blob-store-suite.js'

/** A store in memory that can be harmed behind its back, be down, or be silent until it is let go. */
function replica(options: { readonly maximumBytes?: number } = {}) {
  const inner = memoryBlobStore(options)
  const held = new Map<string, Uint8Array>()
  const limit = options.maximumBytes ?? 1_000
  const state = { down: false, calls: [] as string[], hold: undefined as Promise<void> | undefined }
  const guard = async (call: string): Promise<void> => {
    state.calls.push(call)
    await state.hold
    if (state.down) throw new BlobStoreError('BLOB_STORE_FAILED', call, 'it is down')
  }
  const altered = (locator: string): Uint8Array | undefined => held.get(locator)
  const store: BlobStore = {
    name: 'memory',
    async put(bytes, write) {
      await guard('put')
      const stored = await inner.put(bytes, write)
      held.delete(stored.locator)
      return stored
    },
    async get(locator, read) {
      await guard('get')
      const bytes = altered(locator)
      if (bytes === undefined) return inner.get(locator, read)
      if (bytes.length > limit) throw new BlobStoreError('BLOB_TOO_LARGE', locator, 'too large')
      throw new BlobStoreError('BLOB_DIGEST_MISMATCH', locator, 'altered')
    },
    async getRange(locator, range) {
      await guard('getRange')
      return inner.getRange(locator, range)
    },
    async remove(locator, write) {
      await guard('remove')
      held.delete(locator)
      return inner.remove(locator, write)
    },
  }
  return {
    store,
    state,
    corrupt: (locator: string, bytes: Uint8Array) => void held.set(locator, bytes),
    has: (locator: string) =>
      inner.get(locator).then(
        () => !held.has(locator),
        () => false,
      ),
  }
}

blobStoreSuite(
  'replicated',
  async ({ maximumBytes }) => {
    const replicas = [1, 2, 3].map(() => replica({ maximumBytes }))
    return {
      store: replicatedBlobStore({ stores: replicas.map(({ store }) => store) }),
      corrupt: async (hex, bytes) => {
        for (const one of replicas) one.corrupt(`sha256:${hex}`, bytes)
      },
    }
  },
  { corruptible: true },
)

const bytes = new TextEncoder().encode('sealed bytes')
const locator = sha256Digest(bytes)
const refused = (work: Promise<unknown>, code: string) =>
  expect(work).rejects.toMatchObject({ name: 'BlobStoreError', code })

function world(options: Omit<Parameters<typeof replicatedBlobStore>[0], 'stores'> = {}) {
  const [a, b, c] = [replica(), replica(), replica()]
  const store = replicatedBlobStore({ stores: [a.store, b.store, c.store], ...options })
  const held = () => Promise.all([a, b, c].map((one) => one.has(locator)))
  return { a, b, c, store, held }
}

describe('a write', () => {
  it('goes to every store', async () => {
    const { store, held } = world()
    expect(await store.put(bytes)).toEqual({ locator, digest: locator })
    expect(await held()).toEqual([true, true, true])
  })

  it('is of the bytes as they were when it was asked for', async () => {
    const { store, held } = world()
    const mine = bytes.slice()
    const writing = store.put(mine)
    mine[0] = 0
    expect(await writing).toEqual({ locator, digest: locator })
    expect(await held()).toEqual([true, true, true])
  })

  it('is done with its quorum, and refused below it', async () => {
    const { a, b, store, held } = world({ writeQuorum: 2 })
    a.state.down = true
    expect(await store.put(bytes)).toEqual({ locator, digest: locator })
    b.state.down = true
    await refused(store.put(bytes), 'BLOB_STORE_FAILED')
    a.state.down = false
    b.state.down = false
    expect(await held()).toEqual([false, true, true])
    const all = world()
    all.c.state.down = true
    await refused(all.store.put(bytes), 'BLOB_STORE_FAILED')
  })

  it('does not wait for a slow store beyond its quorum, which has the blob all the same', async () => {
    const { c, store, held } = world({ writeQuorum: 2 })
    let go = (): void => undefined
    c.state.hold = new Promise((resolve) => {
      go = resolve
    })
    await store.put(bytes)
    expect((await held()).slice(0, 2)).toEqual([true, true])
    go()
    // An audit takes its turn after the write.
    expect(await store.audit(locator)).toEqual(['good', 'good', 'good'])
  })
})

describe('a read', () => {
  it.each(['missing', 'corrupt', 'swollen', 'down'])('passes over a store where it is %s', async (how) => {
    const { a, b, store } = world()
    await store.put(bytes)
    for (const one of [a, b]) {
      if (how === 'missing') await one.store.remove(locator)
      if (how === 'corrupt') one.corrupt(locator, new Uint8Array([1]))
      if (how === 'swollen') one.corrupt(locator, new Uint8Array(2_000))
      one.state.down = how === 'down'
    }
    expect(await store.get(locator)).toEqual(bytes)
    if (how === 'missing' || how === 'down')
      expect(await store.getRange(locator, { start: 0, length: 6 })).toEqual(bytes.slice(0, 6))
  })

  it('asks the next store while the first is silent', async () => {
    const { a, b, store } = world({ patienceMs: 1 })
    await store.put(bytes)
    a.state.hold = new Promise(() => undefined)
    b.state.down = true
    expect(await store.get(locator)).toEqual(bytes)
  })

  it('asks one that was silent last, until its time is over or it answers in time', async () => {
    let now = 0
    const { a, b, c, store } = world({ patienceMs: 1, silenceMs: 1_000, clock: () => now })
    await store.put(bytes)
    /** Which stores a read asks. */
    const asked = async (read: () => Promise<unknown> = () => store.get(locator)) => {
      for (const { state } of [a, b, c]) state.calls = []
      await read()
      return Object.entries({ a, b, c }).flatMap(([name, { state }]) =>
        state.calls.length > 0 ? [name] : [],
      )
    }
    const never = new Promise<void>(() => undefined)
    a.state.hold = never
    expect(await asked()).toEqual(['a', 'b'])
    expect(await asked()).toEqual(['b'])
    expect(await asked(() => store.getRange(locator, { start: 0, length: 1 }))).toEqual(['b'])
    // The patience is had with the others still.
    b.state.hold = never
    expect(await asked()).toEqual(['b', 'c'])
    expect(await asked()).toEqual(['c'])
    now = 999
    expect(await asked()).toEqual(['c'])
    now = 1_000
    expect(await asked()).toEqual(['a', 'b', 'c'])

    // Where no other has it, the silent ones are asked all the same, and are as before when they answer.
    await c.store.remove(locator)
    a.state.hold = undefined
    expect(await asked()).toEqual(['a', 'c'])
    await c.store.put(bytes)
    expect(await asked()).toEqual(['a'])
    // An answer that it has nothing is one too.
    b.state.hold = undefined
    await a.store.remove(locator)
    await b.store.remove(locator)
    await c.store.remove(locator)
    await asked(() => refused(store.get(locator), 'BLOB_MISSING'))
    await store.put(bytes)
    a.state.down = true
    expect(await asked()).toEqual(['a', 'b'])
  })

  it('that finds one silent hides it from no audit', async () => {
    const { a, store } = world({ patienceMs: 1, clock: () => 0 })
    await store.put(bytes)
    a.state.hold = new Promise(() => undefined)
    await store.get(locator)
    Object.assign(a.state, { hold: undefined, down: true, calls: [] })
    expect(await store.audit(locator)).toEqual(['away', 'good', 'good'])
    expect(a.state.calls).toEqual(['get'])
  })

  it('asks no other store than the first while that one has it', async () => {
    const { a, b, c, store } = world()
    await store.put(bytes)
    await store.get(locator)
    expect([a, b, c].map(({ state }) => state.calls.filter((call) => call === 'get').length)).toEqual([
      1, 0, 0,
    ])
  })

  it('says missing only when every store says so', async () => {
    const { a, b, c, store } = world()
    await refused(store.get(locator), 'BLOB_MISSING')
    b.state.down = true
    await refused(store.get(locator), 'BLOB_STORE_FAILED')
    await refused(store.getRange(locator, { start: 0, length: 1 }), 'BLOB_STORE_FAILED')
    b.state.down = false
    await c.store.put(bytes)
    c.corrupt(locator, new Uint8Array([1]))
    await refused(store.get(locator), 'BLOB_DIGEST_MISMATCH')
    await a.store.put(bytes)
    expect(await store.get(locator)).toEqual(bytes)
  })

  it('stops when it is told to, also while stores are silent', async () => {
    const { a, b, c, store } = world({ patienceMs: 1 })
    for (const one of [a, b, c]) {
      one.store.get = (_, read) =>
        new Promise((_resolve, reject) => {
          read?.signal?.addEventListener('abort', () => reject(read.signal?.reason as Error))
        })
    }
    const control = new AbortController()
    const reason = new Error('no longer wanted')
    const reading = store.get(locator, { signal: control.signal })
    control.abort(reason)
    await expect(reading).rejects.toBe(reason)
  })
})

describe('a removal', () => {
  it('removes everywhere', async () => {
    const { store, held } = world()
    await store.put(bytes)
    await store.remove(locator)
    expect(await held()).toEqual([false, false, false])
  })

  it('goes on past a store that does not, and says which that was', async () => {
    const { b, store, held } = world()
    await store.put(bytes)
    b.state.down = true
    await expect(store.remove(locator)).rejects.toMatchObject({
      code: 'BLOB_STORE_FAILED',
      place: locator,
      message: expect.stringContaining('stores 2 of 3'),
    })
    b.state.down = false
    expect(await held()).toEqual([false, true, false])
    await store.remove(locator)
    expect(await held()).toEqual([false, false, false])
  })

  it('comes after a write that is under way, so that nothing is left of it', async () => {
    const { c, store, held } = world({ writeQuorum: 1 })
    let go = (): void => undefined
    c.state.hold = new Promise((resolve) => {
      go = resolve
    })
    await store.put(bytes)
    const removing = store.remove(locator)
    go()
    await removing
    expect(await held()).toEqual([false, false, false])
  })
})

describe('an audit', () => {
  it('repairs what is missing, altered or swollen from what is whole', async () => {
    const { a, b, c, store, held } = world()
    await store.put(bytes)
    expect(await store.audit(locator)).toEqual(['good', 'good', 'good'])
    await a.store.remove(locator)
    c.corrupt(locator, new Uint8Array([1]))
    expect(await store.audit(locator)).toEqual(['repaired', 'good', 'repaired'])
    expect(await held()).toEqual([true, true, true])
    b.corrupt(locator, new Uint8Array(2_000))
    expect(await store.audit(locator)).toEqual(['good', 'repaired', 'good'])
    expect(await store.audit(locator)).toEqual(['good', 'good', 'good'])
  })

  it('says what it could not repair', async () => {
    const { a, b, c, store } = world()
    expect(await store.audit(locator)).toEqual(['missing', 'missing', 'missing'])
    await store.put(bytes)
    a.state.down = true
    expect(await store.audit(locator)).toEqual(['away', 'good', 'good'])
    await b.store.remove(locator)
    b.store.put = () => Promise.reject(new BlobStoreError('BLOB_STORE_FAILED', 'put', 'read only'))
    expect(await store.audit(locator)).toEqual(['away', 'missing', 'good'])
    c.corrupt(locator, new Uint8Array([1]))
    expect(await store.audit(locator)).toEqual(['away', 'missing', 'corrupt'])
    await refused(store.audit('../etc/passwd'), 'BLOB_LOCATOR_INVALID')
  })

  it('waits once for a store that is silent, and then no longer than its patience until it answers', async () => {
    const { b, c, store, held } = world({ patienceMs: 1 })
    await store.put(bytes)
    const { get, getRange } = b.store
    b.state.down = true
    expect(await store.audit(locator)).toEqual(['good', 'away', 'good'])
    const silent = (signal?: AbortSignal): Promise<never> =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error))
      })
    Object.assign(b.store, {
      get: () => silent(),
      getRange: (_: string, range: BlobRange) => silent(range.signal),
    })
    await c.store.remove(locator)
    expect(await store.audit(locator)).toEqual(['good', 'away', 'repaired'])
    const control = new AbortController()
    const auditing = store.audit(locator, { signal: control.signal })
    const reason = new Error('no longer wanted')
    control.abort(reason)
    await expect(auditing).rejects.toBe(reason)
    Object.assign(b.store, { get, getRange })
    b.state.down = false
    b.corrupt(locator, new Uint8Array([1]))
    expect(await store.audit(locator)).toEqual(['good', 'repaired', 'good'])
    expect(await store.audit(locator)).toEqual(['good', 'good', 'good'])
    expect(await held()).toEqual([true, true, true])
  })

  it('writes nothing that is not needed any more, and nothing back after a removal', async () => {
    const { a, store, held } = world()
    await store.put(bytes)
    await a.store.remove(locator)
    expect(await store.audit(locator, { isNeeded: async () => false })).toEqual(['missing', 'good', 'good'])
    expect(await held()).toEqual([false, true, true])
    const audit = store.audit(locator)
    await store.remove(locator)
    expect(await audit).toEqual(['repaired', 'good', 'good'])
    expect(await held()).toEqual([false, false, false])
  })
})

it.each([
  ['one store', { stores: [memoryBlobStore()] }],
  ['nine stores', { stores: Array.from({ length: 9 }, () => memoryBlobStore()) }],
  ['a quorum of none', { stores: [memoryBlobStore(), memoryBlobStore()], writeQuorum: 0 }],
  ['a quorum of more', { stores: [memoryBlobStore(), memoryBlobStore()], writeQuorum: 3 }],
  ['half a quorum', { stores: [memoryBlobStore(), memoryBlobStore()], writeQuorum: 1.5 }],
  ['a silence that is none', { stores: [memoryBlobStore(), memoryBlobStore()], silenceMs: -1 }],
  ['no patience', { stores: [memoryBlobStore(), memoryBlobStore()], patienceMs: 0 }],
])('is refused with %s', (_, options) => {
  expect(() => replicatedBlobStore(options)).toThrow(
    expect.objectContaining({ code: 'BLOB_STORE_FAILED', place: 'settings' }),
  )
})
