import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bloomFilter,
  containment,
  distinctCount,
  hyperLogLog,
  jaccardSimilarity,
  type KeyedSketch,
  mayContain,
  mergeHyperLogLogs,
  minHash,
  openSketch,
  sealSketch,
} from './index.js'

const key = new Uint8Array(32).fill(1)
const other = new Uint8Array(32).fill(2)
const use = 'tags'
const random = (length: number) => new Uint8Array(randomBytes(length))
const items = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `item ${from + index}`)

describe('MinHash', () => {
  test.each([
    [0, 1000, 500, 1500],
    [0, 1000, 100, 1000],
    [0, 1000, 990, 3000],
    [0, 300, 0, 3000],
    [0, 1000, 5000, 6000],
  ])(
    'of [%i, %i) and [%i, %i) is within 0.09 of the Jaccard similarity, 0.05 at 1024 orders',
    (a, b, c, d) => {
      const [left, right] = [new Set(items(a, b)), items(c, d)]
      const shared = right.filter((item) => left.has(item)).length
      const exact = shared / (left.size + right.length - shared)
      for (const [orders, error] of [
        [256, 0.09],
        [1024, 0.05],
      ] as const) {
        const estimate = jaccardSimilarity(
          minHash({ items: left, key, use, orders }),
          minHash({ items: right, key, use, orders }),
        )
        expect(Math.abs(estimate - exact)).toBeLessThan(error)
        const held = containment({ jaccard: estimate, size: left.size, otherSize: right.length })
        expect(Math.abs(held - shared / left.size)).toBeLessThan(4 * error)
      }
    },
  )
  test('errs by less than 0.05 on average over many pairs, without bias', () => {
    const errors = Array.from({ length: 30 }, (_, round) => {
      const from = 400 * round
      const own = (start: number) => minHash({ items: items(start, start + 200), key, use })
      return jaccardSimilarity(own(from), own(from + 100)) - 1 / 3
    })
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length
    expect(Math.abs(mean)).toBeLessThan(0.025)
    expect(errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length).toBeLessThan(0.05)
  })
  test('does not depend on order or repetition', () => {
    const once = minHash({ items: items(0, 50), key, use })
    expect(minHash({ items: [...items(0, 50).reverse(), ...items(0, 50)], key, use })).toEqual(once)
  })
  test('containment of nothing is nothing', () => {
    expect(containment({ jaccard: 0.5, size: 0, otherSize: 5 })).toBe(0)
    expect(containment({ jaccard: 1, size: 1, otherSize: 5 })).toBe(1)
  })
})

describe('HyperLogLog', () => {
  test.each([0, 1, 10, 100, 1_000, 20_000, 100_000])('counts %i distinct items within 6 %%', (count) => {
    const estimate = distinctCount(hyperLogLog({ items: items(0, count), key, use }))
    expect(Math.abs(estimate - count)).toBeLessThanOrEqual(0.06 * count + 0.01)
  })
  test('of a union is the merged one', () => {
    const one = hyperLogLog({ items: items(0, 500), key, use })
    const two = hyperLogLog({ items: items(300, 900), key, use })
    expect(mergeHyperLogLogs(one, two)).toEqual(hyperLogLog({ items: items(0, 900), key, use }))
    expect(() => mergeHyperLogLogs(one, hyperLogLog({ items: [], key, use, precision: 4 }))).toThrow(
      expect.objectContaining({ place: 'registers' }),
    )
  })
})

describe('Bloom filter', () => {
  test('knows all of its members and few others', () => {
    const filter = bloomFilter({ items: items(0, 2_000), key, use, capacity: 2_000, falsePositives: 0.01 })
    expect(items(0, 2_000).every((item) => mayContain(filter, { key, use, item }))).toBe(true)
    const wrong = items(10_000, 20_000).filter((item) => mayContain(filter, { key, use, item })).length
    expect(wrong).toBeLessThan(180)
    expect(wrong).toBeGreaterThan(30)
  })
})

describe('without the key', () => {
  const shapes: [string, (set: readonly string[], own?: Uint8Array) => KeyedSketch][] = [
    ['MinHash', (set, own = key) => minHash({ items: set, key: own, use })],
    ['HyperLogLog', (set, own = key) => hyperLogLog({ items: set, key: own, use, precision: 10 })],
    [
      'Bloom filter',
      (set, own = key) => bloomFilter({ items: set, key: own, use, capacity: 500, falsePositives: 0.01 }),
    ],
  ]

  test.each(shapes)('a sealed %s opens under the right key only, and unchanged only', (_, make) => {
    const sketch = make(items(0, 100))
    const sealed = sealSketch({ sketch, key, random })
    expect(openSketch({ sealed, key })).toEqual(sketch)
    expect(() => openSketch({ sealed, key: other })).toThrow(expect.objectContaining({ place: 'sealed' }))
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = sealed.slice()
        changed[at] = (changed[at] ?? 0) ^ flip
        expect(() => openSketch({ sealed: changed, key })).toThrow(
          expect.objectContaining({ place: 'sealed' }),
        )
      }),
      { numRuns: 50 },
    )
    for (const length of [0, 20, sealed.length - 1]) {
      expect(() => openSketch({ sealed: sealed.subarray(0, length), key })).toThrow()
    }
  })

  test.each(shapes)('the length of a sealed %s does not depend on the set', (_, make) => {
    const lengths = [0, 1, 500].map(
      (count) => sealSketch({ sketch: make(items(0, count)), key, random }).length,
    )
    expect(new Set(lengths).size).toBe(1)
  })

  test.each(shapes)('two sealed %ses of one set are as different as those of two sets', (_, make) => {
    const sealed = (set: readonly string[]) => sealSketch({ sketch: make(set), key, random })
    const equalBits = (a: Uint8Array, b: Uint8Array) => {
      let equal = 0
      a.forEach((byte, index) => {
        equal += 8 - (byte ^ (b[index] ?? 0)).toString(2).replace(/0/g, '').length
      })
      return equal / (8 * a.length)
    }
    for (const second of [items(0, 400), items(1_000, 1_400), []]) {
      expect(Math.abs(equalBits(sealed(items(0, 400)), sealed(second)) - 0.5)).toBeLessThan(0.08)
    }
  })

  test.each(shapes)(
    'a game: no count of bytes of a sealed %s tells an empty set from a full one',
    (_, make) => {
      // The adversary sees fifty of each; its best of 256 counters (how often a byte value occurs) must not tell them apart
      // better than chance does. With the plain bytes the same adversary wins every time.
      const rounds = 50
      const tell = (bytesOf: (sketch: KeyedSketch) => Uint8Array) => {
        let widest = 0
        const [empty, full] = [[], items(0, 500)].map((set) =>
          Array.from({ length: rounds }, () => bytesOf(make(set))),
        )
        for (let value = 0; value < 256; value++) {
          const counts = (list: readonly Uint8Array[] = []) =>
            list.map((bytes) => bytes.reduce((sum, byte) => sum + Number(byte === value), 0))
          const [a, b] = [counts(empty), counts(full)]
          const mean = (list: readonly number[]) => list.reduce((sum, each) => sum + each, 0) / rounds
          const spread = (list: readonly number[]) =>
            list.reduce((sum, each) => sum + (each - mean(list)) ** 2, 0) / (rounds - 1)
          const error = Math.sqrt((spread(a) + spread(b)) / rounds) || 1e-9
          widest = Math.max(widest, Math.abs(mean(a) - mean(b)) / error)
        }
        return widest
      }
      expect(tell((sketch) => sealSketch({ sketch, key, random }))).toBeLessThan(6)
      expect(
        tell((sketch) =>
          'words' in sketch
            ? new Uint8Array(sketch.words.buffer)
            : 'bits' in sketch
              ? sketch.bits
              : sketch.registers,
        ),
      ).toBeGreaterThan(100)
    },
  )

  test.each(shapes)('an open %s tells nothing about guesses made under another key', (_, make) => {
    const mine = make(items(0, 400))
    const guess = make(items(0, 400), other)
    if (mine.kind === 'min-hash' && guess.kind === 'min-hash')
      expect(jaccardSimilarity(mine, guess)).toBeLessThan(0.02)
    else expect(guess).not.toEqual(mine)
    if (mine.kind === 'bloom') {
      const members = items(0, 400).filter((item) => mayContain(mine, { key: other, use, item })).length
      const strangers = items(5_000, 5_400).filter((item) =>
        mayContain(mine, { key: other, use, item }),
      ).length
      expect(Math.abs(members - strangers)).toBeLessThan(20)
    }
  })

  test('uses of one key cannot be matched', () => {
    const one = minHash({ items: items(0, 400), key, use })
    expect(jaccardSimilarity(one, minHash({ items: items(0, 400), key, use: 'names' }))).toBeLessThan(0.02)
  })
})

describe('refused sketches', () => {
  const short = key.subarray(1)
  test.each([
    ['key', () => minHash({ items: [], key: short, use })],
    ['key', () => sealSketch({ sketch: minHash({ items: [], key, use }), key: short, random })],
    ['key', () => openSketch({ sealed: new Uint8Array(99), key: short })],
    ['use', () => minHash({ items: [], key, use: '' })],
    ['orders', () => minHash({ items: [], key, use, orders: 15 })],
    [
      'words',
      () => jaccardSimilarity(minHash({ items: [], key, use }), minHash({ items: [], key, use, orders: 16 })),
    ],
    ['precision', () => hyperLogLog({ items: [], key, use, precision: 17 })],
    ['capacity', () => bloomFilter({ items: [], key, use, capacity: 0, falsePositives: 0.1 })],
    ['falsePositives', () => bloomFilter({ items: [], key, use, capacity: 1, falsePositives: 0 })],
  ])('for a wrong %s', (place, wrong) => {
    expect(wrong).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID', place }))
  })
})
