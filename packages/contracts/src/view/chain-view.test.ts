import { type Client, createClient, custom, type Hex, numberToHex, pad } from 'viem'
import { getBlockNumber } from 'viem/actions'
import { describe, expect, test } from 'vitest'
import { createChainView } from './chain-view.js'

interface Source {
  chainId: number
  height: number
  fork: string
  time: number
  reachable: boolean
  /** Answers to what is asked now are held back until this is resolved. */
  held?: Promise<void> | undefined
}

/** A client whose chain is an object: blocks of one name have equal hashes. */
function source(change: Partial<Source> = {}): { state: Source; client: Client } {
  const state: Source = { chainId: 1, height: 100, fork: 'a', time: 1_000, reachable: true, ...change }
  const block = (number: number) => ({
    number: numberToHex(number),
    hash: pad(numberToHex(number * 1_000 + state.fork.charCodeAt(0)), { size: 32 }),
    timestamp: numberToHex(state.time),
    transactions: [] as Hex[],
  })
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    if (!state.reachable) throw new Error('no answer')
    if (method === 'eth_chainId') return numberToHex(state.chainId)
    if (method === 'eth_blockNumber') return numberToHex(state.height)
    const [tag] = params as [string]
    const answer = block(tag === 'latest' ? state.height : Number(tag))
    await state.held
    return answer
  }
  return { state, client: createClient({ transport: custom({ request }, { retryCount: 0 }) }) }
}

function view(first: Partial<Source> = {}, second: Partial<Source> = {}) {
  const [a, b] = [source(first), source(second)]
  const options = { sources: [a.client, b.client] as const, chainId: 1, maximumAge: 60, now: () => 1_030 }
  return { a: a.state, b: b.state, chain: createChainView({ ...options, confirmations: 2 }) }
}

describe('a chain through two sources', () => {
  test('gives the head that both have', async () => {
    const { chain } = view({}, { height: 98 })
    expect(await chain.head()).toMatchObject({ number: 96n, timestamp: 1_000n })
    expect(await chain.read(async (_, block) => ({ block, list: [1n] }))).toEqual({ block: 96n, list: [1n] })
    expect(await chain.read(async () => undefined)).toBe(undefined)
  })

  test.each([
    ['another chain', {}, { chainId: 2 }, 'CHAIN_DISAGREES'],
    ['too far apart', {}, { height: 50 }, 'CHAIN_DISAGREES'],
    ['a fork', {}, { fork: 'b' }, 'CHAIN_DISAGREES'],
    ['both frozen', { time: 900 }, { time: 900 }, 'CHAIN_STALE'],
    ['too short', { height: 1 }, { height: 1 }, 'CHAIN_STALE'],
  ])('fails closed on %s', async (_, first, second, code) => {
    await expect(view(first, second).chain.head()).rejects.toMatchObject({ code })
  })

  test('fails closed when one does not answer', async () => {
    const { chain, b } = view()
    await chain.head()
    b.reachable = false
    await expect(chain.head()).rejects.toMatchObject({ name: 'ContractsError' })
  })

  test('fails closed when the chain goes back', async () => {
    const { chain, a, b } = view()
    await chain.head()
    a.height = 99
    b.height = 99
    await expect(chain.head()).rejects.toMatchObject({ code: 'CHAIN_STALE' })
  })

  /** Two calls of `head` at block 100 and at 101, of which the first one ends last. */
  async function overlapping() {
    const { chain, a, b } = view()
    let release = () => {}
    a.held = new Promise((resolve) => {
      release = resolve
    })
    const slow = chain.head()
    await new Promise((resolve) => setTimeout(resolve)) // its questions are asked
    a.held = undefined
    a.height = b.height = 101
    const fast = await chain.head()
    return { chain, a, b, slow, fast, release }
  }

  test('takes a slower call that asked before another one for no chain that went back', async () => {
    const { chain, slow, fast, release } = await overlapping()
    expect(fast).toMatchObject({ number: 99n })
    release()
    expect(await slow).toMatchObject({ number: 98n })
    expect(await chain.head()).toMatchObject({ number: 99n })
  })

  test('forgets no newer head because of a slower call', async () => {
    const { chain, a, b, slow, release } = await overlapping()
    release()
    await slow
    a.height = b.height = 100
    await expect(chain.head()).rejects.toMatchObject({
      code: 'CHAIN_STALE',
      message: expect.stringContaining('went back from block 99 to 98'),
    })
  })

  test('tells a slower call, too, that the head it knew was replaced, and forgets no head of since', async () => {
    const { chain, a, b } = view()
    await chain.head()
    let release = () => {}
    a.held = new Promise((resolve) => {
      release = resolve
    })
    const slow = chain.head()
    await new Promise((resolve) => setTimeout(resolve))
    a.held = undefined
    a.fork = b.fork = 'b'
    a.height = b.height = 110
    await expect(chain.head()).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
    expect(await chain.head()).toMatchObject({ number: 108n })
    release()
    await expect(slow).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
    a.height = b.height = 109
    await expect(chain.head()).rejects.toMatchObject({ code: 'CHAIN_STALE' })
  })

  test('fails closed when one stands still, as soon as it is too far behind or too old', async () => {
    const { chain, a, b } = view({}, { height: 98 })
    expect(await chain.head()).toMatchObject({ number: 96n })
    a.height = 103
    expect(await chain.head()).toMatchObject({ number: 96n })
    a.height = 104
    await expect(chain.head()).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
    a.height = 103
    b.time = a.time = 969
    await expect(chain.head()).rejects.toMatchObject({ code: 'CHAIN_STALE' })
  })

  test('fails closed, once, when both replaced the head that they agreed on', async () => {
    const { chain, a, b } = view()
    await chain.head()
    a.fork = b.fork = 'b'
    a.height = b.height = 110
    await expect(chain.head()).rejects.toMatchObject({
      code: 'CHAIN_DISAGREES',
      message: expect.stringContaining('block 98 was replaced although 2 stood on it'),
    })
    expect(await chain.head()).toMatchObject({ number: 108n })
  })

  test('gives no answer that was read while the chain was replaced', async () => {
    const { chain, a, b } = view()
    const reorganising = chain.read(async () => {
      a.fork = b.fork = 'b'
      return 'what both say of the other block'
    })
    await expect(reorganising).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
    expect(await chain.read(async () => 'after')).toBe('after')
  })

  test('gives no answer that one source read from a replaced block', async () => {
    const { chain, b } = view()
    const reorganising = chain.read(async () => {
      b.fork = 'b'
      return 'alike'
    })
    await expect(reorganising).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' })
  })

  test('gives no answer that only one source gives', async () => {
    const { chain } = view({}, { height: 101 })
    await expect(chain.read((client) => getBlockNumber(client, { cacheTime: 0 }))).rejects.toMatchObject({
      code: 'CHAIN_DISAGREES',
    })
  })
})
