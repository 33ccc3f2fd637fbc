import { sha256Digest } from '@sealpool/crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PocVerdict } from '../verdict/verdict.js'
import { type PaidVerdict, payVerdict } from './pay-verdict.js'
import { planRescoring, type RescoringScope } from './plan-rescoring.js'

const [old, approved] = [sha256Digest(Uint8Array.of(1)), sha256Digest(Uint8Array.of(2))]

describe('which contributions are judged again', () => {
  const verdicts = [
    { contribution: '3', poc: old, score: 0 },
    { contribution: '1', poc: old, score: 0.4999 },
    { contribution: '2', poc: old, score: 0.5 },
    { contribution: '4', poc: approved, score: 0.1 },
  ]
  const plan = (scope: RescoringScope, own: object = {}) =>
    planRescoring({ scope, approved, verdicts, ...own })
  test.each<[RescoringScope, string[], string[]]>([
    [{ kind: 'keep' }, ['3', '1', '2', '4'], []],
    [{ kind: 'rescore-all' }, ['4'], ['3', '1', '2']],
    [{ kind: 'rescore-below', score: 0.5 }, ['2', '4'], ['3', '1']],
    [{ kind: 'rescore-below', score: 0 }, ['3', '1', '2', '4'], []],
    [{ kind: 'rescore-below', score: 1 }, ['4'], ['3', '1', '2']],
  ])('by %j', (scope, keep, rescore) => {
    expect(plan(scope)).toEqual({ keep, rescore })
  })
  test('once all are judged by the new code, nothing is left to do', () => {
    const done = verdicts.map((one) => ({ ...one, poc: approved }))
    expect(plan({ kind: 'rescore-all' }, { verdicts: done }).rescore).toEqual([])
  })
  test.each([
    [{ kind: 'rescore-below', score: 1.1 }, {}],
    [{ kind: 'rescore-below', score: Number.NaN }, {}],
    [{ kind: 'keep' }, { verdicts: [...verdicts, ...verdicts] }],
  ] as const)('%j is refused (%#)', (scope, own) => {
    expect(() => plan(scope, own)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})

describe('what is paid', () => {
  const verdictOf = (units: number, poc: number): PocVerdict => ({
    contribution: '7',
    pool: `0x${'bb'.repeat(20)}`,
    poc: sha256Digest(Uint8Array.of(poc)),
    valid: units > 0,
    score: units / 10_000,
    authenticity: 0,
    ownership: 0,
    quality: 0,
    uniqueness: 0,
    attributes: {},
    refusal: units > 0 ? null : { code: 'NONE', place: 'file' },
    evidence: [],
  })
  const payAll = (verdicts: readonly PocVerdict[]) => {
    const before: PaidVerdict[] = []
    return verdicts.map((verdict) => {
      const { pay, reason, entry } = payVerdict({ verdict, before })
      if (entry !== null) before.push(entry)
      return [pay, reason]
    })
  }
  test('is the first verdict, then the difference upwards, each verdict once', () => {
    const [first, better, worse, best] = [
      verdictOf(5000, 1),
      verdictOf(8000, 2),
      verdictOf(1000, 3),
      verdictOf(8001, 4),
    ]
    expect(payAll([first, first, better, first, worse, best, better])).toEqual([
      [5000, 'FIRST'],
      [0, 'ALREADY_PAID'],
      [3000, 'HIGHER'],
      [0, 'ALREADY_PAID'],
      [0, 'NOT_HIGHER'],
      [1, 'HIGHER'],
      [0, 'ALREADY_PAID'],
    ])
    expect(payAll([verdictOf(0, 1), first])).toEqual([
      [0, 'FIRST'],
      [5000, 'HIGHER'],
    ])
  })
  test('is together what the best verdict is worth, in every order and with every repetition', () => {
    const one = fc.tuple(fc.nat(10_000), fc.nat(3)).map(([units, poc]) => verdictOf(units, poc))
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 12 }), (verdicts) => {
        const total = payAll(verdicts).reduce((sum, [pay]) => sum + Number(pay), 0)
        expect(total).toBe(Math.max(...verdicts.map(({ score }) => Math.round(score * 10_000))))
      }),
      { numRuns: 50 },
    )
  })
  const line = { contribution: '7', digest: old, paid: 1 }
  test.each([
    [[{ ...line, contribution: '8' }]],
    [[line, line]],
    [[{ ...line, paid: -1 }]],
    [[{ ...line, paid: 0.5 }]],
    [[{ ...line, paid: 10_001 }]],
  ])('lines that are none are refused (%#)', (before) => {
    expect(() => payVerdict({ verdict: verdictOf(1, 1), before })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
})
