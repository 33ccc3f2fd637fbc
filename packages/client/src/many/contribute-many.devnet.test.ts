import { createWalletClient, http } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterAll, describe, expect, test } from 'vitest'
import { memoryBlobStore, memoryJournal, sizePreflight } from '../index.js'
import { cancelNonceForTest } from '../testing/cancel-nonce.js'
import { contributingApps } from '../testing/contributing-app.js'
import { devnetPool } from '../testing/devnet-pool.js'
import { at } from '../testing/simulated-pool.js'
import { watchedWallet } from '../testing/watched-wallet.js'
import { contributeMany, type ManyItem, type ManyOptions } from './index.js'

/* Many contributions on a real chain. */

const world = await devnetPool()
const { all, app, countOf, exported } = contributingApps(world, (await world.time()) + 86_400n)
afterAll(() => world.devnet.stop())

const item = (number: number, change: object = {}): ManyItem => ({
  key: `item-${number}`,
  input: exported({ bytes: new TextEncoder().encode(`wage\n${number}\n`), nonce: BigInt(number), ...change }),
})
const itemsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => item(first + index))

function owner(change: Partial<ManyOptions> = {}) {
  const journal = memoryJournal()
  const blobStore = memoryBlobStore()
  const { client, account } = app({ blobStore })
  const { deployment } = world
  const { pool } = world.contracts
  const many = (items: readonly ManyItem[], more: Partial<ManyOptions> = {}) =>
    contributeMany({
      ...{ client, chain: world.walletOf(2), deployment, pool, blobStore, journal, account, items },
      ...{ now: () => at, retryDelayMs: 1 },
      ...change,
      ...more,
    })
  return { many, blobStore, journal }
}

describe('many contributions', () => {
  test('of a sender that can pay for no transaction stop before anything is stored; an owner need not', async () => {
    const memory = memoryBlobStore()
    let stored = 0
    const put: typeof memory.put = (...given) => {
      stored += 1
      return memory.put(...given)
    }
    const { many } = owner({ blobStore: { ...memory, put } })
    const account = privateKeyToAccount(generatePrivateKey())
    const chain = createWalletClient({ account, chain: foundry, transport: http(world.devnet.rpcUrl) })
    await expect(many(itemsFrom(900, 3), { chain })).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' })
    expect(stored).toBe(0)
    expect((await many(itemsFrom(910, 1), { account })).tasks).toHaveLength(1)
  })

  test('250 are 3 transactions; one that fails sinks no other, and comes alone with the next call', async () => {
    const { many } = owner()
    const before = await countOf()
    const told: string[] = []
    const items = itemsFrom(1_000, 250)
    const bad = items.with(120, item(1_120, { bytes: new Uint8Array(1_000) }))
    const preflight = [sizePreflight({ maximumBytes: 500 })]
    const first = await many(bad, {
      preflight,
      onProgress: ({ task, tasks, item: key, state }) =>
        void told.push(`${task}/${tasks} ${state} ${key ?? ''}`),
    })
    expect(first.tasks.map(({ ids }) => ids.length)).toEqual([100, 99, 50])
    expect(first.items.map(({ key }) => key)).toEqual(bad.map(({ key }) => key))
    expect(first.items.filter(({ state }) => state === 'failed')).toEqual([
      { key: 'item-1120', state: 'failed', error: expect.objectContaining({ code: 'PREFLIGHT_FAILED' }) },
    ])
    expect(told.filter((line) => !line.includes('prepared'))).toEqual([
      '0/3 sent ',
      '1/3 failed item-1120',
      '1/3 sent ',
      '2/3 sent ',
    ])
    expect(await countOf()).toBe(before + 249)

    const second = await many(items, { preflight })
    expect(second.tasks.map(({ ids }) => ids.length)).toEqual([1])
    expect(second.items.every(({ state }) => state === 'contributed')).toBe(true)
    const ids = second.items.map((outcome) => (outcome.state === 'contributed' ? outcome.id : 0n))
    expect(new Set(ids).size).toBe(250)
    expect(await countOf()).toBe(before + 250)
  }, 60_000)

  test('go on where a call was broken off, in a task and between tasks', async () => {
    const { many } = owner({ perTask: 2 })
    const before = await countOf()
    const stop = new Error('broken off')
    const items = itemsFrom(2_000, 5)
    for (const moment of ['0 prepared item-2001', '0 sent', '1 prepared item-2002']) {
      const onProgress: ManyOptions['onProgress'] = ({ task, state, item: key }) => {
        if (`${task} ${state}${key === undefined ? '' : ` ${key}`}` === moment) throw stop
      }
      await expect(many(items, { onProgress })).rejects.toBe(stop)
    }
    expect(await countOf()).toBe(before + 2)
    const done = await many(items)
    expect(done.tasks.map(({ ids }) => ids.length)).toEqual([2, 1])
    expect(await countOf()).toBe(before + 5)
    expect(done.items.map((one) => one.state === 'contributed' && one.resumed)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
  })

  test('come once where two calls with one journal begin at once', async () => {
    const shared = { journal: memoryJournal(), blobStore: memoryBlobStore() }
    const { many } = owner()
    const before = await countOf()
    // Without numbers of their own, which would come once by themselves.
    const items = [0, 1].map((index): ManyItem => ({ key: `together-${index}`, input: exported() }))
    const both = await Promise.allSettled([many(items, shared), many(items, shared)])
    expect(await countOf()).toBe(before + 2)
    const told = both.flatMap((run) => (run.status === 'fulfilled' ? run.value.items : []))
    expect(told.filter(({ state }) => state === 'contributed').length).toBeGreaterThanOrEqual(2)
  })

  test('come once where the answer to a transaction is lost', async () => {
    let lost = 0
    const chain = watchedWallet(world, 2, async (method, send) => {
      const answer = await send()
      if (method !== 'eth_sendRawTransaction') return answer
      lost += 1
      throw new Error('connection lost')
    })
    const { many } = owner({ chain })
    const before = await countOf()
    const { items, tasks } = await many(itemsFrom(3_000, 3))
    expect(items.map(({ state }) => state)).toEqual(['contributed', 'contributed', 'contributed'])
    expect(tasks).toEqual([])
    expect(lost).toBe(1)
    expect(await countOf()).toBe(before + 3)
  })

  test('tell of those alone that the chain or the store does not take', async () => {
    const { many, blobStore } = owner()
    await cancelNonceForTest(world, 2, 4_001n)
    let stored = 0
    const put: typeof blobStore.put = async (...args) => {
      stored += 1
      if (stored === 3) throw new TypeError('this one does not fit')
      return blobStore.put(...args)
    }
    const items = [...itemsFrom(4_000, 4), item(4_004, { deadline: 1n })]
    const missing: ManyItem = { key: 'gone', input: () => Promise.reject(new Error('no such file')) }
    const outcome = await many([...items, missing], { blobStore: { ...blobStore, put } })
    expect(outcome.items.map(({ key, state }) => `${key} ${state}`)).toEqual([
      'item-4000 contributed',
      'item-4001 failed',
      'item-4002 failed',
      'item-4003 contributed',
      'item-4004 failed',
      'gone failed',
    ])
    expect(outcome.items.map((one) => (one.state === 'failed' ? one.error : undefined))).toMatchObject([
      undefined,
      { code: 'NONCE_TAKEN' },
      { message: 'this one does not fit' },
      undefined,
      { code: 'CONTRIBUTION_LEFT_OUT' },
      { message: 'no such file' },
    ])
    expect((await all()).at(-1)?.nonce).toBe(4_003n)
  })

  test.each([
    ['a task of none', { perTask: 0 }, [item(1)]],
    ['a task of too many', { perTask: 101 }, [item(1)]],
    ['two of one key', {}, [item(1), item(1)]],
    ['a key that is a path', {}, [{ ...item(1), key: '../a' }]],
  ] as const)('refuse %s', async (_, change, items) => {
    await expect(owner().many(items, change)).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })

  test('stop as a whole where the node does not verify, before anything is sealed', async () => {
    const { many, blobStore } = owner()
    const no = { ok: false, simulated: true, summary: [], checks: [], pool: undefined, evidence: undefined }
    const put = async () => Promise.reject(new Error('sealed'))
    const client = { ready: async () => no as never }
    await expect(many([item(1)], { client, blobStore: { ...blobStore, put } })).rejects.toMatchObject({
      code: 'NOT_READY',
    })
  })
})
