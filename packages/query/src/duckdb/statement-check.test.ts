import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import { planQuery } from '../plan/plan-query.js'
import { printDuckDb, text } from '../print/duckdb.js'
import { testPools } from '../testing/pools.js'
import { statementFault } from './statement-check.js'

async function serialize(sql: string): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const answer = await connection.runAndReadAll(`SELECT json_serialize_sql(${text(sql)}) AS tree`)
  connection.closeSync()
  instance.closeSync()
  return String(answer.getRowObjectsJson()[0]?.['tree'])
}

describe('the second look at a statement', () => {
  it('accepts what the printer prints, literals that look like SQL among it', async () => {
    const plan = await planQuery({
      sql: `SELECT union_member, avg(wage * 2 - bonus), count(bonus), sum(CASE WHEN sector = '''; DROP TABLE x; --' THEN -1.5 END)
        FROM pay.workers JOIN people.persons ON workers.contributor = persons.contributor
        WHERE (education NOT IN (1, 2.5) OR NOT union_member IS TRUE) AND sector IN ('read_csv(', 'a', NULL) AND bonus IS NOT NULL
        GROUP BY union_member`,
      pools: testPools(),
      budget: { epsilon: 1, delta: 0 },
    })
    const { sql, tables } = printDuckDb(plan.program)
    const serialized = await serialize(sql)
    expect(statementFault(serialized, tables)).toBeNull()
    expect(statementFault(serialized, ['pay.workers'])).toBe('other tables')
    expect(statementFault(serialized, [...tables, 'trips.rides'])).toBe('other tables')
    expect(statementFault(serialized, [...tables, 'trips.rides'], 'within')).toBeNull()
  })

  it.each([
    ['SELECT count(*) FROM a.b; SELECT 1', 'not one SELECT'],
    ['DROP TABLE a.b', 'not one SELECT'],
    ['WITH c AS (SELECT x FROM a.b) SELECT count(*) FROM a.b', 'WITH'],
    ["SELECT read_text('x') FROM a.b", 'function'],
    ['SELECT pg_catalog.sum(x) FROM a.b', 'function'],
    ['SELECT (SELECT sum(x) FROM a.b) FROM a.b', 'subquery'],
    ['SELECT count(*) FROM m.a.b', 'catalogue'],
    ["SELECT count(*) FROM query_table('a.b')", 'node TABLE_FUNCTION'],
    ['SELECT * FROM a.b', 'node STAR'],
    ['SELECT * FROM (SELECT * FROM a.b) AS t0', 'node STAR'],
    ['SELECT count(*) FROM (SELECT * FROM (SELECT x FROM a.b) AS t1) AS t0', 'node STAR'],
    ['SELECT row_number() OVER (PARTITION BY x) FROM a.b', 'window'],
    ['SELECT row_number() OVER (PARTITION BY coalesce(t0.contributor, t1.x)) FROM a.b', 'window'],
    ['SELECT row_number() OVER (PARTITION BY coalesce(t0.contributor, 1)) FROM a.b', 'window'],
    ['SELECT row_number() OVER () FROM a.b', 'window'],
  ])('refuses %s', async (sql, fault) => {
    expect(statementFault(await serialize(sql), ['a.b'])).toBe(fault)
  })

  it('accepts rows of a table that are chosen before a full join, and windows over its contributor', async () => {
    for (const sql of [
      'SELECT count(*) FROM (SELECT * FROM a.b AS t0 WHERE t0.row_rank <= 3) AS t0',
      'SELECT sum(x) FROM (SELECT row_number() OVER (PARTITION BY coalesce(t0.contributor, t1.contributor)) AS x FROM a.b AS t0) AS r',
    ]) {
      expect([sql, statementFault(await serialize(sql), ['a.b'])]).toEqual([sql, null])
    }
  })

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"error":true}',
    '{"error":false}',
    '{"error":false,"statements":[{},{}]}',
  ])('refuses an answer that is no tree: %s', (serialized) => {
    expect(statementFault(serialized, [])).not.toBeNull()
  })
})
