import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { measuredTrace, traceSchema } from '../config/trace-settings.js'
import { attemptJob } from '../runtime/attempt-job.js'
import { nodeLogger } from '../runtime/logger.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { engine, jobFixture, manifest } from '../testing/job-fixture.js'
import { otlpSpans } from './otlp-spans.js'
import { type Span, spanAttributes, spanNames } from './span.js'
import { spanExporter } from './span-exporter.js'
import { openTracer, type Tracer } from './tracer.js'

const scope = { chainId: 31_337, registry: `0x${'f'.repeat(40)}` }
const digest = `sha256:${'ab'.repeat(32)}`

function tracing(change: { readonly times?: readonly number[] } = {}) {
  const spans: Span[] = []
  const times = [...(change.times ?? [])]
  let last = 1_700_000_000
  const tracer: Tracer = openTracer({
    scope,
    gridSeconds: 60,
    now: () => {
      last = times.shift() ?? last
      return last
    },
    random: (length) => new Uint8Array(length).fill(spans.length + 1),
    take: (span) => spans.push(span),
  })
  return { spans, tracer }
}

describe('what a span says', () => {
  it('is ids, digests and states in their forms, and nothing else whatever it is given', () => {
    expect(spanAttributes({ job: '7', manifest: digest, state: 'charged' })).toEqual({
      'sealpool.job': '7',
      'sealpool.manifest': digest,
      'sealpool.state': 'charged',
    })
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '1e3',
        '07',
        '-1',
        `${'9'.repeat(21)}`,
        `${digest}0`,
        `${digest}\n`,
        ` ${digest}`,
        '7\n',
        'Alice',
      ),
      fc.constantFrom('charged ', 'chargedx', 'xcharged', '__proto__', 'constructor'),
    )
    fc.assert(
      fc.property(text, text, text, (job, named, state) => {
        const said = Object.values(spanAttributes({ job, manifest: named, state }))
        for (const value of said) expect(value).toMatch(/^(0|[1-9]\d{0,19}|sha256:[0-9a-f]{64}|[a-z]{4,10})$/)
      }),
    )
    // What no type checker has seen.
    const more = { job: '7', wage: '4200', sql: 'SELECT', manifest: { toString: () => digest } } as never
    expect(spanAttributes(more)).toEqual({ 'sealpool.job': '7' })
    expect(spanAttributes({ job: '7', state: 'alice' })).toEqual({ 'sealpool.job': '7' })
    const pool = `0x${'ab'.repeat(20)}`
    expect(spanAttributes({ pool, batch: '3', refinement: '0' })).toEqual({
      'sealpool.pool': pool,
      'sealpool.batch': '3',
      'sealpool.refinement': '0',
    })
    for (const wrong of [`${pool}0`, pool.toUpperCase(), 'pay', ''])
      expect(spanAttributes({ pool: wrong, batch: '-3', refinement: '1e9' })).toEqual({})
    expect(spanAttributes({ pool, contribution: '7', owner: pool } as never)).toEqual({
      'sealpool.pool': pool,
    })
  })

  it('stands on a grid, and has some length however short the step was', async () => {
    const { spans, tracer } = tracing({ times: [1_000_000_019, 1_000_000_021, 60, 119, 59, 61] })
    for (let turn = 0; turn < 3; turn++) await tracer.step('job.run', { job: '1' }, async () => undefined)
    expect(spans.map(({ start, end }) => [start % 60, end % 60, (end - start) / 60])).toEqual([
      [0, 0, 2],
      [0, 0, 1],
      [0, 0, 2],
    ])
  })

  it('is the same for a step that fails, which is not told', async () => {
    const { spans, tracer } = tracing()
    await tracer.step('job.run', { job: '1' }, async () => 'an answer')
    const failure = new Error('a wage of 4200')
    await expect(tracer.step('job.run', { job: '1' }, () => Promise.reject(failure))).rejects.toBe(failure)
    const [one, other] = spans.map((span) => ({ ...span, spanId: '' }))
    expect(other).toEqual(one)
    await tracer.step('job.run', { job: 'no number' }, async () => undefined)
    expect(spans).toHaveLength(2)
  })

  it('has one trace for each job of a chain', async () => {
    const { spans, tracer } = tracing()
    for (const job of ['1', '1', '2']) await tracer.step('job.run', { job }, async () => undefined)
    for (const pool of ['0x1', `0x${'ab'.repeat(20)}`, `0x${'ab'.repeat(20)}`])
      await tracer.step('ingest.judge', { pool }, async () => undefined)
    // What is about nothing that is public has no span.
    expect(spans).toHaveLength(5)
    expect(spans[3]?.traceId).toBe(spans[4]?.traceId)
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(3)
    const [first, again, second] = spans
    expect(first?.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(first?.spanId).toMatch(/^[0-9a-f]{16}$/)
    expect(again?.traceId).toBe(first?.traceId)
    expect(second?.traceId).not.toBe(first?.traceId)
  })
})

describe('a job', () => {
  let store: Awaited<ReturnType<typeof openPgliteStore>>
  afterAll(() => store.close())
  it('has a span for each of its steps, in which no word of it can be found', async () => {
    store = await openPgliteStore({ directory: 'memory' })
    await migrate(store)
    const world = jobFixture(store)
    await world.reset()
    const { spans, tracer } = tracing()
    const canary = 'CANARY-of-a-title'
    const id = await world.paid(manifest({ title: canary }))
    const job = world.context(() => engine(), { trace: tracer })
    const log = nodeLogger({ level: 'silent', simulated: true })
    expect(await attemptJob({ job, id, log, now: () => 0 })).toBe(true)
    expect((await findJob(store, id))?.state).toBe('settled')
    const own = spanNames.filter((name) => !name.startsWith('ingest.') && !/handed|visit/.test(name))
    expect(spans.map(({ name }) => name).sort()).toEqual([...own].sort())
    expect(spans.at(-1)?.attributes['sealpool.state']).toBe('settled')
    const said = JSON.stringify(otlpSpans(spans))
    expect(said).not.toContain(canary)
    // Every text that leaves is a name, an id, a digest or a time on the grid.
    const texts: string[] = []
    JSON.parse(said, (_name, value: unknown) => {
      if (typeof value === 'string') texts.push(value)
      return value
    })
    expect(texts.length).toBeGreaterThan(30)
    for (const text of texts)
      expect(text).toMatch(
        /^(settled|job\.[a-z]+|sealpool\.(job|manifest|state)|service\.name|sealpool-node|@sealpool\/enclave-node|[0-9a-f]{16}|[0-9a-f]{32}|sha256:[0-9a-f]{64}|\d{1,19})$/,
      )
  })
})

describe('sending spans', () => {
  const span: Span = {
    name: 'job.run',
    traceId: '0'.repeat(32),
    spanId: '1'.repeat(16),
    start: 60,
    end: 120,
    attributes: { 'sealpool.job': '7' },
  }
  const asked: string[] = []
  let answers: (number | 'none')[] = []
  beforeEach(() => {
    asked.length = 0
    answers = []
  })
  const exporter = () =>
    spanExporter(async (body) => {
      const answer = answers.shift() ?? 200
      if (answer === 'none') throw new TypeError('fetch failed')
      asked.push(body)
      return answer
    })

  it('is one call in the JSON form of OTLP, and none when there is nothing', async () => {
    const one = exporter()
    expect(await one.send()).toBe(false)
    expect(asked).toEqual([])
    one.take(span)
    expect(await one.send()).toBe(false)
    expect(asked).toHaveLength(1)
    expect(JSON.parse(asked[0] ?? '')).toEqual({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'sealpool-node' } }] },
          scopeSpans: [
            {
              scope: { name: '@sealpool/enclave-node' },
              spans: [
                {
                  traceId: '0'.repeat(32),
                  spanId: '1'.repeat(16),
                  name: 'job.run',
                  kind: 1,
                  startTimeUnixNano: '60000000000',
                  endTimeUnixNano: '120000000000',
                  attributes: [{ key: 'sealpool.job', value: { stringValue: '7' } }],
                },
              ],
            },
          ],
        },
      ],
    })
    await one.send()
    expect(asked).toHaveLength(1)
  })

  it.each([['none' as const], [503], [429]])(
    'waits when the answer is %s, and forgets nothing',
    async (answer) => {
      const one = exporter()
      one.take(span)
      answers = [answer]
      await expect(one.send()).rejects.toMatchObject({ code: 'TRACE_NOT_SENT' })
      asked.length = 0
      await one.send()
      expect(asked).toHaveLength(1)
    },
  )

  it('forgets what the collector refuses as it is, and what comes while too much waits', async () => {
    const one = exporter()
    one.take(span)
    answers = [400]
    await expect(one.send()).rejects.toMatchObject({ code: 'TRACE_NOT_SENT' })
    asked.length = 0
    await one.send()
    expect(asked).toEqual([])
    for (let count = 0; count < 5_100; count++) one.take(span)
    await one.send()
    const sent = asked.map((body) => (body.match(/"spanId"/g) ?? []).length)
    expect(sent).toEqual(new Array(10).fill(500))
  })
})

describe('the settings', () => {
  it('send nothing by default, keep the grid coarse, and measure it when they send', () => {
    expect(traceSchema.parse(undefined)).toBeNull()
    expect(measuredTrace(null)).toEqual({})
    const set = traceSchema.parse({ url: 'http://127.0.0.1:4318/v1/traces' })
    expect(measuredTrace(set)).toEqual({ trace: { gridSeconds: 60 } })
    for (const wrong of [{ url: 'x' }, { url: 'file:///etc' }, { url: 'http://x', gridSeconds: 1 }])
      expect(traceSchema.safeParse(wrong).success).toBe(false)
  })
})
