import { expect, it } from 'vitest'
import { type KnownCount, pacedCounts } from './paced-counts.js'

const counts = (seen: number) => ({ states: { seen, refined: 0 }, refused: {} })
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** A table that grows by one for each count, which takes so many milliseconds. */
function world(begin: number, takes: number) {
  let at = 1_000
  let rows = begin
  const asked: (string | undefined)[] = []
  const read = pacedCounts({
    now: () => at,
    count: async (pool) => {
      asked.push(pool)
      rows += 1
      at += takes
      return counts(rows)
    },
  })
  return { read, asked, wait: (ms: number) => (at += ms) }
}

it('counts a small table for each call', async () => {
  const { read } = world(5, 10)
  for (const expected of [6, 7, 8]) expect((await read()).states['seen']).toBe(expected)
})

it('gives the count of a large table again for fifty times as long as it took', async () => {
  const { read, wait, asked } = world(2_000, 10)
  expect((await read()).states['seen']).toBe(2_001)
  await settled()
  wait(499)
  expect((await read()).states['seen']).toBe(2_001)
  wait(1)
  expect((await read()).states['seen']).toBe(2_002)
  expect(asked).toHaveLength(2)
})

it('counts once for all who ask at the same time, of a small table too', async () => {
  const { read, asked } = world(5, 10)
  const all = await Promise.all([read(), read(), read()])
  expect(all.map(({ states }) => states['seen'])).toEqual([6, 6, 6])
  expect(asked).toHaveLength(1)
})

it('keeps pools apart, however their addresses are written', async () => {
  const { read, asked } = world(3_000, 10)
  const pool = `0x${'aB'.repeat(20)}` as const
  await read(pool)
  await settled()
  await read(pool.toLowerCase() as typeof pool)
  await read()
  expect(asked).toEqual([pool, undefined])
})

it('asks again after a count that failed', async () => {
  let fails = true
  const read = pacedCounts({
    now: () => 0,
    count: async () => {
      if (fails) throw new Error('away')
      return counts(3_000)
    },
  })
  await expect(read()).rejects.toThrow('away')
  await settled()
  fails = false
  expect((await read()).states['seen']).toBe(3_000)
})

it('keeps nothing of small tables or failed counts, and so of pools that nobody serves', async () => {
  const known = new Map<string, KnownCount>()
  const read = pacedCounts({
    now: () => 0,
    known,
    count: async (pool) => {
      if (pool === `0x${'1'.repeat(40)}`) throw new Error('away')
      return counts(pool === undefined ? 3_000 : 0)
    },
  })
  const pools = Array.from({ length: 50 }, (_, n) => `0x${n.toString(16).padStart(40, '0')}` as const)
  const failing = read(`0x${'1'.repeat(40)}`)
  const asked = [read(), ...pools.map(read)]
  expect(known.size).toBe(52)
  await expect(failing).rejects.toThrow('away')
  await Promise.all(asked)
  await settled()
  expect([...known.keys()]).toEqual([''])
})
