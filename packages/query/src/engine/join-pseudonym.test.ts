import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../duckdb/database.js'
import { createDuckDbEngine } from '../duckdb/duckdb-engine.js'
import { planQuery } from '../plan/plan-query.js'
import { exactNumbers } from '../testing/exact-numbers.js'
import { testPools } from '../testing/pools.js'
import type { SqlEngine } from './engine.js'
import { joinPseudonym, pseudonymText } from './join-pseudonym.js'
import { rankedRows } from './stored-row.js'

const key = pseudonymText(Uint8Array.from({ length: 32 }, (_, index) => index * 7))
const other = pseudonymText(new Uint8Array(32))

describe('the join key of an engine', () => {
  it('is a positive BIGINT that depends on the key and is different for different people', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (contributor) => {
        const pseudonym = joinPseudonym(key, contributor)
        expect(pseudonym).toBeGreaterThanOrEqual(0n)
        expect(pseudonym).toBeLessThan(2n ** 60n)
        expect(joinPseudonym(key, contributor)).toBe(pseudonym)
        expect(joinPseudonym(other, contributor)).not.toBe(pseudonym)
      }),
    )
    const many = Array.from({ length: 20_000 }, (_, index) => joinPseudonym(key, BigInt(index - 10_000)))
    expect(new Set(many).size).toBe(many.length)
  })

  it('is the same in DuckDB, and ranks stay those of the data', async () => {
    const rows = [1, 1, 1, -5, '9223372036854775807', null].map((contributor, x) => ({ contributor, x }))
    const columns = [{ name: 'x', type: 'integer' as const }]
    const stored = async (pseudonymKey: string | null) => {
      const database = await openDatabase({ threads: 1, memoryLimit: '256MB', pseudonymKey })
      await database.load({ name: 'p.t', columns, rows })
      const sql =
        'SELECT CAST(t.contributor AS VARCHAR) AS c, CAST(t.x AS VARCHAR) AS x, CAST(t.row_rank AS VARCHAR) AS r FROM p.t AS t'
      const found = await database.query(sql, ['p.t'])
      database.close()
      return [...found].sort((left, right) => Number(left['x']) - Number(right['x']))
    }
    const [plain, renamed] = [await stored(null), await stored(key)]
    expect(plain.map(({ c }) => c)).toEqual(['1', '1', '1', '-5', '9223372036854775807'])
    expect(renamed).toEqual(
      plain.map((row) => ({ ...row, c: String(joinPseudonym(key, BigInt(String(row['c'])))) })),
    )
    const ranked = rankedRows(columns, rows, key)
    expect(new Set(ranked.map(({ contributor }) => String(contributor)))).toEqual(
      new Set(renamed.map(({ c }) => c)),
    )
    const byRank = (list: typeof ranked) => list.map(({ rank, cells }) => `${rank} ${cells.join()}`).sort()
    expect(byRank(ranked)).toEqual(byRank(rankedRows(columns, rows)))
  })
})

describe('two engines of one pool', () => {
  const engines: SqlEngine[] = []
  beforeAll(async () => {
    for (const pseudonymKey of [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), null]) {
      const engine = createDuckDbEngine({ pseudonymKey })
      engines.push(engine)
      const rows = Array.from({ length: 30 }, (_, contributor) => ({
        contributor,
        wage: contributor,
        education: contributor % 5,
        gender: 'male',
        sector: 'other',
      }))
      const [pay, people] = testPools()
      await engine.load({ name: 'pay.workers', columns: pay?.policy.tables[0]?.columns ?? [], rows })
      await engine.load({
        name: 'people.persons',
        columns: people?.policy.tables[0]?.columns ?? [],
        rows: rows.filter(({ contributor }) => contributor % 2 === 0),
      })
    }
  })
  afterAll(() => Promise.all(engines.map((engine) => engine.close())))

  it('join the same people by integers that have nothing in common', async () => {
    const plan = await planQuery({
      sql: 'SELECT count(*), sum(education) FROM pay.workers JOIN people.persons USING (contributor)',
      pools: testPools(),
      budget: { epsilon: 1, delta: 0 },
    })
    const answers = await Promise.all(engines.map((engine) => exactNumbers(plan, engine)))
    expect(answers[0]?.[0]?.[0]?.statistics[0]).toBe('15')
    expect(answers[1]).toEqual(answers[0])
    expect(answers[2]).toEqual(answers[0])
    const ids = await Promise.all(
      engines.map(async (engine) => {
        const found = await engine.query(
          'SELECT CAST(t.contributor AS VARCHAR) AS c FROM "pay"."workers" AS t',
        )
        return new Set(found.map(({ c }) => String(c)))
      }),
    )
    expect(ids.map((set) => set.size)).toEqual([30, 30, 30])
    expect([...(ids[0] ?? [])].filter((id) => ids[1]?.has(id))).toEqual([])
    expect([...(ids[2] ?? [])].sort()).toEqual(Array.from({ length: 30 }, (_, index) => String(index)).sort())
  })
})
