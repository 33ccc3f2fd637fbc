import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AccessCondition, AccessLeaf } from './access-condition.js'
import { type AccessVerdict, judge, leavesOf, unmetLeaves } from './access-verdict.js'

/** Leaves whose verdict stands in them: what is asked for at this time. */
const times = { yes: 1, no: 2, unknown: 3 } as const
const leaf = (verdict: AccessVerdict): AccessCondition => ({ time: { from: times[verdict] } })
const verdictOf = (one: AccessLeaf): AccessVerdict => {
  const from = 'time' in one ? one.time.from : undefined
  return from === 1 ? 'yes' : from === 2 ? 'no' : 'unknown'
}
const judged = (condition: AccessCondition) => judge(condition, verdictOf)
const verdicts = ['yes', 'no', 'unknown'] as const

describe('the truth table', () => {
  test.each<[AccessVerdict, AccessVerdict, AccessVerdict, AccessVerdict]>([
    ['yes', 'yes', 'yes', 'yes'],
    ['yes', 'no', 'no', 'yes'],
    ['yes', 'unknown', 'unknown', 'yes'],
    ['no', 'yes', 'no', 'yes'],
    ['no', 'no', 'no', 'no'],
    ['no', 'unknown', 'no', 'unknown'],
    ['unknown', 'yes', 'unknown', 'yes'],
    ['unknown', 'no', 'no', 'unknown'],
    ['unknown', 'unknown', 'unknown', 'unknown'],
  ])('%s with %s: all is %s, any is %s', (one, other, all, any) => {
    expect(judged({ all: [leaf(one), leaf(other)] })).toBe(all)
    expect(judged({ any: [leaf(one), leaf(other)] })).toBe(any)
  })

  test.each<[AccessVerdict, AccessVerdict]>([
    ['yes', 'no'],
    ['no', 'yes'],
    ['unknown', 'unknown'],
  ])('not %s is %s', (one, other) => {
    expect(judged({ not: leaf(one) })).toBe(other)
    expect(judged({ not: { not: leaf(one) } })).toBe(one)
  })
})

const conditions = fc.letrec<{ condition: AccessCondition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(...verdicts).map(leaf),
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
    tie('condition').map((not) => ({ not })),
  ),
})).condition

/** The same, with every unknown leaf settled by a list of coins: what it could turn out to be. */
function settled(condition: AccessCondition, coins: () => boolean): boolean {
  if ('all' in condition) return condition.all.map((one) => settled(one, coins)).every(Boolean)
  if ('any' in condition) return condition.any.map((one) => settled(one, coins)).some(Boolean)
  if ('not' in condition) return !settled(condition.not, coins)
  const verdict = verdictOf(condition)
  return verdict === 'unknown' ? coins() : verdict === 'yes'
}

describe('a condition', () => {
  test('is met only when it is met whatever the unknown leaves are', () => {
    fc.assert(
      fc.property(conditions, fc.infiniteStream(fc.boolean()), (condition, coins) => {
        const verdict = judged(condition)
        const possible = settled(condition, () => coins.next().value as boolean)
        if (verdict !== 'unknown') expect(possible).toBe(verdict === 'yes')
      }),
    )
  })

  test('follows De Morgan', () => {
    fc.assert(
      fc.property(fc.array(conditions, { minLength: 1, maxLength: 4 }), (parts) => {
        const denied = parts.map((one) => ({ not: one }))
        expect(judged({ not: { all: parts } })).toBe(judged({ any: denied }))
        expect(judged({ not: { any: parts } })).toBe(judged({ all: denied }))
      }),
    )
  })

  test('names leaves that keep it from being met when it is not, and none when it is', () => {
    fc.assert(
      fc.property(conditions, (condition) => {
        const parsed = JSON.parse(JSON.stringify(condition)) as AccessCondition // each leaf an object of its own
        const unmet = unmetLeaves(parsed, verdictOf)
        expect(unmet.length === 0).toBe(judged(parsed) === 'yes')
        const places = leavesOf(parsed).map(({ place }) => place)
        for (const { place, verdict, wanted } of unmet) {
          expect(places).toContain(place)
          expect(verdict).not.toBe(wanted)
        }
        // Whoever gets all that is named is let in.
        const named = new Map(unmet.map(({ place, wanted }) => [place, wanted]))
        const mended = new Map(
          leavesOf(parsed).map(({ place, leaf: one }) => [one, named.get(place) ?? verdictOf(one)]),
        )
        expect(judge(parsed, (one) => mended.get(one) ?? 'unknown')).toBe('yes')
      }),
    )
  })

  test('says where each leaf stands', () => {
    const condition: AccessCondition = { all: [leaf('yes'), { any: [leaf('no'), { not: leaf('yes') }] }] }
    expect(leavesOf(condition).map(({ place }) => place)).toEqual([
      'all[0].time',
      'all[1].any[0].time',
      'all[1].any[1].not.time',
    ])
    expect(unmetLeaves(condition, verdictOf)).toEqual([
      { place: 'all[1].any[0].time', verdict: 'no', wanted: 'yes' },
      { place: 'all[1].any[1].not.time', verdict: 'yes', wanted: 'no' },
    ])
    expect(leavesOf(leaf('yes')).map(({ place }) => place)).toEqual(['time'])
  })
})
