import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { createMemoryLedger, platformRandom } from '@sealpool/privacy'
import { afterAll, describe, expect, it } from 'vitest'
import { answerer } from '../answer/answer-query.js'
import { createMemoryAnswers } from '../answer/answer-store.js'
import type { SqlEngine } from '../engine/engine.js'
import { executePlan } from '../execute/execute-plan.js'
import { planQuery } from '../plan/plan-query.js'
import { persons, testPools, workers } from '../testing/pools.js'
import { createDuckDbEngine, type DuckDbEngineOptions } from './duckdb-engine.js'

const started: SqlEngine[] = []
function start(options: DuckDbEngineOptions = {}): SqlEngine {
  const engine = createDuckDbEngine({ threads: 1, memoryLimit: '256MB', ...options })
  started.push(engine)
  return engine
}
afterAll(() => Promise.all(started.map((engine) => engine.close())))

const rows = Array.from({ length: 300 }, (_, id) => ({
  contributor: id,
  wage: id / 10,
  bonus: id,
  union_member: id % 2 === 0,
  sector: 'other',
  note: 'private',
  town: null,
}))
const table = { name: 'pay.workers', columns: workers.columns, rows } as const

describe('the engine in its own process', () => {
  it('runs a plan and types what was loaded', async () => {
    const engine = start()
    await engine.load(table)
    const plan = await planQuery({
      sql: 'SELECT union_member, avg(wage) FROM pay.workers GROUP BY union_member',
      pools: testPools(),
      budget: { epsilon: 1, delta: 0 },
    })
    const { rows: released } = await executePlan({ plan, engine, random: platformRandom })
    expect(released.map((row) => row[0])).toEqual([false, true])
    const [first] = await engine.query(
      'SELECT w.wage, w.bonus, w.union_member FROM pay.workers AS w WHERE w.contributor = 7',
    )
    expect(first).toEqual({ wage: '0.70', bonus: '7', union_member: false })
  })

  it.each([
    "SELECT count(*) FROM read_csv('/etc/passwd')",
    "SELECT count(*) FROM glob('/*')",
    'SELECT count(*) FROM duckdb_tables()',
    "SELECT getenv('HOME') FROM pay.workers",
    'SELECT sleep_ms(10) FROM pay.workers',
    "SELECT error('x') FROM pay.workers",
    'SELECT * FROM pay.workers',
    'SELECT count(*) FROM pay.workers; SELECT count(*) FROM pay.workers',
    'WITH x AS (SELECT 1) SELECT count(*) FROM pay.workers',
    'DROP TABLE pay.workers',
    "ATTACH ':memory:' AS m",
    'SET threads = 4',
    "COPY pay.workers TO '/tmp/out.csv'",
    "SELECT count(*) FROM query('SELECT 1')",
    'SELECT count(*) FROM information_schema.tables',
    'SELECT sum(w.wage) OVER () FROM pay.workers AS w',
    'not sql',
  ])('refuses statements that no printer prints: %s', async (sql) => {
    const engine = started[0] ?? start()
    await expect(engine.query(sql)).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
  })

  it('refuses a statement over other tables than the planned ones', async () => {
    const engine = start()
    await engine.load(table)
    await engine.load({ name: 'people.persons', columns: persons.columns, rows: [] })
    const sql = 'SELECT count(*) FROM pay.workers'
    await expect(engine.query(sql, { tables: ['people.persons'] })).rejects.toMatchObject({
      code: 'STATEMENT_REFUSED',
    })
    await expect(engine.query(sql, { tables: ['pay.workers', 'people.persons'] })).rejects.toMatchObject({
      code: 'STATEMENT_REFUSED',
    })
    await engine.query(sql, { tables: ['pay.workers'] })
  })

  it('is locked by its first query: nothing is loaded after it', async () => {
    const engine = start()
    await engine.load(table)
    await engine.query('SELECT count(*) FROM pay.workers')
    const late = engine.load({ name: 'people.persons', columns: persons.columns, rows: [] })
    await expect(late).rejects.toMatchObject({ code: 'ENGINE_LOCKED', place: 'people.persons' })
  })

  it('refuses names that are none, a table twice, and files that are not there', async () => {
    const engine = start()
    await engine.load(table)
    const bad = { columns: workers.columns, rows: [] }
    for (const name of ['pay.workers', 'workers', 'Pay.workers', 'pay.workers"; drop', 'a.b.c']) {
      await expect(engine.load({ name, ...bad })).rejects.toMatchObject({ code: 'ENGINE_LOAD_FAILED' })
    }
    const missing = engine.load({ name: 'a.b', columns: [], parquet: { paths: ['/nowhere/x.parquet'] } })
    await expect(missing).rejects.toMatchObject({ code: 'ENGINE_LOAD_FAILED' })
  })

  it('kills a query that takes too long and says so', async () => {
    const engine = start({ timeoutMs: 15_000 })
    await engine.load(table)
    await engine.close()
    const hasty = start({ timeoutMs: 1 })
    await expect(hasty.load(table)).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' })
    await expect(hasty.query('SELECT count(*) FROM pay.workers')).rejects.toMatchObject({
      code: 'ENGINE_TIMEOUT',
    })
  })

  it('says whether it can be asked, without being asked', async () => {
    const engine = start()
    await engine.load(table)
    await engine.ready?.(['pay.workers'])
    await expect(engine.ready?.(['pay.workers', 'people.persons'])).rejects.toMatchObject({
      code: 'ENGINE_TABLE_MISSING',
      place: 'people.persons',
    })
    // It is not locked by that.
    await engine.load({ name: 'people.persons', columns: persons.columns, rows: [] })
    await engine.ready?.(['pay.workers', 'people.persons'])
    await engine.close()
    await expect(engine.ready?.(['pay.workers'])).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  })

  it('that is dead charges nothing', async () => {
    const engine = start()
    await engine.load(table)
    const ledger = createMemoryLedger()
    const pools = testPools()
    for (const { address, policy } of pools) await ledger.open(address, policy.privacy)
    const answers = createMemoryAnswers()
    const answer = answerer({ ledger, engine, answers, random: platformRandom, dataVersion: 'v1' })
    const plan = (sql: string) => planQuery({ sql, pools, budget: { epsilon: 1, delta: 0 } })
    await expect(answer(await plan('SELECT count(*) FROM people.persons'))).rejects.toMatchObject({
      code: 'ENGINE_TABLE_MISSING',
    })
    await engine.close()
    await expect(answer(await plan('SELECT count(*) FROM pay.workers'))).rejects.toMatchObject({
      code: 'ENGINE_CLOSED',
    })
    for (const { address } of pools) expect(Number((await ledger.head(address)).state.epsilonSpent)).toBe(0)
  })

  it('answers nothing after it was closed', async () => {
    const engine = start()
    await engine.load(table)
    await engine.close()
    await engine.close()
    await expect(engine.query('SELECT count(*) FROM pay.workers')).rejects.toMatchObject({
      code: 'ENGINE_CLOSED',
    })
  })

  it('says that it could not start when it may have no memory', async () => {
    const engine = start({ addressSpaceBytes: 64 * 2 ** 20 })
    await expect(engine.load(table)).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  })

  it('loads encrypted Parquet with its key only', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealpool-query-'))
    const path = join(folder, 'workers.parquet')
    const key = randomBytes(32)
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    // DuckDB writes encrypted files only with an extension that is not linked in, or after this setting.
    await connection.run("SET force_mbedtls_unsafe = 'true'")
    await connection.run(`PRAGMA add_parquet_key('k', '${key.toString('base64')}')`)
    await connection.run(
      `COPY (SELECT range AS contributor, range / 7.0 AS wage, NULL AS bonus, range % 2 = 0 AS union_member, 'other' AS sector, NULL AS note, NULL AS town FROM range(50)) TO '${path}' (FORMAT parquet, ENCRYPTION_CONFIG {footer_key: 'k'})`,
    )
    connection.closeSync()
    instance.closeSync()
    const parquet = { name: 'pay.workers', columns: workers.columns } as const
    try {
      const engine = start()
      await engine.load({ ...parquet, parquet: { paths: [path], key } })
      const [row] = await engine.query('SELECT count(*) AS n, sum(w.wage) AS s FROM pay.workers AS w')
      expect(row).toEqual({ n: '50', s: '175.00' })
      for (const wrong of [new Uint8Array(randomBytes(32)), undefined]) {
        const load = start().load({
          ...parquet,
          parquet: wrong === undefined ? { paths: [path] } : { paths: [path], key: wrong },
        })
        await expect(load).rejects.toMatchObject({ code: 'ENGINE_LOAD_FAILED' })
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('never puts a value of the data into an error', async () => {
    const engine = start()
    await engine.load(table)
    const failing = engine.query('SELECT CAST(w.note AS INTEGER) AS x FROM pay.workers AS w')
    await expect(failing).rejects.toMatchObject({ code: 'ENGINE_FAILED', place: 'query' })
    await failing.catch((error: Error) =>
      expect(error.message + String(error.cause)).not.toContain('private'),
    )
  })
})
