import { createServer } from 'node:http'
import { type BlobStore, BlobStoreError } from '@sealpool/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BlobProxy, startBlobProxy } from './blob-proxy.js'
import { listen } from './listen.js'
import { type RpcMode, type RpcProxy, rpc, startRpcProxy, wholeBody } from './rpc-proxy.js'

const answers: Readonly<Record<string, unknown>> = {
  eth_blockNumber: '0x10',
  eth_call: '0xab00',
  eth_getLogs: [{ data: `0x${'00'.repeat(40)}` }, { data: `0x${'00'.repeat(40)}` }],
  eth_sendRawTransaction: `0x${'77'.repeat(32)}`,
}
let head = 0x10
const asked: string[] = []
const closers: (() => Promise<void>)[] = []
const seen: string[] = []
let proxy: RpcProxy

beforeEach(async () => {
  head = 0x10
  asked.length = 0
  seen.length = 0
  const chain = await listen(
    createServer((request, response) => {
      void wholeBody(request).then((body) => {
        const { id, method } = JSON.parse(body.toString()) as { id: number; method: string }
        asked.push(method)
        const number = `0x${head.toString(16)}`
        const result =
          method === 'eth_blockNumber'
            ? number
            : method === 'eth_getBlockByNumber'
              ? { number, hash: '0xabc' }
              : answers[method]
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
      })
    }),
  )
  proxy = await startRpcProxy({ target: chain.url, onTraffic: (body) => seen.push(body.toString()) })
  closers.push(() => proxy.close(), chain.close)
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const call = (method: string) => rpc(proxy.url, method, [])
const quickly = (method: string) =>
  fetch(proxy.url, {
    method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] }),
    signal: AbortSignal.timeout(300),
  }).then((response) => response.text())

describe('an endpoint', () => {
  it('that passes changes nothing, and shows all that went by', async () => {
    for (const [method, answer] of Object.entries(answers)) expect(await call(method)).toEqual(answer)
    expect(proxy.counts).toEqual({ calls: 4, altered: 0 })
    expect(seen).toHaveLength(8)
    expect(seen.join()).toContain('eth_getLogs')
  })

  it.each<[RpcMode, string]>([
    ['lie-head', 'eth_blockNumber'],
    ['lie-logs', 'eth_getLogs'],
    ['lie-state', 'eth_call'],
  ])('set to %s changes the answer to %s and no other', async (mode, method) => {
    proxy.set(mode)
    for (const [name, answer] of Object.entries(answers)) {
      if (name === method) expect(await call(name)).not.toEqual(answer)
      else expect(await call(name)).toEqual(answer)
    }
    expect(proxy.counts.altered).toBe(1)
    proxy.set('pass')
    expect(await call(method)).toEqual(answers[method])
  })

  it('that stands still tells its head of then', async () => {
    const newest = (params: unknown[]) => rpc(proxy.url, 'eth_getBlockByNumber', params)
    proxy.set('frozen')
    expect(await call('eth_blockNumber')).toBe('0x10')
    expect(await newest(['latest', false])).toMatchObject({ number: '0x10' })
    head = 0x20
    expect(await call('eth_blockNumber')).toBe('0x10')
    expect(await newest(['latest', false])).toMatchObject({ number: '0x10' })
    expect(await newest(['0x20', false])).toMatchObject({ number: '0x20' })
    expect(proxy.counts.altered).toBe(2)
    proxy.set('lie-head')
    expect(await newest(['latest', false])).toEqual({ number: '0x408', hash: '0xabc' })
    expect(await newest(['0x20', false])).toMatchObject({ number: '0x20' })
    proxy.set('pass')
    expect(await call('eth_blockNumber')).toBe('0x20')
  })

  it.each<[RpcMode, RegExp]>([
    ['stall', /timeout/],
    ['half', /timeout/],
    ['cut', /fetch failed/],
  ])('set to %s gives no whole answer', async (mode, message) => {
    proxy.set(mode)
    await expect(quickly('eth_call')).rejects.toThrow(message)
    expect(proxy.counts.altered).toBe(1)
  })

  it.each<RpcMode>(['error', 'garbage'])('set to %s gives no JSON-RPC', async (mode) => {
    proxy.set(mode)
    expect(await quickly('eth_call')).not.toContain('"result"')
  })

  it('tells of the next transaction once, which is lost, late, sent without an answer, or passed on', async () => {
    const order: string[] = []
    const hook = async () => {
      order.push(asked.includes('eth_sendRawTransaction') ? 'sent' : 'not sent')
    }
    proxy.onTransaction('lost', hook)
    await expect(quickly('eth_sendRawTransaction')).rejects.toThrow()
    expect(asked).toEqual([])
    proxy.onTransaction('late', hook)
    await expect(quickly('eth_sendRawTransaction')).rejects.toThrow()
    expect(asked).toEqual(['eth_sendRawTransaction'])
    asked.length = 0
    proxy.onTransaction('after', hook)
    await expect(quickly('eth_sendRawTransaction')).rejects.toThrow()
    asked.length = 0
    proxy.onTransaction('watch', hook)
    expect(await call('eth_sendRawTransaction')).toBe(answers['eth_sendRawTransaction'])
    expect(await call('eth_sendRawTransaction')).toBe(answers['eth_sendRawTransaction'])
    expect(order).toEqual(['not sent', 'not sent', 'sent', 'not sent'])
  })
})

describe('a blob store', () => {
  const bytes = new TextEncoder().encode('a sealed file that is a little longer than a word')
  const name = 'ab'.repeat(32)
  const broken = 'ef'.repeat(32)
  const get = (store: BlobProxy, path = name) =>
    fetch(`${store.url}/${path}`, { signal: AbortSignal.timeout(2_000) })
  let store: BlobProxy

  beforeEach(async () => {
    const unasked = () => Promise.reject(new Error('nobody asks for this'))
    const blobs: BlobStore = {
      name: 'memory',
      put: unasked,
      getRange: unasked,
      remove: unasked,
      get: async (locator) => {
        if (locator === `sha256:${name}`) return bytes
        throw locator === `sha256:${broken}`
          ? new BlobStoreError('BLOB_STORE_FAILED', locator, 'the disk is gone')
          : new BlobStoreError('BLOB_MISSING', locator, 'there is none')
      },
    }
    store = await startBlobProxy({ blobs, onTraffic: () => undefined })
    closers.push(() => store.close())
  })

  it('that passes gives what is there, and takes nothing', async () => {
    expect(new Uint8Array(await (await get(store)).arrayBuffer())).toEqual(bytes)
    expect((await get(store, 'cd'.repeat(32))).status).toBe(404)
    // A store that fails is no store without the blob: nobody is told 404 for it.
    await expect(get(store, broken)).rejects.toThrow(/fetch failed/)
    expect((await fetch(`${store.url}/${name}`, { method: 'PUT', body: 'x' })).status).toBe(405)
  })

  it('gives all of it slowly, something else when it is corrupt, and no more than half when it is cut', async () => {
    store.set('slow')
    expect(new Uint8Array(await (await get(store)).arrayBuffer())).toEqual(bytes)
    store.set('corrupt')
    const wrong = new Uint8Array(await (await get(store)).arrayBuffer())
    expect(wrong).toHaveLength(bytes.length)
    expect(wrong).not.toEqual(bytes)
    store.set('cut')
    await expect(get(store).then((response) => response.arrayBuffer())).rejects.toThrow()
    // What lies in the store is as it was.
    store.set('pass')
    expect(new Uint8Array(await (await get(store)).arrayBuffer())).toEqual(bytes)
  })

  it('says that there is none, is busy, or says nothing', async () => {
    store.set('missing')
    expect((await get(store)).status).toBe(404)
    store.set('busy')
    expect((await get(store)).status).toBe(503)
    store.set('stall')
    const waiting = get(store)
    const ended = expect(waiting).rejects.toThrow(/fetch failed/)
    await expect.poll(() => store.counts.altered).toBe(3)
    store.set('pass')
    await ended
  })
})
