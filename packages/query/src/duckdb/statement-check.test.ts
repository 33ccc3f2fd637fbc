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
  ])('refuses %s', async (sql, fault) => {
    expect(statementFault(await serialize(sql), ['a.b'])).toBe(fault)
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
