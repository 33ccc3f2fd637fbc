import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { QueryError } from '../errors.js'
import { testPolicy } from '../testing/pools.js'
import { planQuery } from './plan-query.js'

const file = new URL('../../../../../shared/data/sql/attacks.json', import.meta.url)
const path = existsSync(file) ? file : null
if (path === null) console.info(`skipped: no attack statements at ${file.pathname}`)

const text = (name: string) => ({ name, type: 'text' as const, nullable: false, use: [] })
const number = (name: string, min: number, max: number) => ({
  name,
  type: 'integer' as const,
  min,
  max,
  nullable: false,
  use: ['measure' as const, 'filter' as const],
})
/** Everything that can be allowed is allowed here: what is refused is refused by the planner, not by the policy. */
const pools = [
  {
    name: 'd12',
    address: '0x1',
    policy: testPolicy(
      'd12',
      [
        {
          name: 'members',
          rowsPerContributor: 1,
          columns: [
            number('age', 18, 77),
            {
              name: 'country',
              type: 'text',
              values: ['US', 'DE', 'FR', 'JP'],
              nullable: false,
              use: ['group', 'filter'],
            },
            {
              name: 'hiv',
              type: 'boolean',
              nullable: false,
              values: [false, true],
              use: ['group', 'filter'],
            },
            number('income', 20_000, 200_000),
            { ...text('email'), use: ['filter'] },
          ],
        },
        {
          name: 'fitness',
          rowsPerContributor: 20,
          columns: [
            { ...text('day'), use: ['filter'] },
            number('steps', 0, 20_000),
            number('heart_rate', 40, 160),
            text('zip'),
          ],
        },
      ],
      { joins: { allowed: true, with: ['d7'] } },
    ),
  },
  {
    name: 'd7',
    address: '0x2',
    policy: testPolicy(
      'd7',
      [
        {
          name: 'spend',
          rowsPerContributor: 12,
          columns: [
            number('month', 0, 11),
            {
              name: 'category',
              type: 'text',
              values: ['food', 'rent', 'health'],
              nullable: false,
              use: ['group', 'filter'],
            },
            number('amount', 0, 1000),
          ],
        },
      ],
      { joins: { allowed: true, with: ['d12'] } },
    ),
  },
]

interface Item {
  readonly id: number
  readonly decision: 'REJECT' | 'DP' | 'SAME'
  readonly sql: string
}

if (path === null) console.log('attack statements: shared/data/sql is not here, so they are not tested')
const items = path === null ? [] : (JSON.parse(readFileSync(path, 'utf8')) as readonly Item[])
const rejected = items
  .filter(({ decision }) => decision === 'REJECT')
  .flatMap(({ id, sql }) =>
    sql.split(';;').map((part) => ({ id, sql: part.replace(/\bwallet\b/g, 'contributor') })),
  )

describe.skipIf(path === null)('attack statements', () => {
  it.each(rejected)('refuses $id: $sql', async ({ sql }) => {
    const run = planQuery({ sql, pools, budget: { epsilon: 1, delta: 0 } })
    // A filter on an address column that the policy allows is the policy's choice, not the planner's.
    await expect(run).rejects.toBeInstanceOf(QueryError)
  })

  it('gives noise and a charge to every other statement that it plans', async () => {
    let planned = 0
    for (const { sql, decision } of items) {
      if (decision === 'REJECT') continue
      for (const part of sql.split(';;')) {
        const run = planQuery({ sql: part, pools, budget: { epsilon: 1, delta: 0 } })
        const plan = await run.catch((error: unknown) => {
          expect(error).toBeInstanceOf(QueryError)
          return null
        })
        if (plan === null) continue
        planned += 1
        expect(plan.statistics.every(({ scale }) => BigInt(scale.numerator) > 0n)).toBe(true)
        expect(plan.pools.every(({ charge }) => charge.epsilon === 1)).toBe(true)
      }
    }
    expect(planned).toBeGreaterThan(15)
  })
})
