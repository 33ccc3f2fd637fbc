import { encodeBase64Url } from '@sealpool/crypto'
import { expect, test } from 'vitest'
import { jobManifest, type QueryRequest } from './job-request.js'

const key = (fill: number) => new Uint8Array(32).fill(fill)
const [consumer, partner, witness] = ['1', '2', '3'].map((digit) => `0x${digit.repeat(40)}` as const) as [
  `0x${string}`,
  `0x${string}`,
  `0x${string}`,
]
const request: QueryRequest = {
  title: 'Mean wage',
  purpose: 'research',
  sql: 'SELECT avg(wage) AS mean FROM pay.workers',
  privacy: { epsilon: 1 },
  resultPublicKey: key(1),
}
const written = (views?: QueryRequest['views']) =>
  jobManifest(
    { ...request, ...(views === undefined ? {} : { views }) },
    {
      consumer,
      pools: [{ address: `0x${'Aa'.repeat(20)}`, name: 'pay' }],
      random: (length) => key(9).slice(0, length),
    },
  )

test('a manifest says who gets which view, as the node reads it', () => {
  const { views } = written({
    consumer: { kind: 'whole' },
    others: [
      {
        address: `0x${'Ab'.repeat(20)}`,
        view: { kind: 'columns', columns: ['mean'] },
        resultPublicKey: key(2),
      },
      { address: witness, view: { kind: 'receipt' } },
    ],
  })
  expect(views).toEqual({
    consumer: { kind: 'whole' },
    others: [
      {
        address: `0x${'ab'.repeat(20)}`,
        resultKey: { kem: 'x25519', publicKey: encodeBase64Url(key(2)) },
        view: { kind: 'columns', columns: ['mean'] },
      },
      { address: witness, resultKey: null, view: { kind: 'receipt' } },
    ],
  })
  expect(written()).not.toHaveProperty('views')
})

test.each<[string, NonNullable<QueryRequest['views']>['others'][number]]>([
  ['a view without a key', { address: partner, view: { kind: 'count' } }],
  ['a key for a receipt', { address: partner, view: { kind: 'receipt' }, resultPublicKey: key(2) }],
  ['a short key', { address: partner, view: { kind: 'count' }, resultPublicKey: key(2).slice(1) }],
])('%s is refused', (_, other) => {
  expect(() => written({ consumer: { kind: 'whole' }, others: [other] })).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', place: 'views.others' }),
  )
})

const over = (change: Partial<QueryRequest>) => () =>
  jobManifest(
    { ...request, ...change },
    { consumer, pools: [{ address: partner, name: 'pay' }], random: () => key(9) },
  )

test.each<[string, Partial<QueryRequest>]>([
  ['title', { title: '' }],
  ['title', { title: 'Mean\nwage' }],
  ['title', { title: 'x'.repeat(201) }],
  ['privacy.epsilon', { privacy: { epsilon: 100.5 } }],
  ['privacy.epsilon', { privacy: { epsilon: Number.NaN } }],
  ['privacy.delta', { privacy: { epsilon: 1, delta: 0.01 } }],
  ['privacy.delta', { privacy: { epsilon: 1, delta: -1 } }],
])('%s that no node would take is refused here, by its name', (place, change) => {
  expect(over(change)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', place }))
})

test('the largest budget that a node reads is taken', () => {
  expect(over({ title: 'x'.repeat(200), privacy: { epsilon: 100, delta: 0.001 } })().privacy).toEqual({
    epsilon: 100,
    delta: 0.001,
  })
})
