import { describe, expect, it } from 'vitest'
import { planQuery } from '../plan/plan-query.js'
import { testPools } from '../testing/pools.js'
import { explainPlan } from './explain-plan.js'

const explain = async (sql: string, epsilon = 1) =>
  explainPlan(await planQuery({ sql, pools: testPools(), budget: { epsilon, delta: 0 } }))

describe('an explanation', () => {
  it('tells the charge of each pool and the error of each output before anything runs', async () => {
    const sql =
      'SELECT gender, avg(wage) AS mean_wage, count(*) AS workers FROM pay.workers JOIN people.persons USING (contributor) GROUP BY gender'
    const { charge, expectedErrors, text, outputs } = await explain(sql)
    expect(charge).toEqual({ pay: { epsilon: 1, delta: 0 }, people: { epsilon: 1, delta: 0 } })
    expect(outputs.map(({ kind }) => kind)).toEqual(['key', 'average', 'count'])
    expect(expectedErrors.map(({ column }) => column)).toEqual(['mean_wage', 'workers'])
    expect(text.join('\n')).toContain('Pool people is charged epsilon 1 and delta 0.')
  })

  it('expects less error of more epsilon, of larger groups, and within the range of an average', async () => {
    const sql = 'SELECT avg(wage) AS a, sum(wage) AS s, count(*) AS c FROM pay.workers'
    const [little, much] = [await explain(sql, 0.5), await explain(sql, 2)]
    for (const [index, error] of little.expectedErrors.entries()) {
      const better = much.expectedErrors[index]
      if (error.plusMinus !== null) expect(better?.plusMinus ?? 0).toBeLessThan(error.plusMinus)
      const widths = error.bySize.map(({ plusMinus }) => plusMinus)
      expect([...widths].sort((a, b) => b - a)).toEqual(widths)
      expect(Math.max(0, ...widths)).toBeLessThanOrEqual(50)
    }
  })

  it('says when further rows of a contributor are left out', async () => {
    const { text } = await explain('SELECT zone, count(*) FROM trips.rides GROUP BY zone')
    expect(text.join('\n')).toContain('at most 3 rows')
  })
})
