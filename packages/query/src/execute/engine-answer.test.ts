import { describe, expect, it } from 'vitest'
import type { Row, SqlEngine } from '../engine/engine.js'
import { planQuery } from '../plan/plan-query.js'
import { testPools } from '../testing/pools.js'
import { realPools } from '../testing/real-data.js'
import { exactGroups } from './statistics.js'

/** An engine that gives these rows, one list for each question in turn. */
function saying(answers: readonly (readonly Row[])[]): SqlEngine {
  let asked = 0
  return {
    dialect: 'duckdb',
    load: async () => {},
    query: async () => answers[asked++] ?? [],
    close: async () => {},
  }
}

const plan = (sql: string, changes = {}) =>
  planQuery({ sql, pools: testPools(), budget: { epsilon: 1, delta: 1e-6 }, ...changes })

const sectors = 'SELECT sector, count(*) FROM pay.workers GROUP BY sector'
const towns = 'SELECT town, count(*) FROM pay.workers GROUP BY town'
const median = 'SELECT median(bonus), count(*) FROM pay.workers'
const days = 'SELECT day, count(*) FROM homes.visits GROUP BY day'

// `s0`, `s1` are statistics, `k0` the first key, `bin` a bin.
const wrong: Readonly<Record<string, readonly [string, readonly (readonly Row[])[]]>> = {
  'a number that is no text': [sectors, [[{ k0: '0', s0: 5 as unknown as string }]]],
  'a number with a fraction': [sectors, [[{ k0: '0', s0: '5.5' }]]],
  'no number': [sectors, [[{ k0: '0', s0: null }]]],
  'a number that is missing': [sectors, [[{ k0: '0' }]]],
  'a number that is too long': [sectors, [[{ k0: '0', s0: '1'.repeat(61) }]]],
  'a code that no key has': [sectors, [[{ k0: '99', s0: '5' }]]],
  'a negative code': [sectors, [[{ k0: '-1', s0: '5' }]]],
  'a group twice': [
    sectors,
    [
      [
        { k0: '0', s0: '5' },
        { k0: '0', s0: '5' },
      ],
    ],
  ],
  'an open key that is no text': [towns, [[{ k0: null, s0: '5', s1: '5' }]]],
  'a bin below the first': [median, [[{ s0: '5', s1: '0' }], [{ bin: '-1', s0: '5' }]]],
  'a bin past the last': [median, [[{ s0: '5', s1: '0' }], [{ bin: '256', s0: '5' }]]],
  'a bin twice': [
    median,
    [
      [{ s0: '5', s1: '0' }],
      [
        { bin: '3', s0: '5' },
        { bin: '3', s0: '5' },
      ],
    ],
  ],
}

describe('an engine that answers what the plan did not ask', () => {
  it.each(Object.entries(wrong))('is refused: %s', async (_, [sql, answers]) => {
    const made = await plan(sql)
    await expect(exactGroups(made, saying(answers))).rejects.toMatchObject({ code: 'ENGINE_ANSWER_INVALID' })
  })

  it.each([
    ['before the calendar', '-800000'],
    ['after the calendar', '4000000'],
  ])('is refused: an open day %s', async (_, units) => {
    const pools = realPools.map((pool) => ({
      ...pool,
      policy: {
        ...pool.policy,
        tables: pool.policy.tables.map((table) => ({
          ...table,
          columns: table.columns.map((column) =>
            column.name === 'day' ? { ...column, open: true, use: ['group' as const] } : column,
          ),
        })),
        privacy: { ...pool.policy.privacy, delta: 1e-5, perJob: { epsilon: 2, delta: 1e-6 } },
      },
    }))
    const made = await plan(days, { pools })
    const rows = (k0: string) => saying([[{ k0, s0: '5', s1: '5' }]])
    expect(await exactGroups(made, rows('19000'))).toHaveLength(1)
    await expect(exactGroups(made, rows(units))).rejects.toMatchObject({ code: 'ENGINE_ANSWER_INVALID' })
  })

  it('gives open groups in the order of their names, whatever the order of the engine', async () => {
    const made = await plan(towns)
    const row = (k0: string) => ({ k0, s0: '5', s1: '5' })
    const found = await exactGroups(made, saying([[row('b'), row('c'), row('a')]]))
    expect(found.map(({ keys }) => keys[0])).toEqual(['a', 'b', 'c'])
  })

  it('asks at least once, however few slices an engine names', async () => {
    const made = await plan(sectors)
    const found = await exactGroups(made, { ...saying([[{ k0: '0', s0: '5' }]]), slices: 0 })
    expect(found.map(({ statistics }) => statistics[0])).toContain(5n)
  })
})
