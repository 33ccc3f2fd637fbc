import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SqlEngine } from '../engine/engine.js'
import { planQuery } from '../plan/plan-query.js'
import { corpus, quantiles } from '../testing/corpus.js'
import { exactNumbers } from '../testing/exact-numbers.js'
import { memoryEngine } from '../testing/memory-engine.js'
import { loadReal, realPools, realPublic } from '../testing/real-data.js'

let engine: SqlEngine

beforeAll(async () => {
  engine = await memoryEngine()
  await loadReal(engine)
})
afterAll(() => engine?.close())

const watched = (slices: number) => {
  const asked: string[] = []
  const sliced: SqlEngine = {
    ...engine,
    slices,
    query: (sql, expectation) => {
      asked.push(sql)
      return engine.query(sql, expectation)
    },
  }
  return { sliced, asked }
}

const plan = (sql: string) =>
  planQuery({ sql, pools: realPools, publicTables: realPublic, budget: { epsilon: 1e6, delta: 0 } })

describe('a statement that is asked in slices of the contributors', () => {
  it.each([...corpus, ...quantiles].filter((sql, index) => index % 7 === 0 || sql.includes('sum(DISTINCT')))(
    'has the same exact numbers: %s',
    async (sql) => {
      const made = await plan(sql)
      const { sliced, asked } = watched(5)
      expect(await exactNumbers(made, sliced)).toEqual(await exactNumbers(made, engine))
      expect(asked.length % 5).toBe(0)
      // Two quantiles of one measure ask the same; the slices of a question are different ones.
      for (let from = 0; from < asked.length; from += 5) {
        expect(new Set(asked.slice(from, from + 5)).size).toBe(5)
      }
    },
  )

  it('takes a slice of every table, nested ones too, and counts distinct values once', async () => {
    const made = await plan(
      'SELECT count(DISTINCT t.rad), count(*) FROM homes.tracts t WHERE t.contributor IN (SELECT contributor FROM homes.blocks WHERE price > 20)',
    )
    const { sliced, asked } = watched(3)
    expect(await exactNumbers(made, sliced)).toEqual(await exactNumbers(made, engine))
    for (const sql of asked) expect(sql.match(/% CAST\(3 AS HUGEINT\)/g)).toHaveLength(2)
  })

  it('leaves out no contributor whose integer is negative', async () => {
    const other = await memoryEngine()
    await other.load({
      name: 'pay.workers',
      columns: realPools.find(({ name }) => name === 'pay')?.policy.tables[0]?.columns ?? [],
      rows: [-7, -6, -5, -1, 0, 1, 4].map((contributor) => ({ contributor, wage: 1, gender: 'male' })),
    })
    const made = await plan('SELECT count(*) FROM pay.workers')
    const [[group] = []] = await exactNumbers(made, { ...other, slices: 4 })
    expect(group?.statistics).toContain('7')
    await other.close()
  })
})
