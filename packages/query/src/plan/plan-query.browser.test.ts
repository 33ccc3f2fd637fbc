import { describe, expect, it } from 'vitest'
import { explainPlan, openSqlGrammar, planDigest, planQuery, type QueryError } from '../index.js'
import { hostile } from '../testing/hostile.js'
import { testPools } from '../testing/pools.js'

const wasm = new URL('../../../../node_modules/libpg-query/wasm/libpg-query.wasm', import.meta.url)
const budget = { epsilon: 1, delta: 0 }
const sql =
  'SELECT gender, avg(wage) AS pay, count(*) FROM pay.workers JOIN people.persons USING (contributor) GROUP BY gender'

describe('in a browser', () => {
  it('a page without a grammar is told what to do', async () => {
    await expect(planQuery({ sql, pools: testPools(), budget })).rejects.toMatchObject({
      code: 'GRAMMAR_UNAVAILABLE',
    })
  })

  it('a query is planned, priced, explained and named before anybody is asked', async () => {
    const grammar = await openSqlGrammar(await (await fetch(wasm)).arrayBuffer())
    const plan = await planQuery({ sql, pools: testPools(), budget, grammar })
    expect(plan.pools.map(({ name, charge }) => [name, charge])).toEqual([
      ['pay', { epsilon: 1, delta: 0 }],
      ['people', { epsilon: 1, delta: 0 }],
    ])
    expect(plan.expectedErrors.find(({ column }) => column === 'count')?.plusMinus).toBeGreaterThan(0)
    expect(explainPlan(plan).text.join('\n')).toContain('pay')
    expect(planDigest(plan)).toBe(planDigest(await planQuery({ sql, pools: testPools(), budget, grammar })))
  })

  it('hostile statements are refused there, too', async () => {
    const grammar = await openSqlGrammar(await (await fetch(wasm)).arrayBuffer())
    for (const statement of Object.values(hostile).flat()) {
      const error = await planQuery({ sql: statement, pools: testPools(), budget, grammar }).then(
        () => null,
        (reason: QueryError) => reason,
      )
      expect(error?.name, statement).toBe('QueryError')
    }
  })
})
