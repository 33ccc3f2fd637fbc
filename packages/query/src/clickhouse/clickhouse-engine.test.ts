import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SqlEngine } from '../engine/engine.js'
import { releasesOf } from '../plan/plan.js'
import { planQuery } from '../plan/plan-query.js'
import { clickHouseDialect, printClickHouse } from '../print/clickhouse.js'
import { chdbClient, chdbSession } from '../testing/chdb-client.js'
import { corpus, quantiles } from '../testing/corpus.js'
import { exactNumbers } from '../testing/exact-numbers.js'
import { memoryEngine } from '../testing/memory-engine.js'
import { oddTexts } from '../testing/odd-texts.js'
import { loadReal, realPools, realPublic } from '../testing/real-data.js'
import { type ClickHouseClient, createClickHouseEngine } from './clickhouse-engine.js'
import { statementFault } from './statement-check.js'

const chdb = chdbSession()
if (chdb === null)
  console.info('skipped: ClickHouse is not installed (npm chdb; name its folder in SEALPOOL_CHDB)')

const plan = (sql: string) =>
  planQuery({ sql, pools: realPools, publicTables: realPublic, budget: { epsilon: 1e6, delta: 0 } })

describe.skipIf(chdb === null)('ClickHouse, the real engine (chdb)', () => {
  let duckdb: SqlEngine
  let clickhouse: SqlEngine
  let client: ClickHouseClient

  beforeAll(async () => {
    if (chdb === null) return
    client = chdbClient(chdb.session)
    clickhouse = createClickHouseEngine({ shards: [client] })
    duckdb = await memoryEngine()
    for (const engine of [duckdb, clickhouse]) await loadReal(engine)
  }, 60_000)
  afterAll(async () => {
    await duckdb?.close()
    chdb?.close()
  })

  it.each([...corpus, ...quantiles])('has the exact numbers of DuckDB: %s', async (sql) => {
    const made = await plan(sql)
    expect(await exactNumbers(made, clickhouse)).toEqual(await exactNumbers(made, duckdb))
  })

  it('reads texts as DuckDB does, also beyond ASCII', async () => {
    const other = await memoryEngine()
    const expected = await oddTexts(other)
    expect(await oddTexts(createClickHouseEngine({ shards: [client] }))).toEqual(expected)
    await other.close()
  })

  it('joins outer rows of public tables by any condition', async () => {
    const made = await plan(
      'SELECT count(*), count(r.year), sum(r.year) FROM pay.workers w LEFT JOIN pub.rates r ON r.year < w.age * 48 AND w.south',
    )
    expect(await exactNumbers(made, clickhouse)).toEqual(await exactNumbers(made, duckdb))
  })

  it('keeps to exact bounds on rows', async () => {
    const made = await planQuery({
      sql: 'SELECT count(*), sum(price) FROM homes.blocks',
      pools: realPools,
      budget: { epsilon: 1e6, delta: 0 },
      bounds: { groups: 3, rows: 2 },
    })
    expect(await exactNumbers(made, clickhouse)).toEqual(await exactNumbers(made, duckdb))
    const grouped = await planQuery({
      sql: 'SELECT rad, count(*) FROM homes.blocks GROUP BY rad',
      pools: realPools,
      budget: { epsilon: 1e6, delta: 0 },
      bounds: { groups: 1, rows: 1 },
    })
    // Which group of a contributor counts is up to an engine's hash; how many count is not.
    const total = async (engine: SqlEngine) =>
      (await exactNumbers(grouped, engine))
        .flat()
        .reduce((sum, { statistics }) => sum + Number(statistics[0]), 0)
    expect(await total(clickhouse)).toBe(await total(duckdb))
    expect(await total(clickhouse)).toBe(169)
  })

  it('reads quotes, backslashes and large numbers as they are', async () => {
    const table = {
      name: 'odd.texts',
      columns: [
        { name: 't', type: 'text' as const },
        { name: 'n', type: 'integer' as const },
      ],
      rows: [
        { contributor: 1, t: "a'\\b", n: '9007199254740991' },
        { contributor: 2, t: '\\', n: '-9007199254740991' },
        { contributor: '-9223372036854775808', t: 'é\\n', n: null },
        { contributor: null, t: 'nobody', n: 1 },
      ],
    }
    const other = createClickHouseEngine({ shards: [client] })
    await other.load(table)
    const { text } = clickHouseDialect
    const texts = table.rows.slice(0, 3).map(({ t }) => text(t))
    const sql = `SELECT toString(count(*)) AS s0, toString(sum(CAST(t0.n AS Nullable(Int128)))) AS s1 FROM "odd"."texts" AS t0 WHERE (t0.t IN (${texts.join(', ')}))`
    expect(await other.query(sql, { tables: ['odd.texts'] })).toEqual([{ s0: '3', s1: '0' }])
    await expect(other.load(table)).rejects.toMatchObject({ code: 'ENGINE_LOCKED' })
    // A table that is there already is neither filled nor dropped.
    const third = createClickHouseEngine({ shards: [client] })
    await expect(third.load(table)).rejects.toMatchObject({ code: 'ENGINE_LOAD_FAILED' })
    expect(await other.query(sql, { tables: ['odd.texts'] })).toEqual([{ s0: '3', s1: '0' }])
  })

  it.each([
    ["SELECT count(*) FROM url('http://127.0.0.1/x', 'LineAsString')", 'function'],
    ["SELECT count(*) FROM file('/etc/passwd')", 'function'],
    ["SELECT count(*) FROM executable('x.sh', 'TabSeparated', 'a String')", 'function'],
    ["SELECT count(*) FROM remote('127.0.0.1:9000', system.one)", 'function'],
    ['SELECT throwIf(south) FROM "pay"."workers"', 'function'],
    ['SELECT sleep(1) FROM "pay"."workers"', 'function'],
    ['SELECT count(*) FROM "system"."tables"', 'other tables'],
    ['SELECT count(*) FROM "pay"."workers", "homes"."tracts"', 'other tables'],
    ['SELECT 1', 'other tables'],
    ['SELECT count(*) FROM "pay"."workers" SETTINGS readonly = 0', 'node Set'],
    ['SELECT count(*) FROM "pay"."workers" FORMAT CSV', 'not parsed'],
    ['SELECT count(*) FROM "pay"."workers" INTO OUTFILE \'/tmp/x\'', ''],
    ['WITH x AS (SELECT 1) SELECT count(*) FROM "pay"."workers"', 'node'],
    ['DROP TABLE "pay"."workers"', 'not parsed'],
    ['SELECT 1; SELECT 2', ''],
    ['SELECT count(*) FROM (', 'not parsed'],
  ])('refuses before it runs: %s', async (sql, place) => {
    const refused = await clickhouse.query(sql, { tables: ['pay.workers'] }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'STATEMENT_REFUSED', place: expect.stringContaining(place) })
  })

  it('says one thing when a server fails', async () => {
    const failing: ClickHouseClient = {
      ...client,
      query: async (request) => {
        if (request.query.startsWith('SELECT toString')) throw new Error('Code: 395. Value 42 of Ann')
        return client.query(request)
      },
    }
    const engine = createClickHouseEngine({ shards: [failing], tables: ['pay.workers'] })
    const [release] = releasesOf(await plan('SELECT count(*) FROM pay.workers'))
    if (release === undefined) throw new Error('no release')
    const { sql, tables } = printClickHouse(release.program)
    const failure = await engine.query(sql, { tables }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ENGINE_FAILED', place: 'query' })
    expect(String(failure)).not.toMatch(/Ann|42/)
    await engine.close()
    await expect(engine.query(sql, { tables })).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  })
})

describe('the second look, on lines of EXPLAIN AST', () => {
  const lines = [
    'SelectWithUnionQuery (children 1)',
    ' SelectQuery (children 1)',
    '  TableIdentifier pay.workers',
  ]

  it('accepts exactly the planned tables', () => {
    expect(statementFault(lines, ['pay.workers'])).toBeNull()
    expect(statementFault(lines, ['pay.workers', 'pay.other'])).toBe('other tables')
    expect(statementFault(lines, ['pay.other'])).toBe('other tables')
  })

  it.each([
    [[], 'not one SELECT'],
    [['DropQuery'], 'not one SELECT'],
    [[...lines, 'SelectWithUnionQuery (children 1)'], 'not one SELECT'],
    [[...lines, '  Function file (children 1)'], 'function'],
    [[...lines, '  Set'], 'node Set'],
    [[...lines, '  ?'], 'node '],
  ])('refuses %j', (bad, fault) => {
    expect(statementFault(bad, ['pay.workers'])).toBe(fault)
  })
})
