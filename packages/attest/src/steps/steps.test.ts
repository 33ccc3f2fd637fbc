import { decodeHex, sha256Digest, statementDigest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { receiptCheckTitles, verifyReceipt } from '../receipt/verify.js'
import { bundle, evidence, jobParts, quote, signReceipt } from '../testing/fixture.js'
import type { Check } from '../verdict/check-list.js'
import { computationProof, verificationSteps } from './index.js'

const given = bundle()
const verdict = verifyReceipt(given)
const { body } = jobParts()
const result = body.result ?? { digest: sha256Digest(quote), sealed: sha256Digest(quote), mediaType: '' }
const answers = (steps: ReturnType<typeof verificationSteps>) => steps.map((step) => step.result)
const passing = Object.entries(receiptCheckTitles).map(
  ([id, title]): Check => ({ id, title, result: 'pass', detail: '' }),
)

describe('the six steps', () => {
  it('pass when the receipt verifies and both parties hold the same', () => {
    const partner = {
      own: given.receipt,
      theirs: signReceipt({ ...body, result: { ...result, sealed: sha256Digest(quote) } }),
    }
    const steps = verificationSteps(verdict, partner)
    expect(steps.map(({ id, when }) => `${when} ${id}`)).toEqual([
      'before machine',
      'before datasets',
      'before code',
      'after receipt',
      'after result',
      'after partner',
    ])
    expect(answers(steps)).toEqual(Array(6).fill('pass'))
  })

  it('have each check of a receipt in one of them, which fails and is open with it', () => {
    const all = verificationSteps({ checks: passing })
    expect(all.flatMap(({ checks }) => checks).sort()).toEqual(Object.keys(receiptCheckTitles).sort())
    for (const { id } of passing) {
      const at = all.findIndex(({ checks }) => checks.includes(id))
      for (const answer of ['fail', 'not-checked'] as const) {
        const checks = passing.map((check) => (check.id === id ? { ...check, result: answer } : check))
        expect([id, answers(verificationSteps({ checks }))]).toEqual([
          id,
          [0, 1, 2, 3, 4].map((place) => (place === at ? answer : 'pass')).concat('not-checked'),
        ])
      }
    }
  })

  it('are open where a verdict has lost a check, or answers it twice', () => {
    const lost = passing.filter(({ id }) => id !== 'signature')
    expect(answers(verificationSteps({ checks: lost }))[3]).toBe('not-checked')
    const twice = [...passing, ...passing.filter(({ id }) => id === 'code')]
    expect(answers(verificationSteps({ checks: twice }))[2]).toBe('not-checked')
    expect(answers(verificationSteps({ checks: [] }))).toEqual(Array(6).fill('not-checked'))
  })

  it('tell what failed, and not what was not reached behind it', () => {
    const changed = verifyReceipt({ ...given, result: new Uint8Array([1]) })
    const step = verificationSteps(changed).find(({ id }) => id === 'result')
    expect(step).toMatchObject({ result: 'fail', detail: expect.stringContaining('it is another one') })
  })

  it.each([
    ['another result', signReceipt({ ...body, result: { ...result, digest: sha256Digest(quote) } }), 'fail'],
    ['another job', signReceipt({ ...body, job: { ...body.job, id: '8' } }), 'fail'],
    [
      'another node and result',
      signReceipt({ ...body, code: result.digest }, new Uint8Array(32).fill(9)),
      'fail',
    ],
    ['another node', signReceipt(body, new Uint8Array(32).fill(9)), 'not-checked'],
    [
      'a moment at which it was not paid',
      signReceipt({
        ...body,
        outcome: 'refused',
        result: null,
        refusal: { code: 'JOB_NOT_FUNDED', message: 'no' },
      }),
      'not-checked',
    ],
    ['no receipt', { receipt: 1 }, 'fail'],
  ] as const)('the partner’s receipt of %s', (_, theirs, expected) => {
    const steps = verificationSteps(verdict, { own: given.receipt, theirs })
    expect(answers(steps)).toEqual([...Array(5).fill('pass'), expected])
  })
})

describe('the short proof', () => {
  it('has what ran, when, on which machine and data sets, field by field', () => {
    const proof = computationProof(verdict, given)
    expect(proof).toEqual({
      computation_hash: statementDigest(given.receipt.statement),
      timestamp: body.issuedAt,
      tee_attestation: expect.stringMatching(/^0x[0-9a-f]+$/),
      datasets: body.pools.map(({ inputs }) => `ds_${inputs.root.slice(7)}`),
      simulated: true,
    })
    expect(decodeHex(proof?.tee_attestation ?? '0x')).toEqual(quote)
    expect(proof?.datasets.every((name) => /^ds_[0-9a-f]{64}$/.test(name))).toBe(true)
  })

  it('is another one when anything of the computation is', () => {
    const other = bundle((one) => ({ ...one, isolation: 'none' }))
    const hash = computationProof(verifyReceipt(other), other)?.computation_hash
    expect(hash).toMatch(/^sha256:/)
    expect(hash).not.toBe(computationProof(verdict, given)?.computation_hash)
  })

  it('is not written for what does not verify, nor for a refusal', () => {
    const changed = { ...given, plan: { steps: [] } }
    expect(computationProof(verifyReceipt(changed), changed)).toBeUndefined()
    const refused = bundle((one) => ({
      ...one,
      outcome: 'refused',
      result: null,
      refusal: { code: 'X', message: 'no' },
    }))
    expect(computationProof({ ...verifyReceipt(refused), ok: true }, refused)).toBeUndefined()
  })

  it('is written of nothing but what the verdict is about', () => {
    const other = signReceipt({ ...body, isolation: 'none' })
    expect(() => computationProof(verdict, { receipt: other, evidence })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', place: 'about.receipt' }),
    )
    const context = { ...given.receipt.context, chainId: 1 }
    expect(() => computationProof(verdict, { receipt: { ...given.receipt, context }, evidence })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', place: 'about.receipt' }),
    )
    const others = { ...evidence, quote: evidence.quote.replace(/^..../, 'AAAA') }
    expect(() => computationProof(verdict, { receipt: given.receipt, evidence: others })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', place: 'about.evidence' }),
    )
  })
})
