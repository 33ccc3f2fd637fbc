import { addressOf, type JsonObject, sha256Digest, signStatement } from '@sealpool/crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { selectForAudit } from '../farming/select-audit.js'
import {
  type RescoredContribution,
  type Rescoring,
  type RescoringReward,
  rescoringDifference,
} from './rescoring.js'
import { rescoringStatement, verifyRescoring } from './rescoring-statement.js'

const privateKey = new Uint8Array(32).fill(5)
const [old, approved, other] = [1, 2, 3].map((byte) => sha256Digest(Uint8Array.of(byte))) as [
  `sha256:${string}`,
  `sha256:${string}`,
  `sha256:${string}`,
]
const pool = `0x${'bb'.repeat(20)}` as const
const registry = `0x${'aa'.repeat(20)}` as const
const known = { chainId: 31_337, registry, pool, poc: approved, validators: [addressOf(privateKey)] }

const entry = (contribution: string, own: Partial<RescoredContribution> = {}): RescoredContribution => ({
  contribution,
  owner: `0x${'cd'.repeat(20)}`,
  commitment: other,
  before: { poc: old, verdict: old, score: 6_000, rewarded: 500 },
  after: { verdict: approved, refused: false, score: 9_000, worth: 9_000 },
  difference: 2_500,
  ...own,
})
const rescoring = (own: Partial<Rescoring> = {}): Rescoring => ({
  pool,
  number: 1,
  policy: other,
  poc: approved,
  rule: 'difference',
  sample: { share: 1, beacon: `0x${'11'.repeat(32)}` },
  accepted: 3,
  chosen: 2,
  last: true,
  entries: [entry('7')],
  left: [{ contribution: '8', reason: 'BLOB_MISSING' }],
  ...own,
})
/** As somebody signs it who does not look at what he signs. */
const signed = (body: JsonObject, own: { type?: string; subject?: `0x${string}`; nonce?: string } = {}) => {
  const { subject } = rescoringStatement(rescoring())
  return signStatement({
    statement: { type: own.type ?? 'sealpool/rescoring', version: 1, body },
    context: {
      chainId: known.chainId,
      registry,
      pool,
      subject: own.subject ?? subject,
      nonce: own.nonce ?? '0',
      facts: [],
    },
    privateKey,
  })
}

describe('what a new score earns', () => {
  test.each<[RescoringReward, number, number]>([
    ['keep', 10_000, 0],
    ['difference', 10_000, 3_500],
    ['difference', 6_500, 0],
    ['difference', 6_501, 1],
    ['difference', 0, 0],
  ])('by %s with %d', (rule, worth, earned) => {
    expect(rescoringDifference({ rule, worth, score: 6_000, rewarded: 500 })).toBe(earned)
  })
  test('is together never more than the best score, however often and in whatever order', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.array(fc.nat(10_000), { maxLength: 8 }), (score, scores) => {
        let rewarded = 0
        for (const worth of scores)
          rewarded += rescoringDifference({ rule: 'difference', worth, score, rewarded })
        expect(score + rewarded).toBe(Math.max(score, ...scores))
      }),
    )
  })
})

describe('a signed rescoring', () => {
  test('is verified by what the reader knows', () => {
    const { rescoring: read, signer } = verifyRescoring(signed(rescoring()), known)
    expect([read, signer]).toEqual([rescoring(), known.validators[0]])
    const { poc: _, ...anyCode } = known
    expect(verifyRescoring(signed(rescoring()), anyCode).rescoring).toEqual(rescoring())
  })
  test.each<[string, object, string, string?]>([
    ['another pool', { pool: registry }, 'VERDICT_OF_ANOTHER_POOL'],
    ['other code', { poc: other }, 'VERDICT_BY_OTHER_CODE'],
    ['another chain', { chainId: 1 }, 'STATEMENT_INVALID', 'context'],
    ['another registry', { registry: pool }, 'STATEMENT_INVALID', 'context'],
    ['others’ words', { validators: [registry] }, 'STATEMENT_INVALID', 'signer'],
  ])('is refused by a reader who knows of %s', (_, own, code, place) => {
    expect(() => verifyRescoring(signed(rescoring()), { ...known, ...own })).toThrow(
      expect.objectContaining({ code, ...(place === undefined ? {} : { place }) }),
    )
  })
  test('is refused as another kind, under another subject or nonce, or changed', () => {
    const refused = (statement: unknown, place: string) =>
      expect(() => verifyRescoring(statement, known)).toThrow(
        expect.objectContaining({ code: 'STATEMENT_INVALID', place }),
      )
    refused(signed(rescoring(), { type: 'sealpool/verdict' }), 'statement.type')
    refused(signed(rescoring(), { subject: `0x${'1'.repeat(64)}` }), 'context')
    refused(signed(rescoring(), { nonce: '1' }), 'context')
    const statement = signed(rescoring())
    const changed = { ...statement.statement, body: rescoring({ accepted: 4 }) }
    refused({ ...statement, statement: changed }, 'signer')
    refused(null, 'statement')
  })

  const wrong = 'statement.body'
  test.each<[string, Partial<Rescoring>, string]>([
    ['more is earned', { entries: [entry('7', { difference: 2_501 })] }, `${wrong}.entries.0.difference`],
    ['a rule that keeps pays', { rule: 'keep' }, `${wrong}.entries.0.difference`],
    [
      'the same code judged before',
      { entries: [entry('7', { before: { ...entry('7').before, poc: approved } })] },
      `${wrong}.entries.0.before.poc`,
    ],
    [
      'more counts than the score',
      { entries: [entry('7', { after: { ...entry('7').after, score: 8_999 } })] },
      `${wrong}.entries.0.after`,
    ],
    [
      'what is refused has a score',
      { entries: [entry('7', { after: { ...entry('7').after, refused: true } })] },
      `${wrong}.entries.0.after`,
    ],
    ['one comes twice', { entries: [entry('7'), entry('7')], left: [] }, `${wrong}.entries.1.contribution`],
    [
      'one is left out too',
      { left: [{ contribution: '7', reason: 'NOT_HELD' }] },
      `${wrong}.left.0.contribution`,
    ],
    ['more were judged than chosen', { chosen: 1 }, `${wrong}.entries`],
    ['more were chosen than there are', { accepted: 1 }, `${wrong}.chosen`],
    [
      'a reason is a sentence',
      { left: [{ contribution: '8', reason: 'because of him' }] },
      `${wrong}.left.0.reason`,
    ],
    ['no share', { sample: { ...rescoring().sample, share: 0 } }, `${wrong}.sample.share`],
  ])('is refused where %s', (_, own, place) => {
    const body = rescoring(own)
    expect(() => verifyRescoring(signed(body), known)).toThrow(
      expect.objectContaining({ code: 'STATEMENT_INVALID', place }),
    )
    expect(() => rescoringStatement(body)).toThrow(expect.objectContaining({ place }))
  })
  test('is refused where somebody was judged whom the beacon did not choose', () => {
    const sample = { ...rescoring().sample, share: 0.5 }
    const beacon = new Uint8Array(32).fill(0x11)
    const ids = Array.from({ length: 40 }, (_, id) => String(id))
    const isChosen = (contribution: string) => selectForAudit({ beacon, contribution, rate: 0.5 })
    const [chosen, spared] = [ids.find(isChosen), ids.find((id) => !isChosen(id))]
    if (chosen === undefined || spared === undefined) throw new Error('no sample')
    const of = (id: string) => signed(rescoring({ sample, entries: [entry(id)], left: [] }))
    expect(verifyRescoring(of(chosen), known).rescoring.entries).toHaveLength(1)
    expect(() => verifyRescoring(of(spared), known)).toThrow(
      expect.objectContaining({ place: `${wrong}.entries.0.contribution` }),
    )
  })
})
