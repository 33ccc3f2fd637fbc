import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatDay, formatInstant, parseDay, parseInstant } from '@sealpool/privacy'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Row, SqlEngine } from '../engine/engine.js'
import { storedCell } from '../engine/stored-row.js'
import { QueryError } from '../errors.js'
import { printDuckDb } from '../print/duckdb.js'
import { exactNumbers } from '../testing/exact-numbers.js'
import { memoryEngine } from '../testing/memory-engine.js'
import { noiselessRules, testPolicy } from '../testing/pools.js'
import { addMonths, civilOf, daysOf } from '../type/calendar.js'
import { checkPlan } from './check-plan.js'
import { planQuery } from './plan-query.js'

const table = {
  name: 'stays',
  rowsPerContributor: 3,
  columns: [
    {
      name: 'day',
      type: 'date',
      earliest: '2023-01-01',
      latest: '2024-12-31',
      nullable: true,
      use: ['group', 'filter', 'measure'],
    },
    {
      name: 'at',
      type: 'timestamp',
      earliest: '2023-01-01T00:00:00Z',
      latest: '2024-12-31T23:59:59Z',
      nullable: false,
      use: ['filter'],
    },
    { name: 'born', type: 'date', nullable: false, use: ['filter'] },
    { name: 'seen', type: 'date', open: true, nullable: false, use: ['group'] },
    { name: 'hidden', type: 'date', nullable: false, use: [] },
    { name: 'steps', type: 'integer', min: 0, max: 100, nullable: false, use: ['filter', 'measure'] },
    { name: 'note', type: 'text', values: ['2024-01-01', 'x'], nullable: false, use: ['group', 'filter'] },
  ],
} satisfies ReturnType<typeof testPolicy>['tables'][number]

const poolWith = (changes: object = {}) => [
  {
    name: 'days',
    address: `0x${'1'.repeat(40)}`,
    policy: testPolicy('days', [{ ...table, ...changes }], {
      privacy: { ...noiselessRules, delta: 1e-6, perJob: { epsilon: 1e6, delta: 1e-6 } },
    }),
  },
]
const plan = (sql: string, pools = poolWith(), delta = 1e-6) =>
  planQuery({ sql, pools, budget: { epsilon: 1e6, delta } })

async function code(sql: string): Promise<string> {
  try {
    await plan(sql)
  } catch (error) {
    if (error instanceof QueryError) return error.code
    throw error
  }
  return 'planned'
}
const where = (condition: string) => `SELECT count(*) FROM days.stays WHERE ${condition}`

describe('the calendar', () => {
  it('is that of JavaScript for every day it has', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_162, max: 90_000_000 }), (days) => {
        const date = new Date(days * 86_400_000)
        const civil = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
        expect(civilOf(days)).toEqual(civil)
        expect(daysOf(civil)).toBe(days)
      }),
    )
  })

  it('adds months and keeps to the end of a month', () => {
    const added = (text: string, months: number) => formatDay(addMonths(parseDay(text) ?? 0, months))
    expect(added('2024-01-31', 1)).toBe('2024-02-29')
    expect(added('2023-01-31', 1)).toBe('2023-02-28')
    expect(added('2024-02-29', 12)).toBe('2025-02-28')
    expect(added('2024-03-31', -1)).toBe('2024-02-29')
    expect(added('2024-01-15', -25)).toBe('2021-12-15')
    expect(added('1900-01-31', 1)).toBe('1900-02-28')
  })

  it('reads what it writes and nothing else', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -683_003, max: 2_932_896 }),
        fc.bigInt({ min: 0n, max: 86_399_999_999n }),
        (days, rest) => {
          expect(parseDay(formatDay(days))).toBe(days)
          const instant = BigInt(days) * 86_400_000_000n + rest
          expect(parseInstant(formatInstant(instant))).toBe(instant)
        },
      ),
    )
    for (const text of [
      '2023-02-29',
      '2024-13-01',
      '2024-00-10',
      '2024-1-1',
      '0099-12-31',
      '10000-01-01',
      '',
      'infinity',
      'now',
      '2024-01-01 ',
      '2024-01-01T00:00:00Z',
    ]) {
      expect([text, parseDay(text)]).toEqual([text, null])
    }
    for (const text of [
      '2024-01-01T24:00:00Z',
      '2024-01-01 10:60',
      '2024-01-01 10:00:60',
      '2024-01-01T10:00:00+02:00',
      '2024-01-01 10',
      '2024-01-01T10:00:00.1234567Z',
      '2024-01-01Z',
      '2023-02-29 10:00',
    ]) {
      expect([text, parseInstant(text)]).toEqual([text, null])
    }
    expect(parseInstant('1969-12-31T23:59:59.5Z')).toBe(-500_000n)
    expect(formatInstant(-500_000n)).toBe('1969-12-31T23:59:59.500000Z')
  })
})

describe('dates and timestamps in statements', () => {
  it.each([
    ['MOMENT_INVALID', where("day > 'yesterday'")],
    ['MOMENT_INVALID', where("day > '2024-02-30'")],
    ['MOMENT_INVALID', where("day = '2024-02-01 12:00'")],
    ['MOMENT_INVALID', where("day > DATE 'infinity'")],
    ['MOMENT_INVALID', where("at > '2024-01-01T00:00:00+02:00'")],
    ['MOMENT_INVALID', where("day > at - INTERVAL '1 fortnight'")],
    ['MOMENT_INVALID', where("day > at - INTERVAL '1.5 months'")],
    ['MOMENT_INVALID', where("day > at - INTERVAL ''")],
    ['MOMENT_INVALID', where("day > at - INTERVAL '1 day nonsense'")],
    ['MOMENT_INVALID', where("day > at - INTERVAL '10:75'")],
    ['MOMENT_INVALID', where("day > at - INTERVAL '1 constructor'")],
    ['MOMENT_INVALID', where("day > at - INTERVAL '1 day' DAY")],
    ['MOMENT_INVALID', where('day > at - note::interval')],
    ['TYPE_MISMATCH', where('day = steps')],
    ['TYPE_MISMATCH', where('day = note')],
    ['TYPE_MISMATCH', where("note::date > '2024-01-01'")],
    ['TYPE_MISMATCH', where("day + day > '2024-01-01'")],
    ['TYPE_MISMATCH', where("day * 2 > '2024-01-01'")],
    ['TYPE_MISMATCH', where("day + 1.5 > '2024-01-01'")],
    ['TYPE_MISMATCH', where("at + 1 > '2024-01-01'")],
    ['TYPE_MISMATCH', where("1 - day > '2024-01-01'")],
    ['TYPE_MISMATCH', where("INTERVAL '1 day' - day > '2024-01-01'")],
    ['TYPE_MISMATCH', where("at - day > INTERVAL '1 month'")],
    ['TYPE_MISMATCH', where("INTERVAL '1 day' * 0.5 < at - day")],
    ['TYPE_MISMATCH', where('extract(day FROM at - day) > 1')],
    ['TYPE_MISMATCH', where("extract(epoch FROM INTERVAL '1 month') > 1")],
    ['TYPE_MISMATCH', where("day IN (TIMESTAMP '2024-01-01 12:00:00')")],
    ['TYPE_MISMATCH', where('(at - day) IS NULL')],
    ['TYPE_MISMATCH', where("date_trunc('month', steps) > '2024-01-01'")],
    ['TYPE_MISMATCH', where("coalesce(day, 1) = '2024-01-01'")],
    ['TYPE_MISMATCH', where("day LIKE '2024%'")],
    ['TYPE_MISMATCH', where('day')],
    ['TYPE_MISMATCH', 'SELECT sum(day) FROM days.stays'],
    ['TYPE_MISMATCH', 'SELECT avg(day) FROM days.stays'],
    ['TYPE_MISMATCH', 'SELECT median(day) FROM days.stays'],
    ['TYPE_MISMATCH', "SELECT sum(INTERVAL '1 day') FROM days.stays"],
    ['TYPE_MISMATCH', 'SELECT sum(day::integer) FROM days.stays'],
    ['EXPRESSION_NOT_ALLOWED', where("day::text > '2024'")],
    ['EXPRESSION_NOT_ALLOWED', where('day IN (day)')],
    ['FUNCTION_NOT_ALLOWED', where('extract(century FROM day) = 20')],
    ['FUNCTION_NOT_ALLOWED', where("date_trunc(note, day) > '2024-01-01'")],
    ['FUNCTION_NOT_ALLOWED', where("date_trunc('month') > '2024-01-01'")],
    ['FUNCTION_NOT_ALLOWED', where("date_trunc('month', day, 'UTC') > '2024-01-01'")],
    ['FUNCTION_NOT_ALLOWED', where("date_diff('day', day) > 1")],
    ['FUNCTION_NOT_ALLOWED', where("strftime(day, '%Y') = '2024'")],
    ['FUNCTION_NOT_ALLOWED', where("to_char(day, 'YYYY') = '2024'")],
    ['FUNCTION_NOT_ALLOWED', where('age(day) > INTERVAL ' + "'1 day'")],
    ['FUNCTION_NOT_ALLOWED', 'SELECT min(day) FROM days.stays'],
    ['FUNCTION_NOT_ALLOWED', 'SELECT max(at) FROM days.stays'],
    ['FUNCTION_NOT_ALLOWED', where('day < current_date')],
    ['NUMBER_RANGE', where("day + to_years(steps * 10000) > '2024-01-01'")],
    ['NUMBER_RANGE', where("born - INTERVAL '200 years' > '2024-01-01'")],
    ['NUMBER_RANGE', where("day + 999999999 > '2024-01-01'")],
    ['NUMBER_RANGE', where("day + INTERVAL '999999999 years' > '2024-01-01'")],
    ['COLUMN_NOT_MEASURABLE', 'SELECT sum(epoch(at)) FROM days.stays'],
    ['COLUMN_NOT_FILTERABLE', where("hidden > '2024-01-01'")],
    ['COLUMN_NOT_FILTERABLE', 'SELECT year(hidden), count(*) FROM days.stays GROUP BY 1'],
    [
      'COLUMN_NOT_MEASURABLE',
      'SELECT sum(hours) FROM (SELECT contributor, epoch(born) AS hours FROM days.stays) t',
    ],
    ['GROUP_NOT_PUBLIC', 'SELECT born, count(*) FROM days.stays GROUP BY born'],
    ['GROUP_NOT_PUBLIC', 'SELECT year(born), count(*) FROM days.stays GROUP BY 1'],
    ['GROUP_NOT_PUBLIC', "SELECT date_trunc('month', born), count(*) FROM days.stays GROUP BY 1"],
    ['GROUP_NOT_PUBLIC', "SELECT date_trunc('second', at), count(*) FROM days.stays GROUP BY 1"],
    ['GROUP_NOT_PUBLIC', 'SELECT at, count(*) FROM days.stays GROUP BY at'],
    ['GROUP_NOT_PUBLIC', 'SELECT epoch(day), count(*) FROM days.stays GROUP BY 1'],
    [
      'WINDOW_NOT_ALLOWED',
      'SELECT sum(d) FROM (SELECT contributor, day - lag(day) OVER (ORDER BY day) AS d FROM days.stays) t',
    ],
    [
      'WINDOW_NOT_ALLOWED',
      'SELECT sum(d) FROM (SELECT contributor, sum(steps) OVER (PARTITION BY contributor ROWS 2 PRECEDING) AS d FROM days.stays) t',
    ],
    [
      'WINDOW_NOT_ALLOWED',
      'SELECT sum(d) FROM (SELECT contributor, sum(steps) OVER (PARTITION BY contributor ORDER BY day ROWS 1001 PRECEDING) AS d FROM days.stays) t',
    ],
    [
      'WINDOW_NOT_ALLOWED',
      'SELECT sum(d) FROM (SELECT contributor, sum(steps) OVER (PARTITION BY contributor ORDER BY day ROWS steps PRECEDING) AS d FROM days.stays) t',
    ],
    [
      'WINDOW_NOT_ALLOWED',
      'SELECT sum(d) FROM (SELECT contributor, sum(steps) OVER (PARTITION BY contributor ORDER BY day ROWS BETWEEN 1 PRECEDING AND 2 PRECEDING) AS d FROM days.stays) t',
    ],
    [
      'WINDOW_NOT_ALLOWED',
      'SELECT sum(d) FROM (SELECT contributor, last_value(steps) OVER (PARTITION BY contributor ORDER BY day) AS d FROM days.stays) t',
    ],
    [
      'WINDOW_NOT_ALLOWED',
      'SELECT sum(d) FROM (SELECT contributor, first_value(steps) OVER (PARTITION BY contributor ORDER BY day RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS d FROM days.stays) t',
    ],
    [
      'WINDOW_NOT_ALLOWED',
      'SELECT sum(d) FROM (SELECT contributor, first_value(steps) OVER (PARTITION BY contributor) AS d FROM days.stays) t',
    ],
    [
      'WINDOW_NOT_ALLOWED',
      'SELECT sum(d) FROM (SELECT contributor, rank() OVER (PARTITION BY contributor ORDER BY day ROWS 2 PRECEDING) AS d FROM days.stays) t',
    ],
    [
      'WINDOW_NOT_ALLOWED',
      'SELECT sum(d) FROM (SELECT contributor, lag(steps) OVER (PARTITION BY contributor ORDER BY day ROWS 2 PRECEDING) AS d FROM days.stays) t',
    ],
    ...[
      'lag()',
      'lead()',
      'first_value()',
      'lag(steps, 1, 0)',
      'lag(steps, -1)',
      'lag(steps, 1001)',
      'first_value(steps, 2)',
      'sum()',
      'sum(steps, 2)',
      'row_number(steps)',
    ].map((call): [string, string] => [
      'WINDOW_NOT_ALLOWED',
      `SELECT sum(d) FROM (SELECT contributor, ${call} OVER (PARTITION BY contributor ORDER BY day) AS d FROM days.stays) t`,
    ]),
    [
      'TYPE_MISMATCH',
      'SELECT count(d) FROM (SELECT contributor, sum(day) OVER (PARTITION BY contributor) AS d FROM days.stays) t',
    ],
    ['TYPE_MISMATCH', 'SELECT count(*) FROM (SELECT contributor, at - day AS d FROM days.stays) t'],
  ])('are refused as %s: %s', async (expected, sql) => {
    expect(await code(sql)).toBe(expected)
  })

  it.each([
    ["date_trunc('month', day)", 25, '2023-01-01', '2024-12-01'],
    ["date_trunc('quarter', day)", 9, '2023-01-01', '2024-10-01'],
    ["date_trunc('year', at)", 2, '2023-01-01T00:00:00Z', '2024-01-01T00:00:00Z'],
    ["date_trunc('week', at)", 106, '2022-12-26T00:00:00Z', '2024-12-30T00:00:00Z'],
    ['at::date', 731, '2023-01-01', '2024-12-31'],
    ['day', 732, '2023-01-01', '2024-12-31'],
    ['extract(isodow FROM born)', 7, 1, 7],
    ['extract(month FROM seen)', 12, 1, 12],
    ['year(day)', 3, 2023, 2024],
    ['hour(at)', 24, 0, 23],
  ])('has public groups: %s', async (key, groups, first, last) => {
    const made = await plan(`SELECT ${key} AS k, count(*) FROM days.stays GROUP BY 1`)
    const values = (made.keys[0]?.values ?? []).filter((value) => value !== null)
    expect([made.groups, values[0], values.at(-1)]).toEqual([groups, first, last])
    expect(made.privacy.delta).toBe(0)
    expect(() => checkPlan(structuredClone(made))).not.toThrow()
  })

  it('keeps to the years 1 to 290000, to the day', async () => {
    // `born` may be any day of the years 100 to 9999.
    for (const [offset, expected] of [
      ['- 36159', 'planned'],
      ['- 36160', 'NUMBER_RANGE'],
      ['+ 102268266', 'planned'],
      ['+ 102268267', 'NUMBER_RANGE'],
      ["- INTERVAL '99 years'", 'planned'],
      ["- INTERVAL '100 years'", 'NUMBER_RANGE'],
      ["+ INTERVAL '280001 years'", 'planned'],
      ["+ INTERVAL '280002 years'", 'NUMBER_RANGE'],
    ] as const) {
      expect([offset, await code(where(`born ${offset} > DATE '2024-01-01'`))]).toEqual([offset, expected])
    }
  })

  it('lists the days of a column that has at most a thousand', async () => {
    const days = async (latest: string) => {
      const [first, ...rest] = table.columns
      const pools = poolWith({ columns: [{ ...first, earliest: '2020-01-01', latest }, ...rest] })
      const made = plan('SELECT day, count(*) FROM days.stays GROUP BY day', pools)
      return made.then(({ groups }) => groups).catch((error: QueryError) => error.code)
    }
    // One group is for missing days; the policy of the test has at most a thousand groups.
    expect(await days('2022-09-25')).toBe(1000)
    expect(await days('2022-09-26')).toBe('TOO_MANY_GROUPS')
    expect(await days('2022-09-27')).toBe('GROUP_NOT_PUBLIC')
  })

  it('lets days of the data appear by partition selection only', async () => {
    const made = await plan('SELECT seen, count(*) FROM days.stays GROUP BY seen')
    expect(made.keys).toEqual([{ values: null }])
    expect(made.privacy.delta).toBe(1e-6)
  })

  it('tells rows of equal order apart by their stored rank, where that matters', async () => {
    const printed = async (call: string, rest: string) => {
      const made = await plan(
        `SELECT sum(s) FROM (SELECT contributor, ${call} OVER (PARTITION BY contributor ORDER BY steps ${rest}) AS s FROM days.stays) t`,
      )
      return printDuckDb(made.program).sql.includes('row_rank ASC')
    }
    for (const call of ['row_number()', 'lag(steps)', 'lead(steps)', 'first_value(steps)']) {
      expect([call, await printed(call, '')]).toEqual([call, true])
    }
    expect(await printed('sum(steps)', 'ROWS 2 PRECEDING')).toBe(true)
    expect(
      await printed('last_value(steps)', 'RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING'),
    ).toBe(true)
    // Rows of equal order are one to these.
    expect(await printed('rank()', '')).toBe(false)
    expect(await printed('sum(steps)', '')).toBe(false)
    expect(await printed('sum(steps)', 'RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING')).toBe(false)
  })

  it('bounds a sum by the frame of its window', async () => {
    const sensitivity = async (frame: string) =>
      (
        await plan(
          `SELECT sum(s) FROM (SELECT contributor, sum(steps) OVER (PARTITION BY contributor ORDER BY day ${frame}) AS s FROM days.stays) t`,
        )
      ).statistics.map((statistic) => statistic.sensitivity)
    // Three rows of 0 to 100: half of the range of a row's sum, for three rows.
    expect(await sensitivity('')).toContain('450')
    expect(await sensitivity('ROWS BETWEEN CURRENT ROW AND CURRENT ROW')).toContain('150')
    expect(await sensitivity('ROWS 1 PRECEDING')).toContain('300')
    expect(await sensitivity('ROWS BETWEEN 1 PRECEDING AND 9 FOLLOWING')).toContain('450')
    expect(await sensitivity('ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW')).toContain('450')
  })
})

/** Moments as they come, and what becomes of them: day, at. */
const odd: readonly (readonly [unknown, string | null, string | null])[] = [
  ['2024-02-29', '2024-02-29', '2024-02-29T00:00:00Z'],
  ['2024-02-29T10:30:00.5Z', null, '2024-02-29T10:30:00.500000Z'],
  ['2024-02-29 10:30', null, '2024-02-29T10:30:00Z'],
  ['2024-02-29 10:30:00+00', null, '2024-02-29T10:30:00Z'],
  ['2024-02-29T10:30:00.25+00:00', null, '2024-02-29T10:30:00.250000Z'],
  ['2024-02-29 10:30:00-00', null, null],
  ['2024-02-29Z', null, null],
  ['1066-10-14', '2023-01-01', '2023-01-01T00:00:00Z'],
  ['2999-12-31', '2024-12-31', '2024-12-31T23:59:59Z'],
  ['2023-02-29', null, null],
  ['2024-02-29 10:30:00+02', null, null],
  ['2024-02-29 24:00:00', null, null],
  ['0099-01-01', null, null],
  ['infinity', null, null],
  ['-infinity', null, null],
  ['epoch', null, null],
  ['today', null, null],
  ['44-03-15 (BC)', null, null],
  ['20240229', null, null],
  ['2024-2-29', null, null],
  [' 2024-02-29', null, null],
  ['99999-01-01', null, null],
  [20240229, null, null],
  [true, null, null],
  ['', null, null],
  [null, null, null],
]
const oddRows = odd.map(([cell], contributor) => ({ contributor, day: cell, at: cell })) as readonly Row[]

describe('loading moments', () => {
  let engine: SqlEngine
  beforeAll(async () => {
    engine = await memoryEngine()
    await engine.load({ name: 'days.stays', columns: table.columns.slice(0, 2), rows: oddRows })
  })
  afterAll(() => engine.close())

  it('keeps what reads as a moment, within its bounds, and makes null of everything else', async () => {
    const rows = await engine.query(
      'SELECT w.contributor, w.day, w.at FROM days.stays AS w ORDER BY w.contributor',
    )
    const expected = odd.map(([, day, at], contributor) => ({
      contributor: String(contributor),
      day: day === null ? null : (parseDay(day) ?? 'none'),
      at: at === null ? null : String(parseInstant(at)),
    }))
    expect(rows.map((row) => ({ ...row, day: row['day'] === null ? null : Number(row['day']) }))).toEqual(
      expected,
    )
  })

  it('is the same for engines that are loaded from here', () => {
    const [day, at] = table.columns
    if (day === undefined || at === undefined) throw new Error('no columns')
    for (const [cell, first, second] of odd) {
      const value = cell as string
      const stored = [storedCell(day, value), storedCell(at, value)]
      expect([cell, ...stored]).toEqual([
        cell,
        first === null ? null : String(parseDay(first)),
        second === null ? null : String(parseInstant(second)),
      ])
    }
  })

  it('reads days and instants of files, whatever zone the machine is in', async () => {
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const folder = mkdtempSync(join(tmpdir(), 'sealpool-moments-'))
    const path = join(folder, 'stays.parquet')
    try {
      const instance = await DuckDBInstance.create(':memory:')
      const connection = await instance.connect()
      // An instant adjusted to UTC is what refiners write; the other one is what DuckDB writes of a TIMESTAMP.
      await connection.run(
        `COPY (SELECT range AS contributor, DATE '2024-02-29' AS day, CASE range WHEN 0 THEN TIMESTAMPTZ '2024-02-29 10:30:00.5+00' END AS at, CASE range WHEN 0 THEN TIMESTAMP '2024-02-29 10:30:00.5' END AS plain, 'infinity'::DATE AS never FROM range(2)) TO '${path}' (FORMAT parquet)`,
      )
      connection.closeSync()
      instance.closeSync()
      for (const zone of ['America/New_York', 'Asia/Kolkata', 'UTC']) {
        const before = process.env['TZ']
        process.env['TZ'] = zone
        const other = await memoryEngine()
        if (before === undefined) delete process.env['TZ']
        else process.env['TZ'] = before
        const columns = [
          { name: 'day', type: 'date' },
          { name: 'at', type: 'timestamp' },
          { name: 'plain', type: 'timestamp' },
          { name: 'never', type: 'date' },
        ] as const
        await other.load({ name: 'days.stays', columns, parquet: { paths: [path] } })
        const rows = await other.query(
          'SELECT w.day, w.at, w.plain, w.never FROM days.stays AS w ORDER BY w.contributor',
        )
        const instant = String(parseInstant('2024-02-29T10:30:00.5Z'))
        expect([zone, rows]).toEqual([
          zone,
          [
            { day: String(parseDay('2024-02-29')), at: instant, plain: instant, never: null },
            { day: String(parseDay('2024-02-29')), at: null, plain: null, never: null },
          ],
        ])
        await other.close()
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('clamps in the plan as well, where the loader was not told the bounds', async () => {
    const other = await memoryEngine()
    const free = table.columns.map(({ name, type }) => ({ name, type }))
    const rows = ['0100-01-01', '9999-12-31', null].map((day, contributor) => ({
      contributor,
      day,
      at: '2024-01-01',
      born: '2000-01-01',
      seen: day,
      steps: 1,
      note: 'x',
    }))
    await other.load({ name: 'days.stays', columns: free, rows })
    const numbers = async (sql: string) => (await exactNumbers(await plan(sql), other))[0]
    const sums = await numbers('SELECT sum(epoch(day)), count(*) FROM days.stays')
    const centre = (BigInt(parseDay('2023-01-01') ?? 0) + BigInt(parseDay('2024-12-31') ?? 0)) * 43_200n
    const ends = (BigInt(parseDay('2023-01-01') ?? 0) + BigInt(parseDay('2024-12-31') ?? 0)) * 86_400n
    expect(BigInt(sums?.[0]?.statistics[1] ?? '') / 1_000_000n).toBe(ends - 2n * centre)
    // Days outside of the list are in no group; none is moved to the first or the last one.
    const groups = await numbers('SELECT day, count(*) FROM days.stays GROUP BY day')
    expect(groups?.filter(({ statistics }) => statistics[0] !== '0').map(({ keys }) => keys)).toEqual([
      [null],
    ])
    const open = await numbers('SELECT seen, count(*) FROM days.stays GROUP BY seen')
    expect(open?.map(({ keys }) => keys[0])).toEqual(['0100-01-01', '9999-12-31'])
    await other.close()
  })

  it('holds to rules on rows', async () => {
    const rule = { rows: [{ column: 'day', earliest: '2024-01-01', latest: '2024-12-30' }] }
    const made = await plan('SELECT count(*) FROM days.stays', poolWith(rule))
    expect((await exactNumbers(made, engine))[0]?.[0]?.statistics[0]).toBe('1')
    const early = { rows: [{ column: 'at', latest: '2023-01-01T00:00:00Z' }] }
    const other = await plan('SELECT count(*) FROM days.stays', poolWith(early))
    expect((await exactNumbers(other, engine))[0]?.[0]?.statistics[0]).toBe('1')
  })
})
