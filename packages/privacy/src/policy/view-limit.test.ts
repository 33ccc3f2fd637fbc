import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isViewWithin, mostOfView, narrowViewLimits, viewExtents, viewLimitsSchema } from './view-limit.js'

const ann = `0x${'a1'.repeat(20)}` as const
const ben = `0x${'b2'.repeat(20)}` as const

describe('limits of views', () => {
  it('let the consumer have all and others the receipt where nothing is said', () => {
    for (const limits of [undefined, {}]) {
      expect(mostOfView(limits, 'consumer')).toBe('whole')
      expect(mostOfView(limits, ann)).toBe('receipt')
    }
  })

  it('name recipients before they speak of others, and of the consumer apart', () => {
    const limits = {
      consumer: 'count',
      others: 'count',
      named: [{ address: ann, most: 'receipt' as const }],
    } as const
    expect(mostOfView({ ...limits, named: [...limits.named] }, ann)).toBe('receipt')
    expect(mostOfView({ ...limits, named: [...limits.named] }, ben)).toBe('count')
    expect(mostOfView({ ...limits, named: [...limits.named] }, 'consumer')).toBe('count')
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
    ['an address in mixed case', { named: [{ address: `0x${'Ab'.repeat(20)}`, most: 'whole' }] }],
    [
      'an address twice',
      {
        named: [
          { address: ann, most: 'whole' },
          { address: ann, most: 'count' },
        ],
      },
    ],
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
        named: fc.uniqueArray(fc.record({ address: fc.constantFrom(ann, ben), most: extent }), {
          selector: ({ address }) => address,
        }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(limits, limits, limits, (policy, first, second) => {
        const narrowed = narrowViewLimits(policy, first)
        for (const who of ['consumer', ann, ben, `0x${'c3'.repeat(20)}`]) {
          const before = mostOfView(policy, who)
          const after = mostOfView(narrowed, who)
          const said =
            who === 'consumer'
              ? first.consumer
              : (first.named?.find((one) => one.address === who)?.most ?? first.others)
          expect(isViewWithin(after, before)).toBe(true)
          expect(after).toBe(said !== undefined && isViewWithin(said, before) ? said : before)
          expect(mostOfView(narrowViewLimits(narrowed, second), who)).toBe(
            mostOfView(narrowViewLimits(narrowViewLimits(policy, second), first), who),
          )
        }
        expect(viewLimitsSchema.safeParse(narrowed).success).toBe(true)
      }),
    )
  })
})
