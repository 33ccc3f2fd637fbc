import { digestOf, type JsonObject } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { bundle } from '../testing/fixture.js'
import { accessAnswer } from './access.js'
import { parsePoolRules } from './documents.js'
import { type ReceiptBody, receiptBodySchema } from './receipt.js'
import { verifyReceipt } from './verify.js'

const rules = digestOf('rules')
type Access = NonNullable<ReceiptBody['pools'][number]['access']>
const judged = (...verdicts: Access['conditions'][number]['verdict'][]): Access => ({
  block: '7',
  hash: `0x${'ab'.repeat(32)}`,
  conditions: verdicts.map((verdict, index) => ({ rules: index === 0 ? rules : digestOf('added'), verdict })),
})
const released = { outcome: 'released', refusal: null } as const
const refused = (code: string) => ({ outcome: 'refused', refusal: { code, message: 'x' } }) as const

const refusedBy = (reason: string) => {
  const [keySet, quote, refusal] = ['keys', 'quote', 'word'].map((name) => digestOf(name)) as [
    typeof rules,
    typeof rules,
    typeof rules,
  ]
  return {
    refusedBy: { node: `0x${'cd'.repeat(20)}` as const, keySet, quote, reason, charged: false, refusal },
  }
}

function answer(
  receipt: Parameters<typeof accessAnswer>[0],
  access: Access | undefined,
  asked: typeof rules | undefined,
): string {
  const { data } = receiptBodySchema.safeParse(bundle().receipt.statement.body) as { data: ReceiptBody }
  const pool = {
    ...data.pools[0],
    ...(access === undefined ? {} : { access }),
  } as ReceiptBody['pools'][number]
  return accessAnswer(receipt, [{ pool, rules: { access: asked } }]).result
}

describe('access in a receipt', () => {
  it.each<[string, Parameters<typeof answer>, string]>([
    ['no condition, none judged', [released, undefined, undefined], 'pass'],
    ['a condition that was met', [released, judged('yes'), rules], 'pass'],
    ['and one of a restriction, met too', [released, judged('yes', 'yes'), rules], 'pass'],
    ['one of a restriction alone', [released, judged('yes'), undefined], 'pass'],
    ['a condition that was not judged', [released, undefined, rules], 'fail'],
    ['a condition that was judged by other rules', [released, judged('yes'), digestOf('other')], 'fail'],
    ['a condition that was not met', [released, judged('no'), rules], 'fail'],
    ['a condition that could not be told', [released, judged('unknown'), rules], 'fail'],
    ['one of a restriction that was not met', [released, judged('yes', 'no'), rules], 'fail'],
    ['refused for want of access', [refused('ACCESS_DENIED'), judged('no'), rules], 'pass'],
    ['refused since it could not be told', [refused('ACCESS_UNKNOWN'), judged('unknown'), rules], 'pass'],
    ['refused for want of access that was there', [refused('ACCESS_DENIED'), judged('yes'), rules], 'fail'],
    [
      'refused by another home, where it was not met at its block',
      [{ ...refused('ACCESS_DENIED'), ...refusedBy('ACCESS_DENIED') }, judged('yes'), rules],
      'pass',
    ],
    [
      'refused for want of access that was there, when another home refused for something else',
      [{ ...refused('ACCESS_DENIED'), ...refusedBy('POOL_STOPPED') }, judged('yes'), rules],
      'fail',
    ],
    ['refused before it was judged', [refused('POOL_STOPPED'), undefined, rules], 'pass'],
    ['refused for something else without access', [refused('BUDGET_EXHAUSTED'), judged('no'), rules], 'fail'],
  ])('%s', (_, asked, result) => {
    expect(answer(...asked)).toBe(result)
  })

  it('is held against the policy whose digest the receipt names', () => {
    const access: JsonObject = { version: 1, use: { wallets: [`0x${'ab'.repeat(20)}`] } }
    const whole = bundle()
    const [first, ...others] = whole.policies
    const policy: JsonObject = { ...(first as JsonObject), access }
    const name = String(policy['name'])
    expect(parsePoolRules(policy, name).access).toBe(digestOf(access))
    expect(parsePoolRules(first, name).access).toBe(undefined)
    const verdictOf = (judgedRules: typeof rules) => {
      const changed = bundle((body) => ({
        ...body,
        pools: body.pools.map((pool) =>
          pool.name === name
            ? {
                ...pool,
                policy: digestOf(policy),
                access: { ...judged('yes'), conditions: [{ rules: judgedRules, verdict: 'yes' as const }] },
              }
            : pool,
        ),
      }))
      const { checks } = verifyReceipt({ ...changed, policies: [policy, ...others] })
      return checks.find(({ id }) => id === 'access')
    }
    expect(verdictOf(digestOf(access))).toMatchObject({ result: 'pass' })
    expect(verdictOf(rules)).toMatchObject({ result: 'fail', detail: expect.stringContaining(name) })
  })
})
