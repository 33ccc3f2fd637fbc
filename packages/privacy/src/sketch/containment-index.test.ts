import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leastSimilarity, prefixFor } from './band-prefix.js'
import { type ContainmentIndex, containmentIndex, type MinHash, minHash, type SizedSketch } from './index.js'

const key = new Uint8Array(32).fill(3)
const sketchOf = (items: Iterable<string>, orders = 256) => minHash({ items, key, use: 'sets', orders })
/** Numbers that are the same in every run. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

interface World {
  readonly sets: readonly ReadonlySet<string>[]
  readonly sketches: readonly SizedSketch[]
  readonly index: ContainmentIndex
}

/** Columns of many tables: of few items and of many, and parts, copies and changed copies of one another. */
function world(count: number): World {
  const random = numbers(11)
  const sets: Set<string>[] = []
  for (let number = 0; number < count; number++) {
    const size = Math.floor(20 * 20 ** random())
    const other = sets[Math.floor(sets.length * random())]
    const kind = random()
    const items = new Set<string>()
    if (other !== undefined && kind < 0.5)
      // A part or most of another one, with items of its own.
      for (const item of other) if (random() < (kind < 0.3 ? 0.95 : 0.5)) items.add(item)
    const own = other !== undefined && kind < 0.5 ? Math.floor(items.size * random() * 0.8) : size
    for (let item = 0; item < own; item++) items.add(`${number} ${item}`)
    sets.push(items)
  }
  const sketches = sets.map((items) => ({ sketch: sketchOf(items), size: items.size }))
  return { sets, sketches, index: containmentIndex({ sketches }) }
}

const shared = (one: ReadonlySet<string>, two: ReadonlySet<string>): number => {
  let count = 0
  for (const item of one) if (two.has(item)) count++
  return count
}

describe('containment index', () => {
  const { sets, sketches, index } = world(600)
  const size = (entry: number): number => sketches[entry]?.size ?? 0
  /** Items in common, counted: what estimates are held against. */
  const common = new Uint16Array(sets.length ** 2)
  for (const [one, left] of sets.entries())
    for (const [two, right] of sets.entries())
      common[one * sets.length + two] =
        left.size <= right.size ? shared(left, right) : (common[two * sets.length + one] ?? 0)
  for (let one = 0; one < sets.length; one++)
    for (let two = 0; two < one; two++) {
      const counted = Math.max(common[one * sets.length + two] ?? 0, common[two * sets.length + one] ?? 0)
      common[one * sets.length + two] = counted
      common[two * sets.length + one] = counted
    }
  const inBoth = (one: number, two: number): number => common[one * sets.length + two] ?? 0

  test.each([0.4, 0.6, 0.8, 0.95])(
    'finds more than 0.95 of the sets that hold a share of %d of another one by an exact count',
    (threshold) => {
      let held = 0
      let found = 0
      let looked = 0
      for (let asked = 0; asked < sets.length; asked++) {
        const answer = index.containing({ ...(sketches[asked] as SizedSketch), threshold })
        looked += answer.length
        const entries = new Set(answer.map(({ entry }) => entry))
        for (let entry = 0; entry < sets.length; entry++) {
          if (inBoth(asked, entry) < threshold * size(asked)) continue
          held++
          if (entries.has(entry)) found++
        }
      }
      expect(held).toBeGreaterThan(350)
      expect(found / held).toBeGreaterThan(0.95)
      // What the margin lets in besides is little.
      expect(looked).toBeLessThan(4 * held)
    },
  )

  test.each([0.3, 0.5, 0.8])(
    'finds more than 0.95 of all pairs with a similarity of %d by an exact count, each once',
    (threshold) => {
      const pairs = [...index.similarPairs({ threshold })]
      const names = new Set(pairs.map(({ left, right }) => `${left} ${right}`))
      expect(names.size).toBe(pairs.length)
      let alike = 0
      let found = 0
      for (let one = 0; one < sets.length; one++)
        for (let two = one + 1; two < sets.length; two++) {
          const both = inBoth(one, two)
          if (both < threshold * (size(one) + size(two) - both)) continue
          alike++
          if (names.has(`${one} ${two}`) || names.has(`${two} ${one}`)) found++
        }
      expect(alike).toBeGreaterThan(40)
      expect(found / alike).toBeGreaterThan(0.95)
      expect(pairs.length).toBeLessThan(6 * alike)
      for (const { left, right } of pairs) expect(size(left)).toBeLessThanOrEqual(size(right))
    },
  )

  test('finds what looking at every sketch finds, but for few', () => {
    let missed = 0
    let all = 0
    for (let asked = 0; asked < sets.length; asked += 10) {
      const { sketch, size } = sketches[asked] as SizedSketch
      const found = new Set(
        index.containing({ sketch, size, threshold: 0.7, margin: 0 }).map(({ entry }) => entry),
      )
      for (const [entry, other] of sketches.entries()) {
        const equal = sketch.words.filter((word, order) => word === other.sketch.words[order]).length
        const jaccard = equal / sketch.words.length
        const held = (jaccard * (size + other.size)) / ((1 + jaccard) * size)
        if (held < 0.7) expect(found.has(entry)).toBe(false)
        else if (other.size >= 0.7 * size) {
          all++
          if (!found.has(entry)) missed++
        }
      }
    }
    expect(all).toBeGreaterThan(100)
    expect(missed / all).toBeLessThan(0.02)
  })

  test('finds a set in one that is a hundred times as large, where bands would miss it', () => {
    const large = Array.from({ length: 20_000 }, (_, item) => `large ${item}`)
    const own = containmentIndex({
      sketches: [...sketches, { sketch: sketchOf(large, 256), size: large.length }],
    })
    const asked = large.slice(0, 200)
    const [first] = own.containing({ sketch: sketchOf(asked), size: 200, threshold: 0.9 })
    expect(first?.entry).toBe(sketches.length)
    // The price of the difference in size is told.
    expect(first?.standardError).toBeGreaterThan(0.3)
  })

  test('tells estimates whose error is what it says', () => {
    const errors: number[] = []
    for (let asked = 0; asked < sets.length; asked += 3) {
      for (const one of index.containing({ ...(sketches[asked] as SizedSketch), threshold: 0.3 })) {
        if (one.entry === asked) continue
        const exact = inBoth(asked, one.entry) / size(asked)
        if (exact > 0.35) errors.push((one.containment - exact) / one.standardError)
      }
    }
    expect(errors.length).toBeGreaterThan(200)
    const spread = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length)
    expect(spread).toBeGreaterThan(0.6)
    expect(spread).toBeLessThan(1.3)
  })

  test('answers in the order of what is held, the set itself first', () => {
    const asked = sketches[17] as SizedSketch
    const answer = index.containing({ ...asked, threshold: 0.2 })
    expect(answer[0]).toMatchObject({ containment: 1 })
    expect(answer.some(({ entry }) => entry === 17)).toBe(true)
    for (const [place, one] of answer.slice(1).entries())
      expect(one.containment).toBeLessThanOrEqual(answer[place]?.containment ?? 0)
    expect(index.containing({ ...asked, threshold: 0.2 })).toEqual(answer)
  })

  test('does not depend on how many parts it has', () => {
    const few = containmentIndex({ sketches: sketches.slice(0, 300), partitions: 1 })
    const many = containmentIndex({ sketches: sketches.slice(0, 300), partitions: 256 })
    let both = 0
    let one = 0
    for (const asked of sketches.slice(0, 300)) {
      const left = new Set(few.containing({ ...asked, threshold: 0.9 }).map(({ entry }) => entry))
      for (const { entry } of many.containing({ ...asked, threshold: 0.9 })) left.has(entry) ? both++ : one++
    }
    expect(both).toBeGreaterThan(300)
    expect(one / both).toBeLessThan(0.03)
    const pairs = (of: ContainmentIndex) =>
      [...of.similarPairs({ threshold: 0.5 })].map(({ left, right }) => `${left} ${right}`).sort()
    expect(pairs(few)).toEqual(pairs(many))
  })
})

describe('containment index, borders', () => {
  const set = (from: number, to: number, orders = 64): SizedSketch => ({
    sketch: sketchOf(
      Array.from({ length: to - from }, (_, item) => `${from + item}`),
      orders,
    ),
    size: to - from,
  })

  test('of nothing answers nothing', () => {
    const index = containmentIndex({ sketches: [] })
    expect(index.size).toBe(0)
    expect(index.containing({ ...set(0, 3), threshold: 0.5 })).toEqual([])
    expect([...index.similarPairs({ threshold: 0.1 })]).toEqual([])
  })

  test('empty sets hold nothing, are in nothing and are like nothing', () => {
    const index = containmentIndex({ sketches: [set(0, 0), set(0, 0), set(0, 30), set(0, 30)] })
    expect(index.containing({ ...set(0, 0), threshold: 0.5 })).toEqual([])
    expect(index.containing({ ...set(0, 30), threshold: 0.5 }).map(({ entry }) => entry)).toEqual([2, 3])
    expect([...index.similarPairs({ threshold: 0.9 })]).toMatchObject([{ left: 2, right: 3, similarity: 1 }])
  })

  test('many equal sets give each pair once, and a reader may stop', () => {
    const index = containmentIndex({ sketches: Array.from({ length: 40 }, () => set(0, 50)), partitions: 7 })
    const names = [...index.similarPairs({ threshold: 1 })].map(({ left, right }) =>
      [left, right].sort((one, two) => one - two).join(' '),
    )
    expect(new Set(names).size).toBe((40 * 39) / 2)
    expect(names).toHaveLength((40 * 39) / 2)
    for (const pair of index.similarPairs({ threshold: 1 })) {
      expect(pair.similarity).toBe(1)
      break
    }
  })

  const sketches = [set(0, 30), set(10, 40)]
  test.each<[string, () => unknown]>([
    ['partitions', () => containmentIndex({ sketches, partitions: 0 })],
    ['partitions', () => containmentIndex({ sketches, partitions: 257 })],
    ['partitions', () => containmentIndex({ sketches, partitions: 1.5 })],
    ['sketches[1].sketch', () => containmentIndex({ sketches: [set(0, 9), set(0, 9, 128)] })],
    ['sketches[0].size', () => containmentIndex({ sketches: [{ ...set(0, 9), size: -1 }] })],
    ['sketches[0].size', () => containmentIndex({ sketches: [{ ...set(0, 9), size: Number.NaN }] })],
    [
      'sketches[0].sketch',
      () =>
        containmentIndex({
          sketches: [{ sketch: { kind: 'min-hash', words: new Uint32Array(8) } as MinHash, size: 1 }],
        }),
    ],
    ['sketch.sketch', () => containmentIndex({ sketches }).containing({ ...set(0, 9, 128), threshold: 0.5 })],
    ['threshold', () => containmentIndex({ sketches }).containing({ ...set(0, 9), threshold: 0 })],
    ['threshold', () => containmentIndex({ sketches }).containing({ ...set(0, 9), threshold: 1.1 })],
    ['threshold', () => containmentIndex({ sketches }).containing({ ...set(0, 9), threshold: Number.NaN })],
    ['margin', () => containmentIndex({ sketches }).containing({ ...set(0, 9), threshold: 1, margin: -1 })],
    ['margin', () => containmentIndex({ sketches }).similarPairs({ threshold: 1, margin: 11 })],
    ['threshold', () => containmentIndex({ sketches }).similarPairs({ threshold: 0 })],
    ['threshold', () => containmentIndex({ sketches }).similarPairs({ threshold: 0.2 })],
  ])('refuses a wrong %s by its place', (place, run) => {
    expect(run).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID', place }))
  })

  test('a prefix is the longest that finds 0.99 of sets at the similarity, and none where bands cannot', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        fc.integer({ min: 2, max: 64 }),
        (similarity, bands) => {
          const found = (prefix: number) => 1 - (1 - similarity ** prefix) ** bands
          const prefix = prefixFor(similarity, bands)
          if (prefix > 0) expect(found(prefix)).toBeGreaterThanOrEqual(0.99)
          if (prefix < 8) expect(found(prefix + 1)).toBeLessThan(0.99)
        },
      ),
    )
  })

  test('the least similarity is that of sets which share just that much', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 500 }),
        fc.nat(500),
        (size, other, common) => {
          fc.pre(common > 0 && common <= size && common <= other)
          expect(leastSimilarity(common / size, size, other)).toBeCloseTo(
            common / (size + other - common),
            12,
          )
        },
      ),
    )
  })
})
