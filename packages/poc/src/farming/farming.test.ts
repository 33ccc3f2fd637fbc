import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentSketch } from '../uniqueness/content-sketch.js'
import { createNearDuplicateIndex } from '../uniqueness/near-duplicate-index.js'
import { DEFAULT_FARMING_RULE, marginalValue } from './marginal-value.js'
import { selectForAudit } from './select-audit.js'

const key = new Uint8Array(32).fill(3)
const rows = (seed: number, from: number, to: number): string[] =>
  Array.from(
    { length: to - from },
    (_, index) => `${seed}-${from + index},${Math.imul(seed * 977 + from + index, 2654435761) >>> 10},x`,
  )

/** Plays contributions through index and rule as a pool would; a SIMULATION, with made-up rows. */
function play(files: readonly (readonly string[])[], identityOf: (index: number) => string): number {
  const index = createNearDuplicateIndex()
  const clusters: string[] = []
  const given = new Map<string, number>()
  const paid = new Map<string, { readonly count: number; readonly earned: number }>()
  let earned = 0
  files.forEach((file, number) => {
    const bytes = new TextEncoder().encode(['id,steps,place', ...file].join('\n'))
    const sketch = contentSketch({ key, mediaType: 'text/csv', bytes })
    const nearest = index.nearest(sketch)
    const like = nearest !== undefined && nearest.contained > 0.3 ? nearest : undefined
    const cluster = like === undefined ? `c${number}` : (clusters[like.entry] ?? '')
    clusters.push(cluster)
    index.add(sketch)
    const identity = identityOf(number)
    const { value, after } = marginalValue({
      rule: DEFAULT_FARMING_RULE,
      before: {
        ofIdentity: given.get(identity) ?? 0,
        ofCluster: paid.get(cluster) ?? { count: 0, earned: 0 },
      },
      novelty: 1 - (like?.contained ?? 0),
      score: 1,
    })
    given.set(identity, after.ofIdentity)
    paid.set(cluster, after.ofCluster)
    earned += value
  })
  return earned
}

describe('a simulated farm of 100 near copies earns less than 1.2 times one', () => {
  const one = play([rows(1, 0, 200)], () => 'a')
  const copies = (changed: number) =>
    Array.from({ length: 100 }, (_, copy) => [...rows(1, 0, 200 - changed), ...rows(copy + 2, 0, changed)])
  test.each([2, 10, 20, 40])('from one wallet and from a hundred, with %s of 200 rows changed', (changed) => {
    expect(one).toBe(1)
    for (const identity of [() => 'a', (index: number) => `sybil-${index}`]) {
      const earned = play([rows(1, 0, 200), ...copies(changed).slice(1)], identity)
      expect(earned).toBeGreaterThanOrEqual(1)
      expect(earned).toBeLessThan(1.2)
    }
  })
  test('and a chain of copies, each of the one before, as well', () => {
    const chain = Array.from({ length: 100 }, (_, step) => rows(1, step * 10, step * 10 + 200))
    expect(play(chain, (index) => `sybil-${index}`)).toBeLessThan(1.2)
  })
  test('a hundred honest contributors earn in full', () => {
    const honest = Array.from({ length: 100 }, (_, person) => rows(person + 1, 0, 200))
    expect(play(honest, (index) => `person-${index}`)).toBeGreaterThan(99)
  })
})

describe('the rule', () => {
  const none = { ofIdentity: 0, ofCluster: { count: 0, earned: 0 } }
  const value = (own: object, before: object = {}, rule = {}) =>
    marginalValue({
      rule: { ...DEFAULT_FARMING_RULE, ...rule },
      before: { ...none, ...before },
      novelty: 1,
      score: 1,
      ...own,
    })
  const one = { count: 1, earned: 1 }
  test('says why', () => {
    expect(value({})).toEqual({ value: 1, reason: 'FULL', after: { ofIdentity: 1, ofCluster: one } })
    expect(value({ novelty: 0.3 })).toMatchObject({ value: 0, reason: 'NOT_NEW' })
    expect(value({}, { ofIdentity: 1 })).toMatchObject({ value: 0.8, reason: 'DECAYED' })
    expect(value({}, { ofCluster: one })).toMatchObject({ value: 0.5, reason: 'DECAYED' })
    expect(value({}, { ofIdentity: 1 }, { identityCap: 1 })).toMatchObject({
      value: 0,
      reason: 'IDENTITY_CAP',
    })
    expect(value({}, { ofCluster: one }, { clusterCap: 1.25 })).toMatchObject({
      value: 0.25,
      reason: 'CLUSTER_CAP',
    })
    expect(value({}, { ofCluster: { count: 1, earned: 9 } })).toMatchObject({
      value: 0,
      reason: 'CLUSTER_CAP',
    })
  })
  test('pays a small contribution its share of a typical one, of which 0.85 is whole', () => {
    const size = (items: number) => ({ size: { items, typical: 100 } })
    expect(value(size(100))).toMatchObject({ value: 1, reason: 'FULL' })
    expect(value(size(85))).toMatchObject({ value: 1, reason: 'FULL' })
    expect(value(size(17))).toMatchObject({ value: 0.2, reason: 'SMALL' })
    expect(value(size(0))).toMatchObject({ value: 0, reason: 'SMALL' })
    expect(value(size(17), {}, { fullFrom: 0.34 })).toMatchObject({ value: 0.5, reason: 'SMALL' })
    expect(value(size(1), {}, { fullFrom: 0 })).toMatchObject({ value: 1, reason: 'FULL' })
  })
  test('and no less where its score says as much', () => {
    expect(value({ score: 0.2, size: { items: 17, typical: 100 } })).toMatchObject({
      value: 0.2,
      reason: 'FULL',
    })
    expect(value({ score: 0.1, size: { items: 17, typical: 100 } })).toMatchObject({
      value: 0.1,
      reason: 'FULL',
    })
  })
  test('more items never earn less', () => {
    const items = fc.integer({ min: 0, max: 200 })
    fc.assert(
      fc.property(items, items, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, score) => {
        const earned = (count: number) => value({ score, size: { items: count, typical: 100 } }).value
        expect(earned(Math.max(a, b))).toBeGreaterThanOrEqual(earned(Math.min(a, b)))
      }),
    )
  })
  test('more novelty or score never earns less', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(share, share, share, share, (a, b, c, d) => {
        const low = value({ novelty: Math.min(a, b), score: Math.min(c, d) }).value
        expect(value({ novelty: Math.max(a, b), score: Math.max(c, d) }).value).toBeGreaterThanOrEqual(low)
      }),
    )
  })
  test.each<[object, object, string]>([
    [{ novelty: 1.1 }, {}, 'novelty'],
    [{ score: Number.NaN }, {}, 'score'],
    [{ before: { ...none, ofIdentity: -1 } }, {}, 'before'],
    [{ before: { ...none, ofCluster: { count: 0.5, earned: 0 } } }, {}, 'before'],
    [{ before: { ...none, ofCluster: { count: 0, earned: Number.NaN } } }, {}, 'before'],
    [{}, { noveltyFloor: 1 }, 'rule.noveltyFloor'],
    [{}, { clusterDecay: 2 }, 'rule.clusterDecay'],
    [{}, { identityDecay: -1 }, 'rule.identityDecay'],
    [{}, { identityCap: 0 }, 'rule.identityCap'],
    [{}, { clusterCap: 0 }, 'rule.clusterCap'],
    [{}, { fullFrom: 2 }, 'rule.fullFrom'],
    [{ size: { items: -1, typical: 5 } }, {}, 'size.items'],
    [{ size: { items: 1.5, typical: 5 } }, {}, 'size.items'],
    [{ size: { items: 1, typical: 0 } }, {}, 'size.typical'],
    [{ size: { items: 1, typical: Number.NaN } }, {}, 'size.typical'],
  ])('%j under %j is refused', (own, rule, place) => {
    expect(() => value(own, {}, rule)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', place }))
  })
})

describe('audits', () => {
  const beacon = new Uint8Array(32).fill(9)
  const share = (own: object): number => {
    let count = 0
    for (let id = 0; id < 4000; id++)
      count += selectForAudit({ beacon, contribution: String(id), rate: 0.1, ...own }) ? 1 : 0
    return count / 4000
  }
  test('fall on the share that was asked for, more often on the suspicious, and anew with each beacon', () => {
    expect(share({})).toBeGreaterThan(0.08)
    expect(share({})).toBeLessThan(0.12)
    expect(share({ suspicion: 0.5 })).toBeGreaterThan(0.5)
    expect(share({ rate: 0 })).toBe(0)
    expect(share({ rate: 1 })).toBe(1)
    const choice = (own: object) =>
      Array.from({ length: 100 }, (_, id) =>
        selectForAudit({ beacon, contribution: String(id), rate: 0.5, ...own }),
      )
    expect(choice({})).toEqual(choice({}))
    expect(choice({ beacon: new Uint8Array(32).fill(8) })).not.toEqual(choice({}))
  })
  test.each([{ rate: 2 }, { suspicion: -1 }, { beacon: new Uint8Array(31) }])('%j is refused', (own) => {
    expect(() => share(own)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})
