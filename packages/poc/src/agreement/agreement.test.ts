import { addressOf, type SignedStatement, sha256Digest, verifyStatement } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { type PocVerdict, verdictDigest } from '../verdict/verdict.js'
import {
  signVerdict,
  type VerdictContext,
  verdictToInToto,
  verifyVerdict,
} from '../verdict/verdict-statement.js'
import { agreeOnVerdict } from './agree-on-verdict.js'
import { agreedEntry } from './agreed-entry.js'
import { rescore } from './rescore.js'

const keys = [1, 2, 3, 4].map((byte) => new Uint8Array(32).fill(byte))
const addresses = keys.map((key) => addressOf(key))
const [first = new Uint8Array(32)] = keys
const validators = addresses.slice(0, 3)
const context = {
  chainId: 1,
  registry: `0x${'aa'.repeat(20)}`,
  subject: `0x${'01'.repeat(32)}`,
  commitment: sha256Digest(Uint8Array.of(1)),
  inputs: sha256Digest(Uint8Array.of(7)),
} as const satisfies VerdictContext
const verdict: PocVerdict = {
  contribution: '7',
  pool: `0x${'bb'.repeat(20)}`,
  poc: sha256Digest(Uint8Array.of(2)),
  valid: true,
  score: 0.8667,
  authenticity: 1,
  ownership: 1,
  quality: 0.5,
  uniqueness: 1,
  attributes: { rows: 3 },
  refusal: null,
  evidence: [{ check: 'dkim.signature', result: 'pass', place: 'file' }],
}
const expected = { context, validators, pool: verdict.pool, contribution: '7', poc: verdict.poc }
const sign = (key: Uint8Array, own: Partial<PocVerdict> = {}, place: Partial<VerdictContext> = {}) =>
  signVerdict({ verdict: { ...verdict, ...own }, context: { ...context, ...place }, privateKey: key })
const [a, b, c, stranger] = keys.map((key) => sign(key)) as [
  SignedStatement,
  SignedStatement,
  SignedStatement,
  SignedStatement,
]

describe('a signed verdict', () => {
  test('is an in-toto statement that verifies offline from its JSON', () => {
    const read = JSON.parse(JSON.stringify(a)) as SignedStatement
    expect(verifyStatement(read)).toBe(true)
    expect(verifyVerdict(read, expected)).toEqual({ verdict, signer: addresses[0], statement: a })
    expect(read.statement.body).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        { name: `0x${'bb'.repeat(20)}/7`, digest: { sealpoolCommitment: context.commitment.slice(7) } },
        { name: `0x${'bb'.repeat(20)}/7/inputs`, digest: { sealpoolInputs: context.inputs.slice(7) } },
      ],
      predicate: verdict,
    })
    expect(verdictToInToto(verdict, context.commitment, context.inputs)).toEqual(read.statement.body)
    expect(read.context.facts[0]).toEqual({ type: 'uint256', value: '8667' })
  })
  test('on what is judged again names the policy that it was sealed under, and is taken for a first one by nobody', () => {
    const earlierPolicy = `sha256:${'5'.repeat(64)}` as const
    const again = { ...expected, context: { ...context, earlierPolicy } }
    const second = sign(new Uint8Array(32).fill(1), {}, { earlierPolicy })
    expect(verifyVerdict(second, again).verdict).toEqual(verdict)
    expect((second.statement.body['subject'] as object[])[2]).toEqual({
      name: `0x${'bb'.repeat(20)}/7/earlier-policy`,
      digest: { sealpoolEarlierPolicy: '5'.repeat(64) },
    })
    const other = { ...again, context: { ...context, earlierPolicy: `sha256:${'6'.repeat(64)}` as const } }
    for (const [statement, asked] of [
      [second, expected],
      [second, other],
      [a, again],
    ] as const)
      expect(() => verifyVerdict(statement, asked)).toThrow(
        expect.objectContaining({ code: 'STATEMENT_INVALID', place: 'statement.body' }),
      )
  })

  const with_ = (statement: SignedStatement, change: object): SignedStatement => ({ ...statement, ...change })
  test.each<[string, SignedStatement, string]>([
    ['another type', with_(a, { statement: { ...a.statement, type: 'sealpool/receipt' } }), 'statement.type'],
    ['another version', with_(a, { statement: { ...a.statement, version: 2 } }), 'statement.type'],
    [
      'one member more',
      with_(a, { statement: { ...a.statement, body: { ...a.statement.body, extra: 1 } } }),
      'statement.body',
    ],
    [
      'another subject',
      with_(a, {
        statement: {
          ...a.statement,
          body: { ...a.statement.body, subject: [{}, ...(a.statement.body['subject'] as []).slice(1)] },
        },
      }),
      'statement.body',
    ],
    [
      'another score than its fact',
      with_(a, {
        context: { ...a.context, facts: [{ type: 'uint256', value: '10000' }, a.context.facts[1]] },
      }),
      'context',
    ],
    ['another chain', sign(first, {}, { chainId: 2 }), 'context'],
    ['another contribution', sign(first, {}, { subject: `0x${'02'.repeat(32)}` }), 'context'],
    ['another commitment', sign(first, {}, { commitment: sha256Digest(Uint8Array.of(9)) }), 'statement.body'],
    ['a broken signature', with_(a, { signature: `${a.signature.slice(0, -2)}1d` }), 'signature'],
    ['a stranger', stranger, 'signer'],
  ])('with %s does not', (_name, statement, place) => {
    expect(() => verifyVerdict(statement, expected)).toThrow(
      expect.objectContaining({ code: 'STATEMENT_INVALID', place }),
    )
  })
  const { inputs: _, ...without } = context
  test.each<[string, SignedStatement, Partial<typeof expected>]>([
    ['VERDICT_OF_ANOTHER_POOL', sign(first, { pool: `0x${'cc'.repeat(20)}` }), {}],
    ['VERDICT_OF_ANOTHER_POOL', a, { pool: `0x${'cc'.repeat(20)}` }],
    ['VERDICT_OF_ANOTHER_CONTRIBUTION', sign(first, { contribution: '8' }), {}],
    ['VERDICT_BY_OTHER_CODE', sign(first, { poc: sha256Digest(Uint8Array.of(9)) }), {}],
    ['VERDICT_OVER_OTHER_INPUTS', sign(first, {}, { inputs: sha256Digest(Uint8Array.of(9)) }), {}],
    ['VERDICT_OVER_OTHER_INPUTS', signVerdict({ verdict, context: without, privateKey: first }), {}],
  ])('is refused as %s by a reader who named another', (code, statement, own) => {
    expect(() => verifyVerdict(statement, { ...expected, ...own })).toThrow(expect.objectContaining({ code }))
  })
  test('of one validator alone needs no inputs, and with some is not what was asked for', () => {
    const alone = { ...expected, context: without }
    const signed = signVerdict({ verdict, context: without, privateKey: first })
    expect(verifyVerdict(signed, alone).statement).toEqual(signed)
    expect(() => verifyVerdict(a, alone)).toThrow(
      expect.objectContaining({ code: 'VERDICT_OVER_OTHER_INPUTS' }),
    )
  })
  test('is given back without what came beside it', () => {
    const sent = { ...a, statement: { ...a.statement }, signer: addresses[3] }
    expect(verifyVerdict(sent, expected).statement).toEqual(a)
  })
  test('with a predicate that is no verdict does not', () => {
    const broken = with_(a, { statement: { ...a.statement, body: { ...a.statement.body, predicate: {} } } })
    expect(() => verifyVerdict(broken, expected)).toThrow(
      expect.objectContaining({ code: 'VERDICT_INVALID' }),
    )
  })
})

describe('agreement', () => {
  const agree = (statements: readonly SignedStatement[], own = {}) =>
    agreeOnVerdict({ ...expected, statements, threshold: 2, ...own })
  test('two of three are enough, and a third that lies is outvoted and recorded', () => {
    const lie = sign(keys[2] ?? first, { score: 1, quality: 1 })
    expect(agree([a, b])).toMatchObject({
      status: 'agreed',
      verdict,
      agreeing: addresses.slice(0, 2),
      dissenting: [],
    })
    const result = agree([lie, b, a])
    expect(result).toMatchObject({ status: 'agreed', verdict, agreeing: addresses.slice(0, 2) })
    expect(result.dissenting).toMatchObject([{ validator: addresses[2], fields: ['quality', 'score'] }])
  })
  test('one is to be waited for, and three who differ are in dispute', () => {
    expect(agree([a])).toMatchObject({ status: 'waiting', verdict: undefined, agreeing: [] })
    expect(agree([])).toMatchObject({ status: 'waiting', dissenting: [] })
    const three = [a, sign(keys[1] ?? first, { score: 0.5 }), sign(keys[2] ?? first, { score: 0.1 })]
    expect(agree(three)).toMatchObject({ status: 'disputed', verdict: undefined })
    expect(agree(three).dissenting).toHaveLength(2)
  })
  test('who says two things counts for nothing, and the same thing twice is one', () => {
    const two = sign(first, { score: 0.1 })
    expect(agree([a, two, b])).toMatchObject({ status: 'waiting', equivocating: [addresses[0]] })
    expect(agree([a, two, b, c])).toMatchObject({ status: 'agreed', agreeing: addresses.slice(1, 3) })
    expect(agree([a, a, a])).toMatchObject({ status: 'waiting' })
  })
  test('what does not verify is told and not counted', () => {
    expect(agree([a, stranger])).toMatchObject({
      status: 'waiting',
      rejected: [{ index: 1, code: 'STATEMENT_INVALID', place: 'signer' }],
    })
    const elsewhere = [
      sign(keys[1] ?? first, { contribution: '8' }),
      sign(keys[1] ?? first, { pool: `0x${'cc'.repeat(20)}` }),
      sign(keys[1] ?? first, {}, { inputs: sha256Digest(Uint8Array.of(9)) }),
    ]
    expect(agree([a, ...elsewhere])).toMatchObject({
      status: 'waiting',
      dissenting: [],
      disputes: [],
      rejected: [
        { index: 1, code: 'VERDICT_OF_ANOTHER_CONTRIBUTION', place: 'contribution' },
        { index: 2, code: 'VERDICT_OF_ANOTHER_POOL', place: 'pool' },
        { index: 3, code: 'VERDICT_OVER_OTHER_INPUTS', place: 'inputs' },
      ],
    })
  })
  test('an agreement can be come to again from its statements alone, and is what the contract is told', () => {
    const agreed = agree([c, a])
    expect(agreed.statements).toEqual([a, c])
    expect(agree(agreed.statements)).toEqual(agreed)
    expect(agreedEntry(agreed)).toEqual({
      contributionId: 7n,
      score: 8667,
      refused: false,
      verdictDigest: `0x${verdictDigest(verdict).slice(7)}`,
    })
    const refusal = { valid: false, score: 0, refusal: { code: 'X1', place: 'file' } }
    expect(agreedEntry(agree(keys.slice(0, 2).map((key) => sign(key, refusal))))).toMatchObject({
      score: 0,
      refused: true,
    })
    expect(() => agreedEntry(agree([a]))).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    const named = { verdict: { ...verdict, contribution: '7x' } }
    expect(() => agreedEntry({ ...agreed, ...named })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
  test.each([
    { threshold: 1 },
    { threshold: 4 },
    { threshold: 1.5 },
    { validators: [addresses[0], addresses[0], addresses[1]] },
    { validators: [addresses[0], addresses[0]?.toUpperCase().replace('0X', '0x'), addresses[1]] },
    { context: { ...context, inputs: undefined } },
  ])('%j is refused', (own) => {
    expect(() => agree([], own)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})

describe('re-scoring on an upgrade', () => {
  const after = { ...verdict, poc: sha256Digest(Uint8Array.of(3)), score: 0.5 }
  test.each([
    ['keep-first', 0.8667],
    ['keep-higher', 0.8667],
    ['latest', 0.5],
  ] as const)('by the rule %s the score %s counts, and both verdicts are kept', (rule, counting) => {
    expect(rescore({ rule, before: verdict, after })).toEqual({
      contribution: '7',
      before: verdict,
      after,
      counting,
      changed: true,
    })
  })
  test('a higher new score counts when the higher or the latest does', () => {
    const higher = { ...after, score: 1 }
    expect(rescore({ rule: 'keep-higher', before: verdict, after: higher }).counting).toBe(1)
    expect(rescore({ rule: 'keep-first', before: verdict, after: higher }).counting).toBe(0.8667)
    expect(
      rescore({ rule: 'latest', before: verdict, after: { ...after, score: verdict.score } }).changed,
    ).toBe(false)
  })
  test.each([{ contribution: '8' }, { pool: `0x${'cc'.repeat(20)}` as const }, { poc: verdict.poc }])(
    '%j is refused',
    (own) => {
      expect(() => rescore({ rule: 'latest', before: verdict, after: { ...after, ...own } })).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      )
    },
  )
})

describe('a validator who sends anything at all', () => {
  const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown
  const { statement } = c
  const withBody = (body: object) => ({
    ...c,
    statement: { ...statement, body: { ...statement.body, ...body } },
  })
  const hostile: [string, unknown][] = [
    ['null', null],
    ['nothing', undefined],
    ['a text', 'statement'],
    ['an empty object', {}],
    ['no body', { ...c, statement: { type: statement.type, version: 1 } }],
    ['no context', { ...c, context: undefined }],
    ['a registry that is a number', { ...c, context: { ...c.context, registry: 5 } }],
    ['facts that are none', { ...c, context: { ...c.context, facts: [null] } }],
    ['a signature that is null', { ...c, signature: null }],
    ['no signer', { ...c, signer: undefined }],
    ['deep attributes', withBody({ predicate: { ...verdict, attributes: { deep } } })],
    ['a deep member', withBody({ deep })],
    [
      'members that throw',
      {
        get statement(): never {
          throw new TypeError('canary')
        },
      },
    ],
  ]
  test.each(hostile)('%s is rejected, and the others agree', (_, sent) => {
    const outcome = agreeOnVerdict({ ...expected, statements: [a, sent, b], threshold: 2 })
    expect(outcome).toMatchObject({ status: 'agreed', verdict, agreeing: addresses.slice(0, 2) })
    expect(outcome.rejected).toEqual([{ index: 1, code: expect.any(String), place: expect.any(String) }])
    expect(outcome.equivocating).toEqual([])
    expect(JSON.stringify(outcome)).not.toContain('canary')
  })
  test.each(hostile.slice(0, -1))('%s is STATEMENT_INVALID or VERDICT_INVALID by itself', (_, sent) => {
    expect(() => verifyVerdict(sent, expected)).toThrow(expect.objectContaining({ name: 'PocError' }))
  })
})
