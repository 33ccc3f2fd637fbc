import type { JobManifest } from '@sealpool/compute'
import { type PoolPolicy, parsePoolPolicy, type ViewLimits } from '@sealpool/privacy'
import { expect, it } from 'vitest'
import { addressOfDigit, servedPoolFixture } from '../testing/served-pool-fixture.js'
import { requireViewColumns, requireViews } from './admit-views.js'
import { narrowPolicy, policyRestrictionSchema } from './restriction.js'

type Views = NonNullable<JobManifest['views']>
type View = Views['consumer']
const { policy } = servedPoolFixture()
const ann = addressOfDigit('1')
const resultKey = { kem: 'x25519', publicKey: 'A'.repeat(43) } as const
const under = (views?: ViewLimits): { policy: PoolPolicy } => ({
  policy: parsePoolPolicy({ ...policy, ...(views === undefined ? {} : { views }) }),
})
const views = (consumer: View, other?: View): { views: Views } => ({
  views: { consumer, others: other === undefined ? [] : [{ address: ann, resultKey, view: other }] },
})
const columns: View = { kind: 'columns', columns: ['n'] }
const [whole, count, receipt] = [{ kind: 'whole' }, { kind: 'count' }, { kind: 'receipt' }] as const

it.each<[string, ViewLimits | undefined, Pick<JobManifest, 'views'>]>([
  ['a manifest without views', undefined, {}],
  ['a view of the consumer', undefined, views(columns)],
  ['somebody who gets the receipt', undefined, views(whole, receipt)],
  ['somebody who gets a count', { others: 'count' }, views(whole, count)],
  ['somebody who gets columns', { others: 'whole' }, views(whole, columns)],
  [
    'somebody by name',
    { named: [{ address: ann, publicKey: resultKey.publicKey, most: 'whole' }] },
    views(whole, whole),
  ],
  ['a consumer who gets less', { consumer: 'count' }, views(count, receipt)],
])('allows %s', (_, limits, manifest) => {
  expect(() => requireViews([under(limits)], manifest)).not.toThrow()
  expect(() => requireViews([under({ others: 'whole' }), under(limits)], manifest)).not.toThrow()
})

it.each<[string, ViewLimits | undefined, Pick<JobManifest, 'views'>]>([
  ['anybody else a count, where the policy says nothing', undefined, views(whole, count)],
  ['columns, where a count is allowed', { others: 'count' }, views(whole, columns)],
  ['the whole, where a count is allowed', { others: 'count' }, views(whole, whole)],
  [
    'by name what is sealed to another key',
    { named: [{ address: ann, publicKey: 'B'.repeat(43), most: 'whole' }] },
    views(whole, count),
  ],
  ['others what the consumer may not have', { others: 'whole', consumer: 'count' }, views(count, columns)],
  ['the consumer the whole in a manifest without views', { consumer: 'count' }, {}],
  ['the consumer columns, where it may count', { consumer: 'count' }, views(columns)],
])('does not allow %s, whichever pool it is of', (_, limits, manifest) => {
  const refused = expect.objectContaining({ code: 'VIEW_NOT_ALLOWED', charged: false })
  for (const pools of [[under(limits)], [under({ others: 'whole' }), under(limits)]]) {
    expect(() => requireViews(pools, manifest)).toThrow(refused)
  }
})

it('does not allow what a restriction has taken away, and no restriction gives anything', () => {
  const restriction = (limits: object) =>
    policyRestrictionSchema.parse({
      format: 'sealpool/policy-restriction',
      version: 1,
      reason: 'x',
      views: limits,
    })
  const narrowed = (limits: ViewLimits | undefined, by: object) => {
    const left = narrowPolicy(under(limits).policy, restriction(by))
    if (left === null) throw new Error('something is left')
    return [{ policy: left }]
  }
  expect(() => requireViews(narrowed({ others: 'whole' }, {}), views(whole, whole))).not.toThrow()
  expect(() =>
    requireViews(narrowed({ others: 'whole' }, { others: 'count' }), views(whole, count)),
  ).not.toThrow()
  for (const [limits, by] of [
    [{ others: 'whole' }, { others: 'count' }],
    [{ others: 'whole' }, { consumer: 'count' }],
    [{ named: [{ address: ann, publicKey: resultKey.publicKey, most: 'whole' }] }, { named: 'count' }],
    [undefined, { others: 'whole' }],
    [{ others: 'count' }, { others: 'whole', named: 'whole' }],
  ] as const) {
    const pools = narrowed(limits as ViewLimits | undefined, by)
    expect(() => requireViews(pools, views(whole, whole))).toThrow(
      expect.objectContaining({ code: 'VIEW_NOT_ALLOWED' }),
    )
  }
  expect(() => restriction({ others: 'rows' })).toThrow()
})

it('takes columns that the answer has exactly once', () => {
  const asked = views(whole, columns)
  expect(() => requireViewColumns(['sector', 'n'], asked)).not.toThrow()
  expect(() => requireViewColumns([], views(whole, count))).not.toThrow()
  for (const names of [['sector'], ['n', 'n'], [], ['N']]) {
    expect(() => requireViewColumns(names, asked)).toThrow(
      expect.objectContaining({ code: 'VIEW_COLUMN_UNKNOWN', charged: false }),
    )
  }
})
