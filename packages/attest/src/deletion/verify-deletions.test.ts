import { type JsonObject, type SignedStatement, signStatement, statementDigest } from '@sealpool/crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DeletionList } from './deletion-list.js'
import { deletionCheckTitles, type VerifyDeletionsOptions, verifyDeletions } from './verify-deletions.js'

const key = new Uint8Array(32).fill(7)
const deployment = { chainId: 31_337, registry: `0x${'ab'.repeat(20)}` } as const
const zero = `0x${'0'.repeat(40)}` as const
const digest = (digit: string) => `sha256:${digit.repeat(64)}` as const

const bodyOf = (number: number, previous: DeletionList['previous']): DeletionList => ({
  number,
  previous,
  at: `2026-11-2${number}T00:00:00.000Z`,
  keySet: digest('1'),
  entries: [
    { kind: 'copy', pool: zero, object: `blob ${digest('2')}`, digest: digest('2'), reason: 'ended' },
    {
      kind: 'contribution',
      pool: zero,
      object: 'contribution 4',
      digest: null,
      reason: 'expired',
      kept: ['fingerprint'],
    },
  ],
})
function sign(
  body: object,
  change: { readonly context?: object; readonly type?: string; readonly key?: Uint8Array } = {},
): SignedStatement {
  const { number } = body as DeletionList
  return signStatement({
    statement: { type: change.type ?? 'sealpool/deletions', version: 1, body: body as JsonObject },
    context: {
      ...deployment,
      pool: zero,
      subject: `0x${number.toString(16).padStart(64, '0')}`,
      nonce: '0',
      facts: [],
      ...change.context,
    },
    privateKey: change.key ?? key,
  })
}
/** Lists that follow each other. */
function chained(count: number): SignedStatement[] {
  const lists: SignedStatement[] = []
  for (let number = 1; number <= count; number++) {
    const before = lists.at(-1)
    lists.push(sign(bodyOf(number, before === undefined ? null : statementDigest(before.statement))))
  }
  return lists
}
const three = chained(3)
const [first, second, third] = three as [SignedStatement, SignedStatement, SignedStatement]
const node = first.signer
const verify = (lists: readonly unknown[], more: Partial<VerifyDeletionsOptions> = {}) =>
  verifyDeletions({ lists, node, deployment, ...more })
const failed = (lists: readonly unknown[], more: Partial<VerifyDeletionsOptions> = {}) => {
  const { ok, checks, lists: told, end } = verify(lists, more)
  expect({ ok, told, end }).toEqual({ ok: false, told: [], end: null })
  return checks.filter(({ result }) => result === 'fail').map(({ id }) => id)
}

describe('lists of deletions', () => {
  it('hold in their order, from the first on and from where another verdict ended', () => {
    const verdict = verify(three)
    expect(verdict).toMatchObject({ ok: true, end: { number: 3, digest: statementDigest(third.statement) } })
    expect(verdict.lists.map(({ number }) => number)).toEqual([1, 2, 3])
    expect(verdict.checks.map(({ id, result }) => [id, result])).toEqual(
      Object.keys(deletionCheckTitles).map((id) => [id, 'pass']),
    )
    const begun = verify([first])
    expect(begun.end).not.toBeNull()
    expect(verify([second, third], { after: begun.end ?? undefined }).ok).toBe(true)
    expect(verify([])).toMatchObject({ ok: true, lists: [], end: null })
  })

  it('fail when one is left out, exchanged, doubled, or older than the one before', () => {
    expect(failed([second, third])).toEqual(['deletions-order'])
    expect(failed([first, third])).toEqual(['deletions-order'])
    expect(failed([first, first])).toEqual(['deletions-order'])
    expect(failed([second], { after: { number: 1, digest: digest('f') } })).toEqual(['deletions-order'])
    const skipping = sign(bodyOf(3, statementDigest(first.statement)))
    expect(failed([first, skipping])).toEqual(['deletions-order'])
    const early = { ...bodyOf(2, statementDigest(first.statement)), at: '2026-11-20T23:59:59Z' }
    expect(failed([first, sign(early)])).toEqual(['deletions-order'])
  })

  it('fail when another key signed, or the signature is of something else', () => {
    expect(failed([sign(bodyOf(1, null), { key: new Uint8Array(32).fill(8) })])).toEqual([
      'deletions-signature',
    ])
    expect(failed([first], { node: `0x${'cd'.repeat(20)}` })).toEqual(['deletions-signature'])
    const body = { ...bodyOf(1, null), keySet: digest('9') } as unknown as JsonObject
    expect(failed([{ ...first, statement: { ...first.statement, body } }])).toEqual(['deletions-signature'])
  })

  it.each([
    ['chain', { chainId: 1 }],
    ['registry', { registry: `0x${'ac'.repeat(20)}` }],
    ['pool', { pool: `0x${'ac'.repeat(20)}` }],
    ['number', { subject: `0x${'0'.repeat(63)}2` }],
    ['nonce', { nonce: '1' }],
    ['facts', { facts: [{ type: 'uint256', value: '1' }] }],
  ])('fail when signed for another %s', (_, context) => {
    expect(failed([sign(bodyOf(1, null), { context })])).toEqual(['deletions-context'])
  })

  it.each([
    ['no list', 'x'],
    ['null', null],
    ['another kind', sign(bodyOf(1, null), { type: 'sealpool/receipt' })],
    ['an unknown field', sign({ ...bodyOf(1, null), also: 1 })],
    ['no entry', sign({ ...bodyOf(1, null), entries: [] })],
    [
      'an unknown kind of thing',
      sign({ ...bodyOf(1, null), entries: [{ ...bodyOf(1, null).entries[0], kind: 'all' }] }),
    ],
    ['a signature in capitals', { ...first, signature: first.signature.toUpperCase().replace('0X', '0x') }],
  ])('fail for %s', (_, list) => {
    expect(failed([list])).toEqual(['deletions-form'])
  })

  it('never throw, whatever they are', () => {
    const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)) as JsonObject[string]
    const list = { ...first, statement: { ...first.statement, body: { deep } } }
    expect(failed([list])).toEqual(['deletions-form'])
    fc.assert(
      fc.property(fc.array(fc.anything(), { minLength: 1, maxLength: 3 }), (lists) => {
        expect(verify(lists).ok).toBe(false)
      }),
    )
  })

  it('take no more at once than can be looked at, and go on from a list that there can be', () => {
    expect(() => verify(new Array(1_001).fill(first))).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    )
    expect(() => verify([], { after: { number: 0, digest: digest('1') } })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    )
  })
})
