import { sha256Digest } from '@sealpool/crypto'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { ipfsCid, ipfsCidOfChunk } from './ipfs-cid.js'
import { type IpfsBlobStoreOptions, ipfsBlobStore } from './ipfs-store.js'
import { blobStoreSuite } from './testing/blob-store-suite.js'
import { fakeKubo, importerCid } from './testing/fake-kubo.js'
import { localServers } from './testing/local-server.js'

const servers = localServers()
afterAll(() => servers.close())

async function node(options: Partial<IpfsBlobStoreOptions> = {}) {
  const kubo = fakeKubo()
  const url = await servers.serve(kubo.handle)
  return { kubo, store: ipfsBlobStore({ url, retryDelayMs: 1, ...options }) }
}

blobStoreSuite(
  'ipfs (fake Kubo)',
  async (options) => {
    const { kubo, store } = await node(options)
    return {
      store,
      corrupt: async (hex, bytes) => {
        kubo.files.set(kubo.paths.get(`/sealpool/${hex}`) ?? '', bytes)
      },
    }
  },
  { corruptible: true },
)

const pattern = (length: number) =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 9)) % 256)
const chunk = 262_144

describe('CIDs', () => {
  it.each([
    // `ipfs add --cid-version=1` of an empty file, and of "hello world" without a newline.
    ['', 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'],
    ['hello world', 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'],
  ])('of %j is the one that Kubo prints', (text, cid) => {
    expect(ipfsCid(new TextEncoder().encode(text))).toBe(cid)
  })

  it.each([0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 17, 174 * chunk, 174 * chunk + 1])(
    'of %i bytes is the one that another implementation computes',
    async (length) => {
      const bytes = pattern(length)
      expect(ipfsCid(bytes)).toBe(await importerCid(bytes))
    },
  )

  it('of any bytes is the one that another implementation computes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2000 }),
        fc.integer({ min: 0, max: 3 }),
        async (head, chunks) => {
          const bytes = new Uint8Array(head.length + chunks * chunk)
          bytes.set(head)
          expect(ipfsCid(bytes)).toBe(await importerCid(bytes))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('of one chunk follow from the digest', () => {
    for (const length of [0, 1, chunk])
      expect(ipfsCidOfChunk(sha256Digest(pattern(length)))).toBe(ipfsCid(pattern(length)))
  })
})

describe('ipfs blob store', () => {
  it('pins, enters under the digest, and tells the CID', async () => {
    const { kubo, store } = await node({ folder: '/pools/pay' })
    const bytes = pattern(chunk + 5)
    const { locator } = await store.put(bytes)
    const cid = await store.cid(locator)
    expect(cid).toBe(await importerCid(bytes))
    expect([...kubo.pins]).toEqual([cid])
    expect([...kubo.paths]).toEqual([[`/pools/pay/${locator.slice(7)}`, cid]])
    expect(await store.get(locator)).toEqual(bytes)
    await expect(store.cid(sha256Digest(new Uint8Array([1])))).rejects.toMatchObject({ code: 'BLOB_MISSING' })
  })

  it('finds a small blob without an entry by the CID that follows from its digest', async () => {
    const { kubo, store } = await node()
    const { locator } = await store.put(pattern(100))
    kubo.paths.clear()
    expect(await store.get(locator)).toEqual(pattern(100))
  })

  it('asks the network only when told to', async () => {
    const elsewhere = pattern(500)
    const locator = sha256Digest(elsewhere)
    const home = await node()
    home.kubo.network.set(ipfsCid(elsewhere), elsewhere)
    await expect(home.store.get(locator)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
    const out = await node({ network: true })
    out.kubo.network.set(ipfsCid(elsewhere), elsewhere)
    expect(await out.store.get(locator)).toEqual(elsewhere)
    const hasty = await node({ network: true, timeoutMs: 50, attempts: 1 })
    await expect(hasty.store.get(sha256Digest(pattern(3)))).rejects.toMatchObject({
      code: 'BLOB_STORE_FAILED',
    })
  })

  it('replaces a foreign file under its digest', async () => {
    const { kubo, store } = await node()
    const bytes = pattern(10)
    const path = `/sealpool/${sha256Digest(bytes).slice(7)}`
    const { locator: other } = await store.put(pattern(20))
    kubo.paths.set(path, await store.cid(other))
    await expect(store.get(sha256Digest(bytes))).rejects.toMatchObject({ code: 'BLOB_DIGEST_MISMATCH' })
    const { locator } = await store.put(bytes)
    expect(await store.get(locator)).toEqual(bytes)
    expect(kubo.commands).toContain('files/rm')
  })

  it('does not say that a block is gone which the node keeps for something else', async () => {
    const { kubo, store } = await node()
    const { locator } = await store.put(pattern(100))
    kubo.pinnedWithin.set(await store.cid(locator), 'bafybeitree')
    await expect(store.remove(locator)).rejects.toMatchObject({
      code: 'BLOB_STORE_FAILED',
      message: expect.stringContaining('pinned via bafybeitree') as string,
    })
    expect(await store.get(locator)).toEqual(pattern(100))
    kubo.pinnedWithin.clear()
    await store.remove(locator)
    await expect(store.get(locator)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
  })

  it.each([
    [100, 'before'],
    [100, 'after'],
    [chunk + 5, 'before'],
    [chunk + 5, 'after'],
  ])(
    'leaves no pin that it cannot name when a write of %i bytes is cut short, %s any of its calls',
    async (length, when) => {
      const bytes = pattern(length)
      const locator = sha256Digest(bytes)
      let written = false
      let at = 0
      for (; !written; at++) {
        const { kubo, store } = await node()
        let calls = 0
        const cut = ipfsBlobStore({
          url: await servers.serve(kubo.handle),
          attempts: 1,
          fetch: async (...call) => {
            const place = calls++
            if (place > at || (place === at && when === 'before')) throw new TypeError('killed')
            const answer = await fetch(...call)
            if (place < at) return answer
            await answer.body?.cancel()
            throw new TypeError('killed')
          },
        })
        written = await cut.put(bytes).then(
          () => true,
          () => false,
        )
        await store.remove(locator)
        expect([...kubo.pins]).toEqual([])
        kubo.collect()
        await expect(store.get(locator)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
      }
      expect(at).toBeGreaterThan(4)
    },
  )

  it('removes what a write of an earlier release has pinned and not entered', async () => {
    const { kubo, store } = await node()
    const bytes = pattern(100)
    kubo.files.set(ipfsCid(bytes), bytes)
    kubo.pins.add(ipfsCid(bytes))
    const locator = sha256Digest(bytes)
    expect(await store.get(locator)).toEqual(bytes)
    await store.remove(locator)
    await expect(store.get(locator)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
    expect(kubo.pins.size).toBe(0)
  })

  it('stores anew what the node has collected before it was pinned', async () => {
    const { kubo, store } = await node()
    const url = await servers.serve(kubo.handle)
    for (const moment of ['files/cp', 'pin/add']) {
      const bytes = pattern(chunk + moment.length)
      let collected = false
      const beside = ipfsBlobStore({
        url,
        fetch: async (...call) => {
          if (!collected && String(call[0]).includes(moment)) {
            collected = true
            // As when a collection had begun before the entry was made.
            kubo.files.delete(ipfsCid(bytes))
          }
          return fetch(...call)
        },
      })
      const { locator } = await beside.put(bytes)
      expect(collected).toBe(true)
      expect([...kubo.pins]).toContain(ipfsCid(bytes))
      kubo.collect()
      expect((await store.get(locator)).length).toBe(bytes.length)
    }
  })

  describe.each([100, chunk + 5])('of %i bytes in the folders of two stores on one node', (length) => {
    const bytes = pattern(length)
    async function two() {
      const { kubo, store } = await node()
      const url = await servers.serve(kubo.handle)
      const other = ipfsBlobStore({ url, retryDelayMs: 1, folder: '/pools/pay' })
      await other.put(pattern(7))
      return { kubo, store, other, locator: sha256Digest(bytes) }
    }

    it('stays for the other when one removes it, also when garbage is collected', async () => {
      for (const order of [0, 1]) {
        const { kubo, store, other, locator } = await two()
        const [first, second] = order === 0 ? [store, other] : [other, store]
        await store.put(bytes)
        await other.put(bytes)
        await first.remove(locator)
        expect([...kubo.pins]).toContain(await second.cid(locator))
        kubo.collect()
        expect((await second.get(locator)).length).toBe(length)
        await expect(first.cid(locator)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
        // A second removal, as after one that was cut short, takes nothing from it either.
        await first.remove(locator)
        kubo.collect()
        expect((await second.get(locator)).length).toBe(length)
        await second.remove(locator)
        kubo.collect()
        for (const one of [store, other])
          await expect(one.get(locator)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
        expect([...kubo.pins]).toEqual([ipfsCid(pattern(7))])
      }
    })

    it('stays when it is put while the other removes it, at any moment of that', async () => {
      let moments = 1
      for (let at = 0; at < moments; at++) {
        const { kubo, store, other, locator } = await two()
        await other.put(bytes)
        const before = kubo.commands.length
        let calls = 0
        // The other one's put as a whole between two calls of the removal.
        const between = ipfsBlobStore({
          url: await servers.serve(kubo.handle),
          folder: '/pools/pay',
          fetch: async (...call) => {
            if (calls++ === at) await store.put(bytes)
            return fetch(...call)
          },
        })
        await between.remove(locator)
        moments = Math.max(moments, calls)
        expect(kubo.commands.length).toBeGreaterThan(before)
        if (calls <= at) await store.put(bytes)
        kubo.collect()
        expect((await store.get(locator)).length).toBe(length)
        expect([...kubo.pins]).toContain(await store.cid(locator))
      }
      expect(moments).toBeGreaterThan(4)
    })

    it('stays when it is removed while the other puts it, at any moment of that', async () => {
      let moments = 1
      for (let at = 0; at < moments; at++) {
        const { kubo, store, other, locator } = await two()
        await other.put(bytes)
        let calls = 0
        const between = ipfsBlobStore({
          url: await servers.serve(kubo.handle),
          fetch: async (...call) => {
            if (calls++ === at) await other.remove(locator)
            return fetch(...call)
          },
        })
        await between.put(bytes)
        moments = Math.max(moments, calls)
        kubo.collect()
        expect((await store.get(locator)).length).toBe(length)
        expect([...kubo.pins]).toContain(await store.cid(locator))
      }
      expect(moments).toBeGreaterThan(4)
    })
  })

  it('removes nothing while the register of folders cannot be read', async () => {
    const kubo = fakeKubo()
    const answers: [number, string][] = [
      [500, '{"Message":"lease lost"}'],
      [200, '{"Entries":"x"}'],
    ]
    for (const [status, text] of answers) {
      const url = await servers.serve((request, response) => {
        if (request.url?.startsWith('/api/v0/files/ls') === true) response.writeHead(status).end(text)
        else kubo.handle(request, response)
      })
      const store = ipfsBlobStore({ url, retryDelayMs: 1, attempts: 1 })
      const { locator } = await store.put(pattern(9))
      await expect(store.remove(locator)).rejects.toMatchObject({ code: 'BLOB_STORE_FAILED' })
      expect(kubo.files.has(ipfsCid(pattern(9)))).toBe(true)
    }
  })

  it('takes what stands in the register for nothing but folders', async () => {
    const { kubo, store } = await node()
    for (const name of ['..', 'a..b', '', 'x/y', 'ü', '.']) kubo.folders.add(`/sealpool-stores/${name}`)
    const { locator } = await store.put(pattern(9))
    await store.remove(locator)
    await expect(store.get(locator)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
  })

  it('refuses a node that names another CID', async () => {
    const kubo = fakeKubo()
    const url = await servers.serve((request, response) => {
      if (request.url?.startsWith('/api/v0/add') === true) {
        request.resume()
        response.writeHead(200).end(`{"Name":"blob","Hash":"${ipfsCid(pattern(3))}","Size":"3"}\n`)
      } else kubo.handle(request, response)
    })
    const store = ipfsBlobStore({ url })
    await expect(store.put(pattern(4))).rejects.toMatchObject({ code: 'BLOB_STORE_FAILED' })
    expect(kubo.paths.size).toBe(0)
  })

  it.each([
    ['is no Kubo', (): [number, string] => [200, '<html>']],
    ['answers with no reason', (): [number, string] => [500, 'oops']],
    ['knows no such command', (): [number, string] => [404, '404 page not found']],
    ['forbids', (): [number, string] => [403, '403 - Forbidden']],
    ['answers endlessly', (): [number, string] => [500, 'x'.repeat(1_000_000)]],
    ['has an entry that is no CID', (): [number, string] => [200, '{"Hash":"../../x"}']],
  ])('is told from a missing blob when the server %s', async (_name, answer) => {
    const url = await servers.serve((request, response) => {
      request.resume()
      const [status, text] = answer()
      response.writeHead(status).end(text)
    })
    const store = ipfsBlobStore({ url, retryDelayMs: 1 })
    const locator = sha256Digest(pattern(3))
    for (const work of [
      () => store.put(pattern(3)),
      () => store.get(locator),
      () => store.getRange(locator, { start: 0, length: 1 }),
    ]) {
      await expect(work()).rejects.toMatchObject({ name: 'BlobStoreError', code: 'BLOB_STORE_FAILED' })
    }
  })

  it.each([
    { url: 'file:///x' },
    { folder: 'sealpool' },
    { folder: '/../x' },
    { folder: '/' },
    { folder: '/sealpool-stores' },
    { folder: '/sealpool-stores/x' },
  ])('refuses the options %j at once', (change) => {
    expect(() => ipfsBlobStore({ url: 'http://127.0.0.1:5001', ...change })).toThrow(
      expect.objectContaining({ code: 'BLOB_STORE_FAILED' }),
    )
  })
})
