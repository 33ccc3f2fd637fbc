import { deriveKeyPair, digestOf, type JsonValue } from '@sealpool/crypto'
import { shareOfPlan } from '@sealpool/query'
import { describe, expect, it } from 'vitest'
import { planJob } from '../job/plan-job.js'
import { nodeSigner } from '../key/node-signer.js'
import {
  acceptGivenAnswer as accept,
  answer,
  deployment,
  expected,
  givenAnswer as given,
  keys,
  scope,
} from '../testing/given-answer.js'
import { handOffManifest, handOffPool } from '../testing/hand-off-fixture.js'
import { engine } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import type { ExpectedWork } from './accept-answer.js'
import { isAnswerOf } from './check-answer.js'
import type { HandOffOutcome } from './hand-off-answer.js'
import type { Work } from './hand-off-statements.js'

const invalid = (why: RegExp) => ({
  code: 'HAND_OFF_REFUSED',
  message: expect.stringMatching(why) as string,
})
const told: HandOffOutcome = { kind: 'answer', answer }

describe('an answer of another node', () => {
  it('is believed when everything about it is as it should be', async () => {
    const accepted = await accept(await given(told))
    expect(accepted.outcome).toEqual({ kind: 'answer', answer })
    expect(accepted.work.digest).toBe(digestOf(accepted.work.signed.statement as unknown as JsonValue))
  })

  it.each(Object.keys(expected) as Exclude<keyof ExpectedWork, 'shard'>[])(
    'is refused when its work names another %s',
    async (name) => {
      const other = {
        transfer: 'cd'.repeat(16),
        job: '8',
        home: addressOfDigit('2'),
        manifest: digestOfDigit('c'),
        plan: digestOfDigit('c'),
        parts: digestOfDigit('c'),
        keySet: digestOfDigit('c'),
        simulated: false,
      }
      await expect(accept(await given(told, { work: { [name]: other[name] } }))).rejects.toMatchObject(
        invalid(new RegExp(`names another ${name}`)),
      )
    },
  )

  it('is refused when its work is about other bytes', async () => {
    const digest = digestOfDigit('c')
    await expect(accept(await given(told, { work: { answer: digest } }))).rejects.toMatchObject(
      invalid(/of another answer/),
    )
    await expect(accept(await given(told, { work: { sealed: digest } }))).rejects.toMatchObject(
      invalid(/other sealed bytes/),
    )
  })

  it('is refused when nobody, somebody else, or the node for another job, pool or chain has signed', async () => {
    const stranger = nodeSigner({
      statementKey: new Uint8Array(32).fill(9),
      chainId: 31_337,
      registry: deployment.nodeRegistry,
    })
    const elsewhere = nodeSigner({
      statementKey: keys.statementKey,
      chainId: 1,
      registry: deployment.nodeRegistry,
    })
    const registry = nodeSigner({
      statementKey: keys.statementKey,
      chainId: 31_337,
      registry: addressOfDigit('e'),
    })
    const bad = [
      await given(told, { by: stranger }),
      await given(told, { by: elsewhere }),
      await given(told, { by: registry }),
      await given(told, { place: { pool: scope.pool, job: '8' } }),
      await given(told, { place: { pool: addressOfDigit('b'), job: '7' } }),
      await given(told, { work: { more: 1 } as never }),
      { ...(await given(told)), work: undefined },
    ]
    for (const one of bad) await expect(accept(one)).rejects.toMatchObject(invalid(/not signed by the node/))
  })

  it('is refused when it is sealed to another key, for another pool or policy, or as something else', async () => {
    const bad = [
      await given(told, { to: deriveKeyPair(new Uint8Array(32).fill(6)).publicKey }),
      await given(told, { scope: { pool: addressOfDigit('b') } }),
      await given(told, { scope: { policyDigest: digestOfDigit('2') } }),
      await given(told, { kind: 'leash' }),
    ]
    for (const one of bad) await expect(accept(one)).rejects.toMatchObject(invalid(/not sealed to this job/))
  })

  it('is refused when what was sealed is of another transfer or job', async () => {
    for (const of of [
      { transfer: 'cd'.repeat(16), job: '7' },
      { transfer: expected.transfer, job: '8' },
    ]) {
      await expect(accept(await given(told, { of }))).rejects.toMatchObject(invalid(/of another transfer/))
    }
  })

  it.each<[string, object]>([
    ['a column more', { columns: [...answer.columns, { name: 'x', kind: 'key' }] }],
    ['a column of another name', { columns: [{ name: 'wage', kind: 'key' }, answer.columns[1]] }],
    ['a column of another kind', { columns: [{ name: 'sector', kind: 'count' }, answer.columns[1]] }],
    ['a longer row', { rows: [['a', 3, 'more']] }],
    ['a shorter row', { rows: [['a']] }],
    [
      'more intervals in a row than columns',
      { intervals: [[null, { low: 1, high: 5, confidence: 0.95 }, null]] },
    ],
    ['fewer intervals than rows', { intervals: [] }],
    ['a cell that is no value', { rows: [['a', { hidden: 1 }]] }],
    ['another charge', { charge: { pay: { epsilon: 2, delta: 0 } } }],
    ['a charge of another pool', { charge: { people: { epsilon: 1, delta: 0 } } }],
    ['a field more', { rows_in_the_clear: [] }],
    ['a count of what was left out', { suppressedGroups: '3' }],
  ])('is refused with %s', async (_, change) => {
    await expect(
      accept(await given({ kind: 'answer', answer: { ...answer, ...change } as JsonValue })),
    ).rejects.toMatchObject(invalid(/form that the plan declares/))
  })

  it.each(['query', 'compute'] as const)('is none of a plan that cannot be read: %s', (kind) => {
    const empty = { coefficients: [], notes: [], charge: {} }
    for (const plan of [{}, null, { columns: 'x' }, { model: {}, charge: {} }])
      expect(isAnswerOf({ kind, plan }, (kind === 'query' ? answer : empty) as JsonValue)).toBe(false)
  })

  it('ends the job as it ended there', async () => {
    await expect(accept(await given({ kind: 'failed' }))).rejects.toMatchObject({ code: 'EXECUTION_FAILED' })
    await expect(accept(await given({ kind: 'too-few-contributors' }))).rejects.toMatchObject({
      code: 'TOO_FEW_CONTRIBUTORS_AFTER_NOISE',
    })
  })
})

describe('an answer of a computation', () => {
  const computation = {
    model: { features: [{ name: 'education' }] },
    charge: { '0xaa': { epsilon: 1, delta: 0 } },
  }
  const coefficient = (name: string) => ({ name, value: 1, low: 0, high: 2 })
  const fitted = {
    coefficients: [coefficient('intercept'), coefficient('education')],
    notes: [],
    charge: { '0xaa': { epsilon: 1, delta: 0 } },
  }
  const planned = { kind: 'compute', plan: computation } as const
  it('is believed with the coefficients of its plan, and with no others', async () => {
    expect((await accept(await given({ kind: 'answer', answer: fitted }), planned)).outcome).toEqual({
      kind: 'answer',
      answer: fitted,
    })
    const bad = [
      { ...fitted, coefficients: fitted.coefficients.slice(1) },
      { ...fitted, coefficients: [...fitted.coefficients, coefficient('more')] },
      { ...fitted, coefficients: [coefficient('education'), coefficient('intercept')] },
      { ...fitted, charge: {} },
      { ...fitted, residuals: [1] },
      answer,
    ]
    for (const one of bad) {
      await expect(
        accept(await given({ kind: 'answer', answer: one as JsonValue }), planned),
      ).rejects.toMatchObject(invalid(/form that the plan declares/))
    }
  })
})

describe('a share of another node', async () => {
  const planned = await planJob(handOffManifest({ shards: 3 }), [handOffPool])
  const { query } = planned
  if (query === undefined) throw new Error('it is a query')
  const share = await shareOfPlan({ plan: query, engine: engine() })
  const gave: HandOffOutcome = { kind: 'share', share }
  const shard = '2/3'

  it('is believed of the shard that its node was given', async () => {
    const { outcome, work } = await accept(await given(gave, { work: { shard } }), planned, shard)
    expect([outcome, work.body.shard]).toEqual([gave, shard])
  })

  it.each<[string, HandOffOutcome, Partial<Work>, string | undefined, RegExp]>([
    ['its work names another shard', gave, { shard: '1/3' }, shard, /another shard/],
    ['its work names none', gave, {}, shard, /another shard/],
    ['an answer comes in its place', told, { shard }, shard, /form that the plan declares/],
    [
      'it has another form',
      { kind: 'share', share: { releases: [] } },
      { shard },
      shard,
      /form that the plan/,
    ],
    [
      'too few contributors are told in its place',
      { kind: 'too-few-contributors' },
      { shard },
      shard,
      /form that/,
    ],
    ['the job is run whole', gave, {}, undefined, /form that the plan declares/],
    ['the job is run whole, and its work names a shard', told, { shard }, undefined, /another shard/],
  ])('is refused when %s', async (_, outcome, work, asked, why) => {
    await expect(accept(await given(outcome, { work }), planned, asked)).rejects.toMatchObject(invalid(why))
  })
})
