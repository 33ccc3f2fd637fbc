import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Digest, sha256Digest } from '../digest/digest.js'
import {
  claimsOf,
  define,
  inputs,
  inputsFor,
  key,
  members,
  partsOf,
  session,
  shares,
  sum,
  transcript,
  values,
} from '../testing/aggregate-question.js'
import { runSession, testMembers, testSession } from '../testing/committee.js'
import {
  type AggregateDefinition,
  type AggregateTranscript,
  aggregateDigest,
  combineAggregateParts,
  verifyTranscript,
} from './index.js'

describe('the transcript of an aggregate', () => {
  const expecting = (definition: AggregateDefinition) => ({
    expect: { definition: aggregateDigest(definition) },
  })

  it('is checked whole, and every part of it that is changed is found', async () => {
    const claims = await claimsOf(sum, inputs)
    const parts = await partsOf(sum, inputs)
    const { result } = combineAggregateParts({ key, definition: sum, inputs, parts })
    const whole = { sessions: [{ session, transcript }], definition: sum, inputs, claims, parts, result }
    expect(verifyTranscript(whole, expecting(sum))).toEqual({ ok: true, failed: null, reason: null })
    const judge = (change: object) => verifyTranscript({ ...whole, ...change }, expecting(sum)).failed
    for (const hostile of [
      { sessions: [] },
      { sessions: null },
      { sessions: [null] },
      { sessions: [{ session, transcript: null }] },
      { sessions: [{ session: null, transcript }] },
      { more: 1 },
      { sessions: [{ session, transcript: { ...transcript, complaints: 7 } }] },
      { sessions: [{ session, transcript: { ...transcript, deals: [] } }] },
      { sessions: [{ session, transcript: { ...transcript, more: [] } }] },
      { sessions: [{ session, transcript, more: [] }] },
      { sessions: [...whole.sessions, ...whole.sessions] },
      { sessions: [{ session: { ...session, threshold: 3 }, transcript }] },
    ]) {
      expect(judge(hostile)).toBe('key')
    }
    for (const hostile of [
      { definition: null },
      { definition: { ...sum, pool: `0x${'9'.repeat(40)}` } },
      { definition: { ...sum, minimumCohort: 2 } },
    ]) {
      expect(judge(hostile)).toBe('definition')
    }
    expect(judge({ inputs: null })).toBe('inputs')
    expect(judge({ inputs: inputs.slice(0, 2) })).toBe('inputs')
    expect(judge({ inputs: inputs.slice(1) })).toBe('claims')
    expect(judge({ claims: null })).toBe('claims')
    expect(judge({ claims: claims.slice(1) })).toBe('claims')
    expect(judge({ parts: null })).toBe('parts')
    expect(judge({ parts: parts.slice(1) })).toBe('parts')
    const failed = { session, transcript: { commitments: [], deals: [], complaints: [] } }
    expect(judge({ sessions: [failed] })).toBe('key')
    expect(judge({ sessions: [failed, { session, transcript }] })).toBe('key')
    for (const hostile of [
      null,
      [],
      { ...result, values: [21] },
      { ...result, values: [20, 0] },
      { ...result, values: ['20'] },
      { ...result, values: [20.5] },
      { ...result, values: [2 ** 60] },
      { ...result, values: [-16] },
      { ...result, contributors: 6 },
      { ...result, inputsRoot: result.definition },
      { ...result, definition: result.inputsRoot },
      { ...result, more: 1 },
    ]) {
      expect(judge({ result: hostile }), JSON.stringify(hostile)).toBe('result')
    }
  })

  it('of another question than the reader asked is refused, and so is one of another committee', async () => {
    const parts = await partsOf(sum, inputs)
    const claims = await claimsOf(sum, inputs)
    const { result } = combineAggregateParts({ key, definition: sum, inputs, parts })
    const whole = { sessions: [{ session, transcript }], definition: sum, inputs, claims, parts, result }
    const other = define(sum.measure, { minimumCohort: 4 })
    expect(verifyTranscript(whole, expecting(other)).failed).toBe('definition')
    for (const change of [
      { pool: `0x${'33'.repeat(20)}` as const },
      { registry: `0x${'33'.repeat(20)}` as const },
      { chainId: 1 },
      { session: sha256Digest(new Uint8Array()) },
    ]) {
      const elsewhere = define(sum.measure, change)
      const verdict = verifyTranscript({ ...whole, definition: elsewhere }, expecting(elsewhere))
      expect(verdict).toMatchObject({
        failed: 'definition',
        reason: expect.stringContaining('another committee'),
      })
    }
    const refusals = [
      ['OPTION_INVALID', [undefined, {}, { expect: null }]],
      ['DIGEST_INVALID', [{ expect: {} }, { expect: { definition: 'x' } }]],
    ] as const
    for (const [code, nothing] of refusals) {
      for (const each of nothing) {
        expect(() => verifyTranscript(whole, each as never)).toThrow(expect.objectContaining({ code }))
      }
    }
  })

  it('holds across a resharing, for what was asked of the new committee', async () => {
    const next = testMembers('reshared', 2)
    const resharing = testSession(next, 2, { previous: key })
    const moved = runSession(next, resharing, { members, shares })
    const question = define(sum.measure, { session: moved.key.session })
    const answers = inputsFor(question, values)
    const committee = { key: moved.key, members: next }
    const claims = await claimsOf(question, answers, committee)
    const parts = await partsOf(question, answers, moved.shares, committee)
    const { result } = combineAggregateParts({ key: moved.key, definition: question, inputs: answers, parts })
    const sessions = [
      { session, transcript },
      { session: resharing, transcript: moved.transcript },
    ]
    const whole = { sessions, definition: question, inputs: answers, claims, parts, result }
    expect(verifyTranscript(whole, expecting(question)).ok).toBe(true)
    expect(verifyTranscript({ ...whole, sessions: sessions.slice(1) }, expecting(question)).failed).toBe(
      'key',
    )
  })
})

// All of them, and the reader beside them, run with `npm run conformance -- crypto`; here are those of forms, repetition and parts.
const published = JSON.parse(
  readFileSync(new URL('../../../../docs/formats/vectors/threshold.json', import.meta.url), 'utf8'),
) as {
  readonly aggregates: Readonly<
    Record<'sum' | 'histogram', { digest: Digest; transcript: AggregateTranscript }>
  > & {
    readonly negative: readonly {
      readonly name: string
      readonly of?: 'sum' | 'histogram'
      readonly at: readonly (string | number)[]
      readonly value: unknown
      readonly failed: string | null
    }[]
  }
}
const ofForm = published.aggregates.negative.filter(({ name }) =>
  /capital|anybody|form|one total|second|a sum/.test(name),
)
const put = (honest: unknown, [name, ...rest]: readonly (string | number)[], value: unknown): unknown => {
  if (name === undefined) return value
  const copy = (Array.isArray(honest) ? [...honest] : { ...(honest as object) }) as Record<string, unknown>
  copy[name] = put(copy[name], rest, value)
  return copy
}
it.each(ofForm.map((each) => [each.name, each] as const))(
  'as published: %s',
  (_, { of = 'sum', at, value, failed }) => {
    const { digest, transcript } = published.aggregates[of]
    const verdict = verifyTranscript(put(transcript, at, value) as AggregateTranscript, {
      expect: { definition: digest },
    })
    expect([verdict.ok, verdict.failed]).toEqual([failed === null, failed])
  },
)
it('the independent reader takes totals that are numbers alone', async () => {
  const path = new URL('../../../../conformance/reader/aggregate.mjs', import.meta.url).href
  const { failedStep } = (await import(path)) as {
    failedStep(transcript: unknown, definition: Digest): string | null
  }
  const { digest, transcript } = published.aggregates.sum
  for (const { name, at, value, failed } of ofForm.filter((each) => each.name.startsWith('a sum'))) {
    expect([name, failedStep(put(transcript, at, value), digest)]).toEqual([name, failed])
  }
  expect(failedStep(transcript, digest)).toBeNull()
})
it('published cases are there', () => expect(ofForm.length).toBeGreaterThan(11))
