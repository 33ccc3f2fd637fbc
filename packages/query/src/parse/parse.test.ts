import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QueryError } from '../errors.js'
import { parseSelect } from './parse.js'

/** The one SELECT of a statement. */
async function parsed(sql: string) {
  const query = await parseSelect(sql)
  if (query.kind !== 'select') throw new Error('no plain SELECT')
  return query
}

async function refusal(sql: string): Promise<QueryError> {
  try {
    await parseSelect(sql)
  } catch (error) {
    if (error instanceof QueryError) return error
    throw error
  }
  throw new Error(`accepted: ${sql}`)
}

const refused: readonly (readonly [code: string, sql: string])[] = [
  ['SYNTAX', ''],
  ['NOT_A_SELECT', ';'],
  ['SYNTAX', 'select from where'],
  ['SYNTAX', 'select 1 /* open'],
  ['NOT_A_SELECT', 'select count(*) from a.b; select count(*) from a.b'],
  ['NOT_A_SELECT', 'drop table a.b'],
  ['NOT_A_SELECT', 'insert into a.b select 1'],
  ['NOT_A_SELECT', 'explain select count(*) from a.b'],
  ['NOT_A_SELECT', 'copy a.b to stdout'],
  ['NOT_A_SELECT', 'values (1)'],
  ['NOT_A_SELECT', 'select count(*) into t from a.b'],
  ['SELECT_STAR', 'select * from a.b'],
  ['SELECT_STAR', 'select b.* from a.b'],
  ['SELECT_STAR', 'table a.b'],
  ['CLAUSE_NOT_ALLOWED', 'select count(*) from a.b for update'],
  ['CLAUSE_NOT_ALLOWED', 'select count(*) from only a.b'],
  ['CLAUSE_NOT_ALLOWED', 'select count(*) from a.b as t (x, y)'],
  ['CLAUSE_NOT_ALLOWED', 'select count(*) from a.b tablesample system (10)'],
  ['CLAUSE_NOT_ALLOWED', 'select count(*) from a.b group by distinct x'],
  ['CLAUSE_NOT_ALLOWED', 'select count(*) from a.b limit 1 + 1'],
  ['CLAUSE_NOT_ALLOWED', 'select count(*) from a.b order by 1 fetch first 1 rows with ties'],
  ['CLAUSE_NOT_ALLOWED', 'select count(*) from a.b union select count(*) from a.b'],
  ['CLAUSE_NOT_ALLOWED', 'select count(*) from a.b except select count(*) from a.b'],
  ['CLAUSE_NOT_ALLOWED', 'select distinct on (x) x, count(*) from a.b group by x'],
  ['CLAUSE_NOT_ALLOWED', 'with recursive t as (select 1) select count(*) from a.b'],
  ['CLAUSE_NOT_ALLOWED', `select count(*) from a.b group by cube (${'abcdefg'.split('').join(', ')})`],
  ['SUBQUERY_NOT_ALLOWED', 'select count(*) from a.b, lateral (select 1) t'],
  ['SUBQUERY_NOT_ALLOWED', 'select count(*) from a.b where x > all (select 1)'],
  ['SUBQUERY_NOT_ALLOWED', 'select array(select 1) from a.b'],
  ['NOT_A_SELECT', 'select count(*) from (values (1)) as t'],
  ['WINDOW_NOT_ALLOWED', 'select count(*) from a.b window w as ()'],
  ['WINDOW_NOT_ALLOWED', 'select nth_value(x, 2) over (partition by contributor) from a.b'],
  [
    'WINDOW_NOT_ALLOWED',
    'select sum(x) over (order by x groups between 2 preceding and current row) from a.b',
  ],
  [
    'WINDOW_NOT_ALLOWED',
    'select sum(x) over (order by x range between 2 preceding and current row) from a.b',
  ],
  [
    'WINDOW_NOT_ALLOWED',
    'select sum(x) over (order by x range between current row and 2 following) from a.b',
  ],
  [
    'WINDOW_NOT_ALLOWED',
    'select sum(x) over (order by x rows between 2 preceding and current row exclude ties) from a.b',
  ],
  [
    'WINDOW_NOT_ALLOWED',
    'select sum(x) over (order by x groups between unbounded preceding and current row) from a.b',
  ],
  [
    'WINDOW_NOT_ALLOWED',
    'select sum(x) over (order by x rows unbounded preceding exclude current row) from a.b',
  ],
  ['EXPRESSION_NOT_ALLOWED', "select count(*) from a.b where x > timestamp(3) '2024-01-01'"],
  ['EXPRESSION_NOT_ALLOWED', "select count(*) from a.b where x > timestamptz '2024-01-01'"],
  ['EXPRESSION_NOT_ALLOWED', "select count(*) from a.b where x > time '10:00'"],
  ['EXPRESSION_NOT_ALLOWED', "select count(*) from a.b where x > interval '1-2' year to month"],
  ['EXPRESSION_NOT_ALLOWED', "select count(*) from a.b where x > interval '1' second(3)"],
  ['FUNCTION_NOT_ALLOWED', 'select count(*) from a.b where x > current_date'],
  ['FUNCTION_NOT_ALLOWED', 'select count(*) from a.b where x > localtimestamp'],
  ['FUNCTION_NOT_ALLOWED', 'select count(*) from a.b where x > now()'],
  ['FUNCTION_NOT_ALLOWED', "select count(*) from a.b where to_interval('year', 1) > x"],
  ['FUNCTION_NOT_ALLOWED', 'select count(*) from a.b where year(distinct x) = 1'],
  ['FUNCTION_NOT_ALLOWED', "select count(*) from a.b where x at time zone 'UTC' > y"],
  ['WINDOW_NOT_ALLOWED', 'select sum(x) over w from a.b'],
  ['FUNCTION_NOT_ALLOWED', 'select random() from a.b'],
  ['FUNCTION_NOT_ALLOWED', 'select string_agg(x, y) from a.b'],
  ['FUNCTION_NOT_ALLOWED', 'select array_agg(x) from a.b'],
  ['FUNCTION_NOT_ALLOWED', 'select var_pop(distinct x) from a.b'],
  ['FUNCTION_NOT_ALLOWED', 'select percentile_disc(0.5) within group (order by x) from a.b'],
  ['FUNCTION_NOT_ALLOWED', 'select sum(x order by y) from a.b'],
  ['FUNCTION_NOT_ALLOWED', 'select constructor(x) from a.b'],
  ['EXPRESSION_NOT_ALLOWED', 'select sum(x::text) from a.b'],
  ['EXPRESSION_NOT_ALLOWED', 'select sum(x::a.b) from a.b'],
  ['NUMBER_RANGE', 'select sum(x::decimal(3, 1)) from a.b'],
  ['FUNCTION_NOT_ALLOWED', 'select pg_catalog.count(x) from a.b'],
  ['FUNCTION_NOT_ALLOWED', 'select count(*) from generate_series(1, 3)'],
  ['FUNCTION_NOT_ALLOWED', 'select sum(x, y) from a.b'],
  ['FUNCTION_NOT_ALLOWED', 'select current_user, count(*) from a.b'],
  ['OPERATOR_NOT_ALLOWED', 'select sum(x # 2) from a.b'],
  ['OPERATOR_NOT_ALLOWED', "select count(*) from a.b where x ~ 'a'"],
  ['OPERATOR_NOT_ALLOWED', 'select sum(x operator(pg_catalog.+) 1) from a.b'],
  ['EXPRESSION_NOT_ALLOWED', 'select sum(array[1]) from a.b'],
  ['EXPRESSION_NOT_ALLOWED', 'select count(*) from a.b where x = all (array[1])'],
  ['STRING_STYLE_NOT_ALLOWED', "select count(*) from a.b where x = e'\\x27'"],
  ['STRING_STYLE_NOT_ALLOWED', 'select count(*) from a.b where x = $$a$$'],
  ['STRING_STYLE_NOT_ALLOWED', 'select count(*) from a.b where x = $t$a$t$'],
  ['STRING_STYLE_NOT_ALLOWED', 'select count(*) from a.b where u&"\\0065mail" = 1'],
  ['STRING_STYLE_NOT_ALLOWED', "select count(*) from a.b where x = b'101'"],
  ['TEXT_NOT_ALLOWED', 'select count(*) from a.b where "em\u200bail" = 1'],
  ['TEXT_NOT_ALLOWED', 'select count(*) from a.b where é = 1'],
  ['TEXT_NOT_ALLOWED', 'select count(*) from a.b\u0000'],
  ['TEXT_NOT_ALLOWED', "select count(*) from a.b where x = '\ud800'"],
  ['JOIN_NOT_ALLOWED', 'select count(*) from a.b natural join c.d'],
  ['TABLE_UNKNOWN', 'select count(*) from x.a.b'],
  ['TOO_DEEP', `select sum(${'-('.repeat(80)}x${')'.repeat(80)}) from a.b`],
  ['TOO_MANY_TOKENS', `select count(*) from a.b where x in (${'1,'.repeat(5000)}1)`],
  ['TEXT_TOO_LONG', `select count(*) from a.b where x = '${'a'.repeat(70_000)}'`],
  ['TEXT_TOO_LONG', `select count(*) from a.b where x = '${'é'.repeat(40_000)}'`],
]

describe('the allow-list', () => {
  it.each(refused.map(([code, sql]) => ({ code, sql, title: JSON.stringify(sql.slice(0, 80)) })))(
    'refuses as $code: $title',
    async ({ code, sql }) => {
      expect((await refusal(sql)).code).toBe(code)
    },
  )

  it('names the characters of what it refuses, counting characters and not bytes', async () => {
    const sql = "select count(*) from a.b where x = 'éé' and md5(y) = 1"
    const error = await refusal(sql)
    expect(error.code).toBe('FUNCTION_NOT_ALLOWED')
    const { start, end } = error.range ?? { start: 0, end: 0 }
    expect(sql.slice(start, end)).toBe('md5')
    expect(error.place).toBe(`characters ${start}-${end}`)
  })

  it('never repeats text of the statement in a message', async () => {
    for (const [, sql] of refused) {
      const secret = sql.replace("'a'", "'user7@example.org'")
      expect((await refusal(secret)).message).not.toContain('user7')
    }
  })
})

describe('what is read', () => {
  it('keeps zero, false and the empty text, which the parser leaves out of its tree', async () => {
    const { where } = await parsed("select count(*) from a.b where x = 0 or y = false or z = ''")
    const values =
      where?.kind === 'or'
        ? where.operands.map((entry) => (entry.kind === 'compare' ? entry.right : null))
        : []
    expect(values.map((entry) => (entry?.kind === 'literal' ? entry.value : null))).toEqual([
      { type: 'number', text: '0' },
      { type: 'boolean', value: false },
      { type: 'text', text: '' },
    ])
  })

  it('writes BETWEEN and CASE with a subject in their plain forms', async () => {
    const { where, groupBy } = await parsed(
      "select count(*) from a.b where x not between 1 and 2 group by case y when 1 then 'a' end",
    )
    expect(where).toMatchObject({ kind: 'not', operand: { kind: 'and' } })
    expect(groupBy[0]).toMatchObject({
      kind: 'case',
      branches: [{ when: { kind: 'compare', operator: '=' } }],
      otherwise: null,
    })
  })

  it('is frozen all the way down', async () => {
    const select = await parseSelect('select sum(x + 1) from a.b where y = 2')
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen))
    expect(frozen(select)).toBe(true)
  })

  it('gives a value or a QueryError for any text', async () => {
    const fragments = fc.constantFrom(
      'select',
      'count(*)',
      'from',
      'a.b',
      'where',
      'x',
      '=',
      "'é'",
      'and',
      'not',
      '(',
      ')',
      ',',
      'case when',
      'then',
      'end',
      'group by',
      'in',
      '1e400',
      '$1',
      'sum(x)',
      'limit',
      '-',
      ';',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(fragments, { maxLength: 40 }).map((parts) => parts.join(' ')),
      fc
        .array(fragments, { maxLength: 20 })
        .map((parts) => `select count(*) from a.b where ${parts.join(' ')}`),
    )
    await fc.assert(
      fc.asyncProperty(text, async (sql) => {
        try {
          expect(['select', 'union']).toContain((await parseSelect(sql)).kind)
        } catch (error) {
          expect(error).toBeInstanceOf(QueryError)
        }
      }),
      { numRuns: 1500 },
    )
  })

  it('answers hostile nesting within its limits and stays usable', async () => {
    for (const sql of [
      `select ${'('.repeat(4000)}1${')'.repeat(4000)} from a.b`,
      `select sum(${'1 + '.repeat(4000)}1) from a.b`,
      `select count(*) from a.b where ${'not '.repeat(4000)} x`,
      `select count(*) from a.b where ${'x and '.repeat(4000)} x`,
    ]) {
      await parseSelect(sql).catch((error: unknown) => expect(error).toBeInstanceOf(QueryError))
    }
    expect((await parsed('select count(*) from a.b')).from[0]?.item).toMatchObject({ table: 'b' })
  })
})

it.each([
  ['comments in each other', `select ${'/*'.repeat(65)}`],
  ['comments that are closed', `select ${'/*'.repeat(16_000)}${'*/'.repeat(16_000)} 1`],
  ['comments beside each other', `select ${'/**/'.repeat(16_000)} 1`],
  ['signs', `select ${'+'.repeat(129)}1`],
  ['signs in a comment', `select 1 -- ${'=+'.repeat(30_000)}`],
])('%s without a blank never reach the scanner', async (_, sql) => {
  const grammar = {
    scan: () => Promise.reject(new Error('scanned')),
    parse: () => Promise.reject(new Error('parsed')),
  }
  await expect(parseSelect(sql, grammar)).rejects.toMatchObject({ code: 'TOO_MANY_TOKENS' })
})

it('lines of signs are comments as before', async () => {
  await parsed(`select count(*) /${'*'.repeat(100)}/ from a.b -- ${'-'.repeat(100)}`)
  await parsed(`select count(*) ${'/* x */'.repeat(1000)} from a.b`)
})
