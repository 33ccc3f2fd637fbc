import { digestOf } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { bundle } from '../testing/fixture.js'
import { verifyReceipt } from '../with-platform.js'
import { compareReceipts } from './compare.js'
import type { DestroyedKey, ReceiptBody } from './receipt.js'

const one = digestOf('a key')
const other = digestOf('another key')
const sealed = (body: ReceiptBody) => body.result?.sealed ?? one
/** The check on a receipt whose keys are these, and that of the result's one copy. */
const answer = (
  keys: readonly DestroyedKey[],
  change: (body: ReceiptBody) => ReceiptBody = (body) => body,
) => {
  const { checks } = verifyReceipt(
    bundle((body) =>
      change({ ...body, destroyedKeys: [...keys, { use: 'result' as const, id: sealed(body) }] }),
    ),
  )
  return checks.find(({ id }) => id === 'keys')
}
const refused = (body: ReceiptBody): ReceiptBody => ({
  ...body,
  outcome: 'refused',
  refusal: { code: 'BUDGET_EXHAUSTED', message: 'no' },
  result: null,
  destroyedKeys: body.destroyedKeys?.filter(({ use }) => use !== 'result') ?? [],
})
const handOff = { node: `0x${'ab'.repeat(20)}`, keySet: one, work: other } as const
const live = (body: ReceiptBody): ReceiptBody => ({
  ...body,
  pools: body.pools.map((pool, index) => (index === 0 ? { ...pool, live: { leftOut: 1 } } : pool)),
})

describe('what a receipt says of the job’s own keys', () => {
  it('is told with every id, as the node’s word', () => {
    const found = answer([{ use: 'hand-off', id: one }], (body) => ({ ...body, handOff }))
    expect(found).toMatchObject({ result: 'pass' })
    expect(found?.detail).toMatch(
      new RegExp(`^The node says that it destroyed 1 of .* \\(${one}\\); 1 of sealed`),
    )
    expect(found?.detail).toMatch(/That is its word\.$/)
    expect(answer([], refused)).toMatchObject({ result: 'pass', detail: 'The node says that it made none.' })
  })

  it('is nothing in a receipt of an earlier release, which is as good as it was', () => {
    const verdict = verifyReceipt(bundle())
    expect(verdict.ok).toBe(true)
    expect(verdict.checks.find(({ id }) => id === 'keys')).toMatchObject({
      result: 'pass',
      detail: expect.stringMatching(/^It says nothing of them/),
    })
  })

  it.each<[string, readonly DestroyedKey[], ((body: ReceiptBody) => ReceiptBody)?]>([
    [
      'that names a key twice',
      [
        { use: 'hand-off', id: one },
        { use: 'hand-off', id: one },
      ],
    ],
    ['that names a copy of the result that there is not', [{ use: 'result', id: one }]],
    ['that lacks the key of the result', [], (body) => ({ ...body, destroyedKeys: [] })],
    [
      'of a refusal that names one of a result',
      [],
      (body) => ({ ...refused(body), destroyedKeys: [{ use: 'result', id: one }] }),
    ],
    ['of a job that another node ran, without a key of that', [], (body) => ({ ...body, handOff })],
    ['of a job over a live pool, without a key of that', [{ use: 'hand-off', id: one }], live],
  ])('fails in a receipt %s', (_, keys, change) => {
    expect(answer(keys, change)).toMatchObject({ result: 'fail' })
  })

  it('passes where the pools that are live are another home’s', () => {
    const home = { node: handOff.node, keySet: one, quote: one, share: other }
    expect(answer([], (body) => ({ ...live(body), homes: [home] }))).toMatchObject({ result: 'pass' })
    expect(answer([{ use: 'live-tables', id: one }], live)).toMatchObject({ result: 'pass' })
  })

  it('is no difference between parties where copies differ, and is one where keys do', () => {
    const receiptOf = (keys: readonly DestroyedKey[], copy: ReturnType<typeof digestOf>) =>
      bundle((body) => ({
        ...body,
        result: body.result === null ? null : { ...body.result, sealed: copy },
        destroyedKeys: [...keys, { use: 'result', id: copy }],
      })).receipt
    const key: DestroyedKey = { use: 'live-tables', id: one }
    expect(compareReceipts(receiptOf([key], one), receiptOf([key], other))).toEqual({ answer: 'same' })
    for (const [left, right] of [
      [[key], []],
      [[], [key]],
    ] as const)
      expect(compareReceipts(receiptOf(left, one), receiptOf(right, one))).toMatchObject({
        answer: 'equivocation',
        differing: ['destroyedKeys'],
      })
  })

  it('is a difference where only one of the two says something of a matter', () => {
    const [with_, without] = [bundle((body) => ({ ...body, handOff })).receipt, bundle().receipt]
    for (const pair of [
      [with_, without],
      [without, with_],
    ] as const)
      expect(compareReceipts(...pair)).toMatchObject({ differing: ['handOff'] })
  })
})
