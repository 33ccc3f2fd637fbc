import { digestOf, sha256Digest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { dsseEnvelope, inTotoStatement } from '../export/in-toto.js'
import { bundle, jobParts, signReceipt } from '../testing/fixture.js'
import { compareReceipts, verifyEquivocation } from './compare.js'
import { discloseInput, disclosureProblem } from './disclosure.js'
import { verifyReceipt } from './verify.js'

const { body, verdicts } = jobParts()
const mine = signReceipt(body)
const result = body.result ?? { digest: digestOf('x'), sealed: digestOf('x'), mediaType: '' }
const otherKey = new Uint8Array(32).fill(9)

describe('compareReceipts', () => {
  it('finds the same result at both parties, whatever each got sealed', () => {
    expect(compareReceipts(mine, mine)).toEqual({ answer: 'same' })
    const theirs = signReceipt({ ...body, result: { ...result, sealed: digestOf('their copy') } })
    expect(compareReceipts(mine, theirs)).toEqual({ answer: 'same' })
  })

  it('proves that a node told two stories, from the two receipts alone', () => {
    const theirs = signReceipt({ ...body, result: { ...result, digest: sha256Digest(Uint8Array.of(1)) } })
    const comparison = compareReceipts(mine, theirs)
    if (comparison.answer !== 'equivocation') throw new Error('an equivocation is expected')
    expect(comparison.differing).toEqual(['result'])
    const proof: unknown = JSON.parse(JSON.stringify(comparison.proof))
    expect(verifyEquivocation(proof)).toEqual({ signer: comparison.proof.signer, differing: ['result'] })
    const { receipts, ...rest } = comparison.proof
    for (const bad of [
      null,
      {},
      { ...rest, receipts: [receipts[0], receipts[0]] },
      { ...rest, receipts: [receipts[0], { ...receipts[1], signature: receipts[0].signature }] },
      { ...comparison.proof, signer: `0x${'11'.repeat(20)}` },
      { ...comparison.proof, version: 2 },
    ]) {
      expect(verifyEquivocation(bad)).toBeUndefined()
    }
  })

  it('sees a refusal beside a release', () => {
    const refusal = signReceipt({
      ...body,
      outcome: 'refused',
      result: null,
      refusal: { code: 'X', message: 'no' },
    })
    const comparison = compareReceipts(mine, refusal)
    expect(comparison).toMatchObject({ answer: 'equivocation', differing: ['outcome', 'refusal', 'result'] })
  })

  it.each([
    ['a job that was not approved yet', { id: body.job.id, code: 'JOB_NOT_APPROVED' }],
    ['a job that was not paid yet', { id: body.job.id, code: 'JOB_NOT_FUNDED' }],
    ['a job that was closed then', { id: body.job.id, code: 'JOB_CLOSED' }],
    ['a plan', { id: 'plan', code: 'BUDGET_EXHAUSTED' }],
  ])('draws nothing from a refusal of %s: what is signed later may differ', (_, { id, code }) => {
    const job = { ...body.job, id }
    const refused = (change: object = {}) =>
      signReceipt({
        ...body,
        job,
        outcome: 'refused',
        result: null,
        refusal: { code, message: 'no' },
        ...change,
      })
    const later = id === 'plan' ? refused({ issuedAt: '2030-01-01T00:00:00.000Z' }) : mine
    expect(compareReceipts(refused(), refused())).toEqual({ answer: 'same' })
    expect(compareReceipts(refused(), later)).toEqual({ answer: 'not-final' })
    expect(compareReceipts(later, refused())).toEqual({ answer: 'not-final' })
  })

  it.each([
    ['manifest', { manifest: digestOf('another') }],
    ['consumer', { consumer: `0x${'22'.repeat(20)}` as const }],
  ])('takes a number that a reorganisation gave to another %s for another job', (_, change) => {
    const theirs = signReceipt({ ...body, job: { ...body.job, ...change } })
    expect(compareReceipts(mine, theirs)).toEqual({ answer: 'different-jobs' })
  })

  it('draws nothing from other jobs, and no guilt from other keys', () => {
    expect(compareReceipts(mine, signReceipt({ ...body, job: { ...body.job, id: '8' } }))).toEqual({
      answer: 'different-jobs',
    })
    const other = { ...body, code: digestOf('other') }
    expect(compareReceipts(mine, signReceipt(other, otherKey))).toEqual({
      answer: 'different-nodes',
      differing: ['code'],
    })
  })

  it('refuses what is no receipt or was changed', () => {
    const statement = { ...mine.statement, body: { ...mine.statement.body, isolation: 'none' } }
    const changed = { ...mine, statement }
    for (const bad of [null, {}, changed]) {
      expect(() => compareReceipts(mine, bad)).toThrowError(AttestError)
    }
  })
})

describe('disclosure of one input', () => {
  const [pool] = body.pools
  const address = pool?.pool ?? '0x00000000000000000000000000000000000000aa'
  const digests = verdicts[address] ?? []
  const disclosure = discloseInput(address, digests, 1)

  it('holds against the receipt, and nothing else does', () => {
    expect(disclosureProblem(JSON.parse(JSON.stringify(disclosure)), body)).toBeUndefined()
    expect(disclosureProblem({ ...disclosure, index: 2 }, body)).toMatch(/path/)
    expect(disclosureProblem({ ...disclosure, digest: digestOf('other') }, body)).toMatch(/path/)
    expect(disclosureProblem({ ...disclosure, count: 4 }, body)).toMatch(/counts 3/)
    expect(disclosureProblem({ ...disclosure, pool: `0x${'00'.repeat(20)}` }, body)).toMatch(/does not name/)
    for (const bad of [null, { ...disclosure, path: ['0x'] }, { ...disclosure, more: 1 }]) {
      expect(() => disclosureProblem(bad, body)).toThrowError(AttestError)
    }
    expect(() => discloseInput(address, digests, 3)).toThrowError(AttestError)
  })
})

describe('in-toto', () => {
  it('writes a statement of a receipt that is ok, in a DSSE envelope, and none of any other', async () => {
    const verdict = verifyReceipt(bundle())
    const statement = inTotoStatement(verdict)
    if (statement === undefined) throw new Error('a statement is expected')
    expect(statement).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'result', digest: { sha256: result.digest.slice(7) } }, { name: 'result.sealed' }],
      predicate: { simulated: true },
    })
    let signed = ''
    const envelope = await dsseEnvelope(statement, {
      keyId: 'key',
      sign: (message) => {
        signed = new TextDecoder().decode(message)
        return Uint8Array.of(1, 2, 3)
      },
    })
    expect(signed).toMatch(/^DSSEv1 28 application\/vnd\.in-toto\+json \d+ \{"_type"/)
    expect(JSON.parse(atob(envelope.payload))).toEqual(JSON.parse(JSON.stringify(statement)))
    expect(inTotoStatement({ ...verdict, ok: false })).toBeUndefined()
  })
})
