import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QueryError, queryErrorCodes } from '../errors.js'
import { hostile } from '../testing/hostile.js'
import { testPools } from '../testing/pools.js'
import { planQuery } from './plan-query.js'

const pools = testPools()
const attempt = async (sql: string) => {
  try {
    await planQuery({ sql, pools, budget: { epsilon: 1, delta: 1e-6 } })
    return null
  } catch (error) {
    return error
  }
}

/** Ways to say the same. Each keeps a statement what it is, or breaks it. */
const disguises: Readonly<Record<string, (sql: string) => string>> = {
  plain: (sql) => sql,
  'in capitals where it is no text': (sql) =>
    sql.replace(/'[^']*'|"[^"]*"|[^'"]+/g, (part) => (/^['"]/.test(part) ? part : part.toUpperCase())),
  'with comments for blanks': (sql) =>
    sql.replace(/'[^']*'|"[^"]*"|[^'"]+/g, (part) =>
      /^['"]/.test(part) ? part : part.replaceAll(' ', '/* x */'),
    ),
  'with lines and tabs for blanks': (sql) =>
    sql.replace(/'[^']*'|"[^"]*"|[^'"]+/g, (part) =>
      /^['"]/.test(part) ? part : part.replaceAll(' ', '\n\t -- x\n'),
    ),
  'in brackets': (sql) => `(${sql})`,
  'as a query of WITH': (sql) => `WITH zz AS (${sql}) SELECT * FROM zz`,
  'in FROM': (sql) => `SELECT count(*) FROM (${sql}) AS zz`,
  'as a number': (sql) => `SELECT (${sql}) AS zz`,
  'in HAVING': (sql) => `SELECT count(*) FROM pay.workers HAVING count(*) > (${sql})`,
  'behind UNION ALL': (sql) => `SELECT count(*) FROM pay.workers UNION ALL ${sql}`,
  'in IN': (sql) => `SELECT count(*) FROM pay.workers WHERE contributor IN (${sql})`,
}

/** What is allowed elsewhere: a disguise can turn these into statements that ask for nothing private. */
const innocent = new Set([
  // A contributor's own rows may be selected, grouped and listed inside of a query that then aggregates.
  'in FROM',
  'in IN',
  'as a number',
  'in HAVING',
  'behind UNION ALL',
  'as a query of WITH',
])

describe.each(Object.entries(hostile))('hostile statements: %s', (_, statements) => {
  it.each(statements)('%s', async (sql) => {
    const error = await attempt(sql)
    expect(error).toBeInstanceOf(QueryError)
    expect(queryErrorCodes).toContain((error as QueryError).code)
    // An engine's codes would mean that one was asked.
    expect((error as QueryError).code).not.toMatch(/^ENGINE|STATEMENT_REFUSED|PLAN_INVALID/)
    // The same text says the same, to the character.
    expect(String(await attempt(sql))).toBe(String(error))
  })

  it.each(Object.keys(disguises).slice(1))('are refused %s as well', async (name) => {
    const disguise = disguises[name]
    if (disguise === undefined) throw new Error('no disguise')
    for (const sql of statements) {
      const error = await attempt(disguise(sql))
      if (error === null && innocent.has(name)) continue
      expect([sql, error === null ? 'planned' : error]).toEqual([sql, expect.any(QueryError)])
    }
  })
})

describe('any text', () => {
  const words = fc.constantFrom(
    ...'SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT WITH AS IN EXISTS NOT AND OR NULL CASE WHEN THEN ELSE END JOIN LEFT USING ON UNION ALL OVER PARTITION count sum avg lower substring range ( ) ( ) , . ; * + - / % || = < > :: $1 1 0.5 1e9 contributor wallet pay workers pay.workers people.persons trips.rides wage bonus sector zone miles t w'.split(
      ' ',
    ),
    "'x'",
    "'''",
    '"wage"',
    '$$',
    'é',
    '\u0000',
  )
  it('is a plan or a refusal, never anything else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(words, { maxLength: 30 }), async (parts) => {
        const error = await attempt(`SELECT count(*) FROM pay.workers ${parts.join(' ')}`)
        expect(error === null || error instanceof QueryError).toBe(true)
        const other = await attempt(parts.join(' '))
        expect(other === null || other instanceof QueryError).toBe(true)
      }),
      { numRuns: 1500 },
    )
  }, 60_000)

  it.each([
    ['brackets', (n: number) => `SELECT ${'('.repeat(n)}count(*)${')'.repeat(n)} FROM pay.workers`],
    ['NOT', (n) => `SELECT count(*) FROM pay.workers WHERE ${'NOT '.repeat(n)}union_member`],
    ['minus', (n) => `SELECT sum(${'- '.repeat(n)}wage) FROM pay.workers`],
    ['plus', (n) => `SELECT sum(wage${' + 1'.repeat(n)}) FROM pay.workers`],
    ['joined texts', (n) => `SELECT count(*) FROM pay.workers WHERE sector${" || 'a'".repeat(n)} = 'x'`],
    [
      'lower',
      (n) => `SELECT count(*) FROM pay.workers WHERE ${'lower('.repeat(n)}sector${')'.repeat(n)} = 'x'`,
    ],
    [
      'CASE',
      (n) =>
        `SELECT sum(${'CASE WHEN union_member THEN '.repeat(n)}wage${' END'.repeat(n)}) FROM pay.workers`,
    ],
    [
      'FROM',
      (n) => `SELECT count(*) FROM ${'(SELECT contributor FROM '.repeat(n)}pay.workers${') t'.repeat(n)}`,
    ],
    ['AND', (n) => `SELECT count(*) FROM pay.workers WHERE union_member${' AND bonus > 1'.repeat(n)}`],
    [
      'IN',
      (n) => `SELECT count(*) FROM pay.workers WHERE bonus IN (${Array.from({ length: n }, (_, i) => i)})`,
    ],
    ['columns', (n) => `SELECT ${Array.from({ length: n }, (_, i) => `sum(wage + ${i})`)} FROM pay.workers`],
    [
      'unions',
      (n) => `SELECT count(*) FROM pay.workers${' UNION ALL SELECT count(*) FROM pay.workers'.repeat(n)}`,
    ],
    [
      'WITH',
      (n) =>
        `WITH ${Array.from({ length: n }, (_, i) => `a${i} AS (SELECT contributor FROM ${i === 0 ? 'pay.workers' : `a${i - 1}`})`)} SELECT count(*) FROM a${n - 1}`,
    ],
    ...['abs(', 'sign(', 'sqrt(', 'round(', 'floor(', 'sin(', 'nullif(1, ', 'greatest(1, ', 'mod(7, '].map(
      (call): readonly [string, (n: number) => string] => [
        call,
        (n) => `SELECT sum(${call.repeat(n)}wage${')'.repeat(n)}) FROM pay.workers`,
      ],
    ),
    ['quotients', (n) => `SELECT sum(${'(1 / '.repeat(n)}wage${')'.repeat(n)}) FROM pay.workers`],
    [
      'months',
      (n) =>
        `SELECT count(*) FROM pay.workers WHERE ${"date_trunc('quarter', ".repeat(n)}DATE '2024-01-01'${')'.repeat(n)} > '2023-01-01'`,
    ],
    [
      'doubled relations',
      (n) =>
        `WITH a0 AS (SELECT contributor, bonus AS b FROM pay.workers), ${Array.from({ length: n }, (_, i) => `a${i + 1} AS (SELECT contributor, b FROM a${i} UNION ALL SELECT contributor, b FROM a${i})`)} SELECT count(*) FROM a${n}`,
    ],
    [
      'doubled releases',
      (n) =>
        `WITH a0 AS (SELECT count(*) AS c FROM pay.workers), ${Array.from({ length: n }, (_, i) => `a${i + 1} AS (SELECT c FROM a${i} UNION ALL SELECT c FROM a${i})`)} SELECT c FROM a${n}`,
    ],
    ['power', (n) => `SELECT sum(${'power('.repeat(n)}wage${', 8)'.repeat(n)}) FROM pay.workers`],
  ] as readonly (readonly [string, (n: number) => string])[])(
    'however deep or long it is made of %s, is a plan or a refusal',
    async (_, make) => {
      for (const n of [2, 9, 40, 130, 1000, 4000, 20_000]) {
        const error = await attempt(make(n))
        expect(error === null || error instanceof QueryError).toBe(true)
      }
    },
    60_000,
  )
})
