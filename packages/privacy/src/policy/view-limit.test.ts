import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isViewWithin,
  mostOfView,
  narrowViewLimits,
  type ViewLimits,
  viewCapsSchema,
  viewExtents,
  viewLimitsSchema,
} from './view-limit.js'

const [annKey, benKey] = ['A'.repeat(43), 'B'.repeat(43)] as const
const ann = { address: `0x${'a1'.repeat(20)}`, publicKey: annKey } as const
const ben = { address: `0x${'b2'.repeat(20)}`, publicKey: benKey } as const
const stranger = { address: `0x${'c3'.repeat(20)}`, publicKey: 'C'.repeat(43) } as const

describe('limits of views', () => {
  it('let the consumer have all and others the receipt where nothing is said', () => {
    for (const limits of [undefined, {}]) {
      expect(mostOfView(limits, 'consumer')).toBe('whole')
      expect(mostOfView(limits, ann)).toBe('receipt')
    }
  })

  it('give a name more than others, by address and key together', () => {
    const limits: ViewLimits = { others: 'count', named: [{ ...ann, most: 'whole' }] }
    expect(mostOfView(limits, ann)).toBe('whole')
    expect(mostOfView(limits, ben)).toBe('count')
    // Whoever writes a manifest can put his own key beside somebody's address, or another address beside a key.
    expect(mostOfView(limits, { ...ann, publicKey: benKey })).toBe('count')
    expect(mostOfView(limits, { ...ann, publicKey: null })).toBe('count')
    expect(mostOfView(limits, { ...ben, publicKey: annKey })).toBe('count')
  })

  it('let nobody have by another address what the consumer may not have', () => {
    const limits: ViewLimits = { consumer: 'count', others: 'whole' }
    expect(mostOfView(limits, ann)).toBe('count')
    expect(mostOfView({ ...limits, named: [{ ...ben, most: 'whole' }] }, ben)).toBe('whole')
  })

  it.each([
    ['receipt', ['receipt', 'count', 'whole']],
    ['count', ['count', 'whole']],
    ['columns', ['whole']],
    ['whole', ['whole']],
    ['rows', []],
    ['', []],
  ])('a view of %s is within %j', (kind, expected) => {
    expect(viewExtents.filter((most) => isViewWithin(kind, most))).toEqual(expected)
  })

  it.each([
    ['an unknown extent', { others: 'rows' }],
    ['a column', { others: { columns: ['a'] } }],
    ['an address in mixed case', { named: [{ ...ann, address: `0x${'Ab'.repeat(20)}`, most: 'whole' }] }],
    ['a name without a key', { named: [{ address: ann.address, most: 'whole' }] }],
    ['a short key', { named: [{ ...ann, publicKey: 'AAAA', most: 'whole' }] }],
    [
      'an address twice',
      {
        named: [
          { ...ann, most: 'whole' },
          { ...ann, publicKey: benKey, most: 'count' },
        ],
      },
    ],
    ['a name that gives what others get', { others: 'count', named: [{ ...ann, most: 'count' }] }],
    ['a name that gives nothing', { named: [{ ...ann, most: 'receipt' }] }],
    ['an unknown field', { everybody: 'whole' }],
    ['null for nothing', { consumer: null }],
  ])('are refused with %s', (_, limits) => {
    expect(viewLimitsSchema.safeParse(limits).success).toBe(false)
  })

  it('are narrowed and never widened, for anybody, in any order', () => {
    const extent = fc.constantFrom(...viewExtents)
    const limits = fc.record(
      {
        consumer: extent,
        others: extent,
        named: fc.constantFrom<NonNullable<ViewLimits['named']>>([], [{ ...ann, most: 'whole' }]),
      },
      { requiredKeys: [] },
    )
    const caps = fc.record({ consumer: extent, others: extent, named: extent }, { requiredKeys: [] })
    fc.assert(
      fc.property(limits, caps, caps, (policy, first, second) => {
        expect(viewCapsSchema.safeParse(first).success).toBe(true)
        const narrowed = narrowViewLimits(policy, first)
        const other = narrowViewLimits(narrowViewLimits(policy, second), first)
        for (const who of ['consumer', ann, ben, stranger] as const) {
          const after = mostOfView(narrowed, who)
          expect(isViewWithin(after, mostOfView(policy, who))).toBe(true)
          const named = who === ann && (policy.named?.length ?? 0) > 0
          const cap = who === 'consumer' ? first.consumer : named ? first.named : first.others
          expect(isViewWithin(after, cap ?? 'whole')).toBe(true)
          expect(mostOfView(narrowViewLimits(narrowed, second), who)).toBe(mostOfView(other, who))
        }
        const nothing = narrowViewLimits(policy, {})
        for (const who of ['consumer', ann, ben] as const)
          expect(mostOfView(nothing, who)).toBe(mostOfView(policy, who))
      }),
    )
  })
})
