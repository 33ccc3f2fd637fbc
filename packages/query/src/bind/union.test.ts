import type { PoolPolicy } from '@sealpool/privacy'
import { describe, expect, it } from 'vitest'
import { QueryError } from '../errors.js'
import { type PlanQueryOptions, planQuery } from '../plan/plan-query.js'
import { testPolicy } from '../testing/pools.js'

type Column = PoolPolicy['tables'][number]['columns'][number]
const whole = (name: string, min: number, max: number, rest: Partial<Column> = {}): Column => ({
  name,
  type: 'integer',
  min,
  max,
  nullable: false,
  use: ['measure', 'filter'],
  ...rest,
})
const text = (name: string, rest: Partial<Column>): Column => ({
  name,
  type: 'text',
  nullable: false,
  use: ['group', 'filter'],
  ...rest,
})
/** Two tables of one pool: the same names, and something different about each column. */
const tables: PoolPolicy['tables'] = [
  {
    name: 'a',
    rowsPerContributor: 2,
    columns: [
      whole('n', 0, 10),
      whole('listed', 0, 3, { values: [1, 2], use: ['group', 'filter'] }),
      whole('only_summed', 0, 10),
      whole('gap', 0, 10),
      text('t', { values: ['x', 'y'] }),
      text('open_text', { values: ['x'] }),
      text('unlisted', { values: ['x'] }),
      { name: 'f', type: 'boolean', values: [false, true], nullable: false, use: ['group', 'filter'] },
      whole('unbounded', 0, 10),
      whole('cents', 0, 10),
      whole('moment', 0, 10),
      { name: 'day', type: 'date', nullable: false, use: ['filter'] },
    ],
  },
  {
    name: 'b',
    rowsPerContributor: 3,
    columns: [
      whole('n', -5, 20),
      whole('listed', 0, 9, { values: [7, 8], use: ['group', 'filter'] }),
      whole('only_summed', 0, 10, { use: ['measure'] }),
      whole('gap', 0, 10, { nullable: true }),
      text('t', { values: ['y', 'z'], nullable: true }),
      text('open_text', { open: true }),
      text('unlisted', {}),
      { name: 'f', type: 'boolean', values: [false, true], nullable: true, use: ['group', 'filter'] },
      { name: 'unbounded', type: 'integer', nullable: false, use: ['measure', 'filter'] },
      {
        name: 'cents',
        type: 'decimal',
        decimals: 2,
        min: 0,
        max: 10,
        nullable: false,
        use: ['measure', 'filter'],
      },
      { name: 'moment', type: 'date', nullable: false, use: ['measure', 'filter'] },
      { name: 'day', type: 'timestamp', nullable: false, use: ['filter'] },
    ],
  },
]
const pools = [{ name: 'u', address: '0x1', policy: testPolicy('u', tables) }]
const plan = (sql: string, changes: Partial<PlanQueryOptions> = {}) =>
  planQuery({ sql, pools, budget: { epsilon: 1, delta: 1e-6 }, ...changes })

/** Both orders: what holds of one table must hold whichever comes first. */
const orders = [
  ['a', 'b'],
  ['b', 'a'],
] as const
const union = (column: string, [one, other]: readonly [string, string]) =>
  `(SELECT contributor, ${column} AS v FROM u.${one} UNION ALL SELECT contributor, ${column} AS v FROM u.${other}) t`

async function refusal(sql: string): Promise<string> {
  const error = await plan(sql).catch((thrown: unknown) => thrown)
  return error instanceof QueryError ? error.code : 'planned'
}

describe.each(orders)('UNION ALL of %s and %s', (...order) => {
  const grouped = (column: string) => `SELECT v, count(*) FROM ${union(column, order)} GROUP BY v`

  it('has as many rows of a contributor as both, and the wider range', async () => {
    const { statistics, program, rowsPerContributor } = await plan(`SELECT sum(v) FROM ${union('n', order)}`)
    const position = program.statistics.findIndex(({ kind }) => kind === 'sum')
    expect(rowsPerContributor).toBe(5)
    // From -5 to 20 around 7: 13 for each of five rows.
    expect(program.statistics[position]).toMatchObject({ centre: '7', reach: '13' })
    expect(statistics[position]?.sensitivity).toBe('65')
  })

  it.each([
    ['TYPE_MISMATCH', 'cents'],
    ['TYPE_MISMATCH', 'moment'],
    ['TYPE_MISMATCH', 'day'],
  ])('%s: %s', async (code, column) => {
    expect(await refusal(`SELECT count(v) FROM ${union(column, order)}`)).toBe(code)
  })

  it('has the lists of both, null where one can be missing, and no list where one has none', async () => {
    const keys = async (column: string) => (await plan(grouped(column))).keys[0]?.values
    const listed = await keys('t')
    expect([...(listed ?? [])].sort()).toEqual(['x', 'y', 'z', null].sort())
    expect(await keys('f')).toEqual([false, true, null])
    // An average counts the rows that have a value.
    const { program } = await plan(`SELECT avg(v) FROM ${union('gap', order)}`)
    expect(program.statistics.map(({ kind }) => kind)).toContain('matching')
    // Open, as one of them is: its names come from the data, and pass partition selection.
    expect(await keys('open_text')).toBeNull()
    expect(await refusal(grouped('unlisted'))).toBe('GROUP_NOT_PUBLIC')
    expect(await refusal(grouped('listed'))).toBe('GROUP_NOT_PUBLIC')
  })

  it('may be used for what both may be used for', async () => {
    expect(await refusal(`SELECT sum(v) FROM ${union('only_summed', order)}`)).toBe('planned')
    expect(await refusal(`SELECT count(*) FROM ${union('only_summed', order)} WHERE v > 3`)).toBe(
      'COLUMN_NOT_FILTERABLE',
    )
    expect(await refusal(`SELECT sum(v) FROM ${union('unbounded', order)}`)).toBe('MEASURE_UNBOUNDED')
  })

  it('is no table that either may be joined with again', async () => {
    for (const table of order) {
      const joined = `SELECT count(*) FROM ${union('n', order)} JOIN u.${table} z USING (contributor)`
      expect(await refusal(joined)).toBe('JOIN_NOT_ALLOWED')
    }
  })

  it('has as many columns in each, and the contributor in the same place', async () => {
    const [one, other] = order
    const of = (first: string, second: string) =>
      refusal(
        `SELECT count(*) FROM (SELECT ${first} FROM u.${one} UNION ALL SELECT ${second} FROM u.${other}) t`,
      )
    expect(await of('contributor', 'contributor, n')).toBe('TYPE_MISMATCH')
    expect(await of('contributor, n', 'contributor')).toBe('TYPE_MISMATCH')
    expect(await of('contributor, n', 'n, contributor')).toBe('TYPE_MISMATCH')
    expect(await of('contributor, n', 'contributor, n')).toBe('planned')
  })
})

it('rows of one contributor are few in a union that only says who is a member', async () => {
  const many =
    'SELECT a.contributor FROM u.a a JOIN range(1000) s(i) ON a.n > i JOIN range(50) r(j) ON a.n > j'
  const member = (rows: string) => `SELECT count(*) FROM u.b WHERE contributor IN (${rows})`
  expect(await refusal(member(many))).toBe('planned')
  expect(await refusal(member(`${many} UNION ALL SELECT contributor FROM u.b`))).toBe('JOIN_NOT_ALLOWED')
})
