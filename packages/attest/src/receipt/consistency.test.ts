import { digestOf, digestToHex, type JsonObject, type StatementContext } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { bundle, deployment, jobParts, signReceipt } from '../testing/fixture.js'
import type { ReceiptBody } from './receipt.js'
import { verifyReceipt } from './verify.js'

/** The checks that do not pass when the node's own key signs something else. */
function open(
  change: (body: ReceiptBody) => ReceiptBody,
  options: { readonly kind?: 'query' | 'compute'; readonly context?: Partial<StatementContext> } = {},
): string[] {
  const whole = bundle(undefined, options.kind)
  const receipt = signReceipt(change(jobParts(options.kind).body), undefined, options.context)
  const { ok, checks } = verifyReceipt({ ...whole, receipt })
  const ids = checks.filter(({ result }) => result !== 'pass').map(({ id }) => id)
  expect(ok).toBe(ids.length === 0)
  return ids
}
const same = (body: ReceiptBody) => body
const firstPool = (change: (pool: ReceiptBody['pools'][number]) => object) => (body: ReceiptBody) => ({
  ...body,
  pools: body.pools.map((pool, place) => (place === 0 ? { ...pool, ...change(pool) } : pool)),
})
const charging = (epsilon: string, after: string) =>
  firstPool(({ budget }) => ({
    budget: budget && {
      ...budget,
      after: { ...budget.after, epsilonSpent: after },
      charged: { ...budget.charged, epsilon },
    },
  }))
const refusing = (code: string) => (body: ReceiptBody) => ({
  ...body,
  outcome: 'refused' as const,
  refusal: { code, message: 'no' },
  result: null,
})
const uncharged = (body: ReceiptBody) => ({
  ...body,
  pools: body.pools.map((pool) => ({ ...pool, budget: null })),
})

describe('a receipt that contradicts its bundle, although the node’s own key signed it', () => {
  const cases: readonly (readonly [string, Parameters<typeof open>, string])[] = [
    ['charges less than the plan', [charging('0.1', '1.6')], 'charge'],
    ['charges more than the plan', [charging('0.8', '2.3')], 'charge'],
    ['charges a computation less than its plan', [charging('0.1', '1.6'), { kind: 'compute' }], 'charge'],
    [
      'counts fewer inputs than there are verdicts',
      [firstPool(({ inputs }) => ({ inputs: { ...inputs, count: 0 } }))],
      'verdicts',
    ],
    [
      'names another job than it was signed for',
      [(body) => ({ ...body, job: { ...body.job, id: '77' } })],
      'context',
    ],
    ['names a job that is no number', [(body) => ({ ...body, job: { ...body.job, id: '0x7' } })], 'context'],
    ['is of the future', [(body) => ({ ...body, issuedAt: '2026-11-20T13:00:01Z' })], 'issued'],
    ['was signed for another chain', [same, { context: { chainId: 1 } }], 'context'],
    ['was signed for another registry', [same, { context: { registry: `0x${'9'.repeat(40)}` } }], 'context'],
    ['was signed for another pool', [same, { context: { pool: `0x${'9'.repeat(40)}` } }], 'context'],
    ['was signed for another job', [same, { context: { subject: `0x${'00'.repeat(31)}08` } }], 'context'],
    ['was signed with another nonce', [same, { context: { nonce: '1' } }], 'context'],
    ['was signed with facts', [same, { context: { facts: [{ type: 'bool', value: true }] } }], 'context'],
  ]
  it.each(cases)('%s', (_, [change, options], check) => {
    expect(open(change, options)).toEqual([check])
  })
})

describe('a refusal', () => {
  const refused = (change: (body: ReceiptBody) => ReceiptBody) => {
    const { result: _, sealedResult: __, ...whole } = bundle()
    const receipt = signReceipt(change(jobParts().body))
    const { checks } = verifyReceipt({ ...whole, receipt })
    return checks.filter(({ result }) => result !== 'pass').map(({ id }) => id)
  }

  it('that looked at no data is not charged', () => {
    expect(refused((body) => uncharged(refusing('BUDGET_EXHAUSTED')(body)))).toEqual([])
    expect(refused(refusing('BUDGET_EXHAUSTED'))).toEqual(['charge'])
  })

  it('that looked at data is charged like an answer, in every pool', () => {
    for (const code of [
      'EXECUTION_FAILED',
      'TOO_FEW_CONTRIBUTORS_AFTER_NOISE',
      'SOURCES_AWAY',
      'PROGRAM_INTERRUPTED',
    ]) {
      expect(refused(refusing(code))).toEqual([])
      expect(refused((body) => uncharged(refusing(code)(body)))).toEqual(['charge'])
      expect(refused((body) => firstPool(() => ({ budget: null }))(refusing(code)(body)))).toEqual(['charge'])
    }
  })

  it('after the charge may leave open what homes charged that gave no share, and nothing else may', () => {
    type Pools = ReceiptBody['pools']
    const leaving = (code: string, pools: (all: Pools) => Pools, left: (all: Pools) => Pools) =>
      refused((body) => ({
        ...refusing(code)(body),
        pools: pools(body.pools),
        unanswered: left(body.pools).map(({ pool }) => pool),
      }))
    const first = (all: Pools) => all.slice(0, 1)
    const rest = (all: Pools) => all.slice(1)
    expect(jobParts().body.pools).toHaveLength(2)
    const { policies = [], verdicts = {}, ...whole } = bundle()
    const { result: _, sealedResult: __, ...refusedWhole } = whole
    const body = refusing('EXECUTION_FAILED')(jobParts().body)
    const own = first(body.pools)
    const { checks } = verifyReceipt({
      ...refusedWhole,
      policies: policies.filter((policy) => digestOf(policy) === own[0]?.policy),
      verdicts: Object.fromEntries(
        Object.entries(verdicts).filter(([pool]) => pool.toLowerCase() === own[0]?.pool.toLowerCase()),
      ),
      receipt: signReceipt({ ...body, pools: own, unanswered: rest(body.pools).map(({ pool }) => pool) }),
    })
    const charge = checks.find(({ id }) => id === 'charge')
    expect(charge).toMatchObject({
      result: 'pass',
      detail: expect.stringContaining(String(body.pools[1]?.pool)),
    })
    const nobody = () => []
    const all = (pools: Pools) => pools
    expect(leaving('EXECUTION_FAILED', first, nobody)).toContain('charge')
    expect(leaving('EXECUTION_FAILED', nobody, all)).toContain('charge')
    expect(leaving('EXECUTION_FAILED', all, rest)).toContain('charge')
    expect(leaving('EXECUTION_FAILED', first, first)).toContain('charge')
    expect(
      leaving('EXECUTION_FAILED', first, () => [{ ...own[0], pool: `0x${'9'.repeat(40)}` } as Pools[number]]),
    ).toContain('charge')
    expect(
      refused((whole) => ({
        ...uncharged(refusing('BUDGET_EXHAUSTED')(whole)),
        unanswered: [`0x${'9'.repeat(40)}`],
      })),
    ).toEqual(['charge'])
    expect(open((whole) => ({ ...whole, unanswered: [`0x${'9'.repeat(40)}`] }))).toEqual(['charge'])
  })

  it('of a plan that is on no chain is signed for its manifest', () => {
    const { result: _, sealedResult: __, ...whole } = bundle()
    const body = uncharged(refusing('SELECT_STAR')(jobParts().body))
    const planned = { ...body, job: { ...body.job, id: 'plan' } }
    const judge = (subject: `0x${string}`) => {
      const { checks } = verifyReceipt({ ...whole, receipt: signReceipt(planned, undefined, { subject }) })
      return checks.filter(({ result }) => result !== 'pass').map(({ id }) => id)
    }
    expect(judge(digestToHex(body.job.manifest))).toEqual([])
    expect(judge(`0x${'00'.repeat(31)}07`)).toEqual(['context'])
  })
})

describe('a plan', () => {
  const { manifest: _, ...whole } = { ...bundle(), plan: undefined as JsonObject | undefined }
  const judge = (plan: JsonObject) => {
    const { body, manifest } = jobParts()
    const receipt = signReceipt({ ...body, plan: digestOf(plan) })
    return verifyReceipt({ ...whole, manifest, plan, receipt }).checks.find(({ id }) => id === 'charge')
  }
  const [first, second] = jobParts().body.pools.map(({ pool }) => pool) as [string, string]
  const charge = { epsilon: 0.75, delta: 1e-7 }

  it.each([
    ['charges nobody', {}],
    ['charges one pool of two', { pools: [{ address: first, charge }] }],
    [
      'charges a pool twice',
      {
        pools: [
          { address: first, charge },
          { address: first, charge },
        ],
      },
    ],
    [
      'charges another pool',
      {
        pools: [
          { address: first, charge },
          { address: `0x${'9'.repeat(40)}`, charge },
        ],
      },
    ],
    [
      'charges text',
      { pools: [first, second].map((address) => ({ address, charge: { epsilon: '1', delta: 0 } })) },
    ],
    ['charges less than nothing', { charge: { [first]: { epsilon: -1, delta: 0 }, [second]: charge } }],
    ['has no charges in its pools', { pools: [null, 7] }],
  ])('that %s does not bear out a charge', (_name, plan) => {
    expect(judge(plan as JsonObject)?.result).toBe('fail')
  })
})

it('a verifier who does not say which contracts it means is told so', () => {
  const { deployment: _, ...whole } = bundle()
  const context = verifyReceipt(whole).checks.find(({ id }) => id === 'context')
  expect(context).toMatchObject({
    result: 'not-checked',
    detail: expect.stringContaining(deployment.registry),
  })
  expect(verifyReceipt(whole).ok).toBe(false)
})
