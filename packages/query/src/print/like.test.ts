import { DuckDBInstance } from '@duckdb/node-api'
import { platformRandom } from '@sealpool/privacy'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { createDuckDbEngine } from '../duckdb/duckdb-engine.js'
import { executePlan } from '../execute/execute-plan.js'
import { planQuery } from '../plan/plan-query.js'
import { noiselessRules, testPolicy } from '../testing/pools.js'
import { duckDbDialect } from './duckdb.js'

const database = await DuckDBInstance.create(':memory:')
const connection = await database.connect()
afterAll(() => {
  connection.closeSync()
  database.closeSync()
})

const sign = fc.constantFrom(...'aB0%_%_ .*+?^$()[]{}|/-#\'"~')
const pattern = fc.string({ unit: sign, maxLength: 12 })

it('is what DuckDB itself says of texts and patterns, signs of regular expressions and lines included', async () => {
  const letter = fc.oneof(sign, fc.constantFrom('\n', '\r', '\\', 'é', '😀', '\u0301', 'A', 'b'))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.string({ unit: letter, maxLength: 10 }), pattern), {
        minLength: 20,
        maxLength: 60,
      }),
      async (cases) => {
        // Patterns that are near their text, so that many match.
        const all = cases.flatMap(([text, other]) => [
          [text, other] as const,
          [text, text.replace(/[^A-Za-z0-9 ]/gu, '_').replace(/[aB]/g, '%')] as const,
        ])
        const tests = all.map(([text, like]) => {
          const value = duckDbDialect.text(text)
          return `SELECT ${duckDbDialect.like(value, like)} AS ours, ${value} LIKE ${duckDbDialect.text(like)} AS theirs`
        })
        const rows = (await connection.run(tests.join(' UNION ALL '))).getRows()
        for (const [ours, theirs] of await rows) expect(ours).toBe(theirs)
      },
    ),
    { numRuns: 40 },
  )
})

const pool = {
  name: 'care',
  address: `0x${'1'.repeat(40)}`,
  policy: testPolicy(
    'care',
    [
      {
        name: 'members',
        rowsPerContributor: 1,
        columns: [
          { name: 'ill', type: 'boolean', values: [false, true], nullable: false, use: ['filter'] },
          { name: 'note', type: 'text', nullable: true, use: ['filter'] },
        ],
      },
    ],
    { privacy: noiselessRules },
  ),
} as const

it.each([
  "(CASE WHEN ill THEN note ELSE 'b' END) NOT LIKE '%_a%_a%_a%_a%_a%_a%_a%b'",
  "(CASE WHEN ill THEN note ELSE 'b' END) NOT ILIKE '%_A%_a%_A%_a%_A%_a%_a%B'",
  "(CASE WHEN ill THEN note ELSE 'b' END) NOT LIKE '%a%a%a%a%a%a%a%a%a%a%a%b_'",
  "(CASE WHEN ill THEN note ELSE 'b' END) NOT LIKE '%a%a%_c'",
])('one row that a pattern is hard to match with ends no engine: %s', async (condition) => {
  const engine = createDuckDbEngine({ threads: 1, memoryLimit: '256MB' })
  try {
    const [table] = pool.policy.tables
    await engine.load({
      name: 'care.members',
      columns: table?.columns ?? [],
      rows: Array.from({ length: 20 }, (_, contributor) => ({
        contributor,
        ill: contributor === 7,
        note: 'a'.repeat(20_000),
      })),
    })
    const plan = await planQuery({
      sql: `SELECT count(*) FROM care.members WHERE ${condition}`,
      pools: [pool],
      budget: { epsilon: 1e6, delta: 0 },
    })
    const { rows } = await executePlan({ plan, engine, random: platformRandom })
    expect(rows).toEqual([[20]])
  } finally {
    await engine.close()
  }
})
