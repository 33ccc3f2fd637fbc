import { addressOf, type SignedStatement, sha256Digest } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { DEFAULT_VERIFICATION_BUDGET } from '../authenticity/verification-budget.js'
import { type PocVerdict, verdictDigest } from '../verdict/verdict.js'
import { verdictInputs } from '../verdict/verdict-inputs.js'
import { signVerdict, type VerdictContext } from '../verdict/verdict-statement.js'
import { agreeOnVerdict } from './agree-on-verdict.js'
import { checkDispute } from './dispute.js'

const key = new Uint8Array(32).fill(9)
const limits = { memoryBytes: 2 ** 20, timeMs: 100, outputBytes: 1000 }
const facts = { uniqueness: { duplicate: false, novelty: 0.5 }, owner: `0x${'ab'.repeat(20)}`, at: 5 }
const inputs = verdictInputs({ key, mediaType: 'text/csv', facts, limits })

const keys = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array, Uint8Array]
const validators = keys.map((one) => addressOf(one))
const context: VerdictContext & { readonly inputs: typeof inputs } = {
  chainId: 1,
  registry: `0x${'aa'.repeat(20)}`,
  subject: `0x${'01'.repeat(32)}`,
  commitment: sha256Digest(Uint8Array.of(1)),
  inputs,
}
const verdict: PocVerdict = {
  contribution: '7',
  pool: `0x${'bb'.repeat(20)}`,
  poc: sha256Digest(Uint8Array.of(2)),
  valid: true,
  score: 0.5,
  authenticity: 1,
  ownership: 1,
  quality: 0.5,
  uniqueness: 1,
  attributes: { a: 1, b: 2 },
  refusal: null,
  evidence: [],
}
const expected = { context, validators, pool: verdict.pool, contribution: '7', poc: verdict.poc }
const sign = (privateKey: Uint8Array, own: Partial<PocVerdict> = {}, place: Partial<VerdictContext> = {}) =>
  signVerdict({ verdict: { ...verdict, ...own }, context: { ...context, ...place }, privateKey })
const agree = (...statements: SignedStatement[]) => agreeOnVerdict({ ...expected, statements, threshold: 2 })

describe('verdicts that differ', () => {
  test('come with both statements, which anyone can check', () => {
    const { status, disputes } = agree(sign(keys[0]), sign(keys[1]), sign(keys[2], { score: 1, quality: 1 }))
    expect(status).toBe('agreed')
    expect(disputes.map(({ kind }) => kind)).toEqual(['mismatch'])
    const told: unknown = JSON.parse(JSON.stringify(disputes[0]))
    expect(checkDispute(told, expected)).toEqual({
      kind: 'mismatch',
      signers: [validators[0], validators[2]],
      digests: [verdictDigest(verdict), verdictDigest({ ...verdict, score: 1, quality: 1 })],
      fields: ['quality', 'score'],
    })
  })
  test('of one validator are a double vote, a hundred of them no more than two', () => {
    const many = Array.from({ length: 20 }, (_, index) => sign(keys[2], { score: index / 20 }))
    const { disputes, equivocating, status } = agree(sign(keys[0]), ...many, sign(keys[1]))
    expect({ equivocating, status }).toEqual({ equivocating: [validators[2]], status: 'agreed' })
    expect(disputes).toHaveLength(1)
    expect(checkDispute(disputes[0], expected)).toMatchObject({
      kind: 'double-vote',
      signers: [validators[2], validators[2]],
      fields: ['score'],
    })
  })
  test('without an agreement are told against what most said', () => {
    const { status, disputes } = agree(...keys.map((one, index) => sign(one, { score: index / 4 })))
    expect(status).toBe('disputed')
    expect(disputes.map((one) => checkDispute(one, expected).signers)).toEqual([
      [validators[0], validators[1]],
      [validators[0], validators[2]],
    ])
  })
})

describe('what is no evidence', () => {
  const [mine, other] = [sign(keys[0]), sign(keys[1], { score: 1 })]
  const check = (...statements: unknown[]) => checkDispute({ kind: 'mismatch', statements }, expected)
  test('two that say the same, members in whatever order', () => {
    expect(() => check(mine, sign(keys[1], { attributes: { b: 2, a: 1 } }))).toThrow(
      expect.objectContaining({ code: 'NO_DISPUTE' }),
    )
  })
  test('two that spell the address of the pool in another way', () => {
    const pool = `0x${'BB'.repeat(20)}` as const
    expect(() => check(mine, sign(keys[1], { pool }))).toThrow(
      expect.objectContaining({ code: 'NO_DISPUTE' }),
    )
    const { status, agreeing, disputes, equivocating } = agree(
      mine,
      sign(keys[0], { pool }),
      sign(keys[1], { pool }),
    )
    expect({ status, disputes, equivocating }).toEqual({ status: 'agreed', disputes: [], equivocating: [] })
    expect(agreeing).toEqual(validators.slice(0, 2))
    const { fields } = check(mine, sign(keys[1], { pool, score: 1 }))
    expect(fields).toEqual(['score'])
  })
  test.each<[string, unknown, string]>([
    [
      'over other inputs',
      sign(keys[1], { score: 1 }, { inputs: sha256Digest(key) }),
      'VERDICT_OVER_OTHER_INPUTS',
    ],
    ['by other code', sign(keys[1], { poc: sha256Digest(key) }), 'VERDICT_BY_OTHER_CODE'],
    ['of another pool', sign(keys[1], { pool: `0x${'cc'.repeat(20)}` }), 'VERDICT_OF_ANOTHER_POOL'],
    ['by a stranger', sign(key, { score: 1 }), 'STATEMENT_INVALID'],
    ['that was changed', { ...other, signature: mine.signature }, 'STATEMENT_INVALID'],
    ['of nothing', null, 'STATEMENT_INVALID'],
  ])('a second one %s', (_, second, code) => {
    expect(() => check(mine, second)).toThrow(expect.objectContaining({ code }))
    expect(() => check(second, mine)).toThrow(expect.objectContaining({ code }))
  })
  test.each([[null], [[]], [{ statements: [mine] }], [{ statements: [mine, other, mine] }], ['x']])(
    'what is no pair (%#)',
    (hostile) => {
      expect(() => checkDispute(hostile, expected)).toThrow(
        expect.objectContaining({ code: 'STATEMENT_INVALID', place: 'statements' }),
      )
    },
  )
  test('its own word for what it is', () => {
    expect(checkDispute({ kind: 'double-vote', statements: [mine, other] }, expected).kind).toBe('mismatch')
  })
})

describe('inputs', () => {
  const of = (own: object) => verdictInputs({ key, mediaType: 'text/csv', facts, limits, ...own })
  test('are the same for the same facts, and others for each that differs', () => {
    expect(of({ facts: { ...facts, owner: facts.owner.toUpperCase().replace('0X', '0x') } })).toBe(inputs)
    const all = [
      {},
      { mediaType: 'text/plain' },
      { key: new Uint8Array(32) },
      { limits: { ...limits, steps: 5 } },
      { scaling: { novelty: 1 } },
      { rewarded: 1 },
      { rewarded: 2 },
      { budget: { signatures: 1, bytes: 256 * 1024 * 1024 } },
      { budget: { signatures: 10_000, bytes: 1 } },
      { facts: { ...facts, at: 6 } },
      { facts: { ...facts, owner: `0x${'ac'.repeat(20)}` } },
      { facts: { ...facts, uniqueness: { duplicate: false } } },
      { facts: { ...facts, account: { accepted: true } } },
      { facts: { ...facts, issuer: { name: 'a', valid: true } } },
      { facts: { ...facts, issuer: { name: 'a', valid: false, reason: 'NOT_SIGNED' } } },
    ].map(of)
    expect(new Set(all).size).toBe(all.length)
    expect(of({ budget: DEFAULT_VERIFICATION_BUDGET })).toBe(inputs)
  })
  test('need a key, so that facts cannot be guessed', () => {
    expect(() => of({ key: new Uint8Array(31) })).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }))
  })
})
