import { platformRandom } from '@sealpool/privacy'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SqlEngine } from '../engine/engine.js'
import { executePlan } from '../execute/execute-plan.js'
import { releasesOf } from '../plan/plan.js'
import { planQuery } from '../plan/plan-query.js'
import { corpus, quantiles } from '../testing/corpus.js'
import { exactNumbers } from '../testing/exact-numbers.js'
import { memoryEngine } from '../testing/memory-engine.js'
import { oddTexts } from '../testing/odd-texts.js'
import { type PostgreSqlServer, postgreSqlPrograms, startPostgreSql } from '../testing/postgresql-server.js'
import { loadReal, realPools, realPublic } from '../testing/real-data.js'
import { createPostgreSqlEngine } from './postgresql-engine.js'
import { checkStatement } from './statement-check.js'

const programs = postgreSqlPrograms()
// In CI the package is installed: a server that is missing there is a failure and not a reason to skip.
if (programs === null && process.env['CI'] !== undefined)
  throw new Error("Debian's package postgresql is not installed")
if (programs === null) console.info("skipped: Debian's package postgresql is not installed")

const plan = (sql: string) =>
  planQuery({ sql, pools: realPools, publicTables: realPublic, budget: { epsilon: 1e6, delta: 0 } })

const numbers = async (sql: string, engine: SqlEngine) => exactNumbers(await plan(sql), engine)

describe.skipIf(programs === null)('PostgreSQL, a real server', () => {
  let server: PostgreSqlServer
  let duckdb: SqlEngine
  let single: SqlEngine
  let sharded: SqlEngine

  beforeAll(async () => {
    server = await startPostgreSql(programs ?? '')
    duckdb = await memoryEngine()
    single = createPostgreSqlEngine({ shards: [await server.connect('single')] })
    sharded = createPostgreSqlEngine({
      shards: await Promise.all(['shard0', 'shard1', 'shard2'].map((name) => server.connect(name))),
    })
    for (const engine of [duckdb, single, sharded]) await loadReal(engine)
  }, 60_000)
  afterAll(async () => {
    await duckdb?.close()
    await server?.stop()
  })

  it.each([...corpus, ...quantiles])(
    'has the exact numbers of DuckDB, on one server and on three: %s',
    async (sql) => {
      const expected = await numbers(sql, duckdb)
      expect(await numbers(sql, single)).toEqual(expected)
      expect(await numbers(sql, sharded)).toEqual(expected)
    },
  )

  it('reads texts as DuckDB does, also beyond ASCII', async () => {
    const other = await memoryEngine()
    const expected = await oddTexts(other)
    expect(await oddTexts(createPostgreSqlEngine({ shards: [await server.connect('odd')] }))).toEqual(
      expected,
    )
    await other.close()
  })

  it('adds noise once, after adding up', async () => {
    const made = await planQuery({
      sql: 'SELECT count(*) FROM pay.workers',
      pools: realPools,
      budget: { epsilon: 1, delta: 0 },
    })
    const values = []
    for (let turn = 0; turn < 200; turn += 1) {
      const { rows } = await executePlan({ plan: made, engine: sharded, random: platformRandom })
      values.push(Number(rows[0]?.[0]) - 534)
    }
    const spread = values.reduce((sum, value) => sum + value * value, 0) / values.length
    // Variance of discrete Laplace noise with epsilon 1 is about 1.84; three noises would give 5.5.
    expect(spread).toBeGreaterThan(0.8)
    expect(spread).toBeLessThan(3.6)
  })

  it('refuses what is not printed by its printer, and never writes', async () => {
    for (const sql of [
      "SELECT pg_read_file('/etc/passwd')",
      'SELECT count(*) FROM pg_catalog.pg_class',
      'DROP TABLE pay.workers',
      'SELECT 1; SELECT 2',
      'SELECT pg_sleep(1) FROM pay.workers',
      'WITH x AS (DELETE FROM pay.workers RETURNING 1) SELECT count(*) FROM x',
      'SELECT count(*) FROM pay.workers FOR UPDATE',
      'not sql',
    ]) {
      await expect(single.query(sql, { tables: ['pay.workers'] })).rejects.toMatchObject({
        code: 'STATEMENT_REFUSED',
      })
    }
    await expect(
      single.query('SELECT count(*) FROM homes.tracts', { tables: ['pay.workers'] }),
    ).rejects.toMatchObject({
      code: 'STATEMENT_REFUSED',
    })
  })

  it('maps every failure of the server to one error without its text', async () => {
    const sql = 'SELECT mod(1, 0) FROM pay.workers'
    await expect(single.query(sql, { tables: ['pay.workers'] })).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      place: 'query',
    })
    // And is usable afterwards.
    expect(await numbers('SELECT count(*) FROM pay.workers', single)).toHaveLength(1)
  })

  it('is locked by its first query', async () => {
    await expect(single.load({ name: 'pay.more', columns: [], rows: [] })).rejects.toMatchObject({
      code: 'ENGINE_LOCKED',
    })
  })
})

describe('plans at the same moment on one connection', () => {
  /** What a `Client` of `pg` does: one statement after the other, in the one transaction of the connection. */
  const connection = (fails: (sql: string) => boolean) => {
    const log: string[] = []
    let state: 'none' | 'open' | 'failed' = 'none'
    let tail: Promise<unknown> = Promise.resolve()
    const run = async (sql: string) => {
      const word = /^(?:BEGIN|ROLLBACK|COMMIT|SET)/.exec(sql)?.[0] ?? 'statement'
      log.push(state === 'none' ? word : `${word} in transaction`)
      if (word === 'BEGIN' && state === 'none') state = 'open'
      else if (word === 'ROLLBACK' || word === 'COMMIT') state = 'none'
      else if (state === 'failed') throw new Error('current transaction is aborted')
      else if (fails(sql)) {
        state = state === 'none' ? 'none' : 'failed'
        throw new Error('canceling statement due to statement timeout')
      }
      return { rows: [] }
    }
    const query = (sql: string) => {
      const turn = tail.then(() => run(sql))
      tail = turn.catch(() => {})
      return turn
    }
    return { log, query }
  }

  it('have each a transaction of its own, and fail alone', async () => {
    const { printPostgreSql } = await import('../print/postgresql.js')
    const printed = await Promise.all(
      ['SELECT count(*) FROM pay.workers', 'SELECT count(*) FROM pay.workers WHERE wage > 1'].map(
        async (sql) => {
          const [release] = releasesOf(await plan(sql))
          if (release === undefined) throw new Error('no release')
          return printPostgreSql(release.program, { set: [] })
        },
      ),
    )
    const failing = printed[0]?.sql
    const client = connection((sql) => sql === failing)
    // Two engines as well: the connection is one.
    const engines = [0, 1].map(() => createPostgreSqlEngine({ shards: [client], tables: ['pay.workers'] }))
    const outcomes = await Promise.allSettled(
      engines.flatMap((engine) => [
        engine.load({ name: 'pay.more', columns: [], rows: [] }),
        engine.ready?.(['pay.workers']),
        ...printed.map((statement) => engine.query(statement.sql, statement)),
        engine.ready?.(['pay.workers']),
      ]),
    )
    const told = ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled']
    expect(outcomes.map(({ status }) => status)).toEqual([...told, ...told])
    const within = client.log.filter((entry) => !entry.startsWith('SET')).join(', ')
    expect(within).toMatch(
      /^(?:BEGIN(?:, statement in transaction)+, (?:ROLLBACK|COMMIT) in transaction(?:, |$)){10}$/,
    )
  })

  it('wait for settings, and settings for them: the end of a transaction takes back what was set in it', async () => {
    const client = connection(() => false)
    const first = createPostgreSqlEngine({ shards: [client], tables: ['pay.workers'] })
    const asked = first.ready?.(['pay.workers'])
    while (!client.log.includes('BEGIN')) await Promise.resolve()
    const second = createPostgreSqlEngine({ shards: [client], tables: ['pay.workers'] })
    await Promise.all([asked, second.ready?.(['pay.workers'])])
    const turn = ['SET', 'SET', 'SET', 'SET', 'BEGIN', 'statement in transaction', 'ROLLBACK in transaction']
    expect(client.log).toEqual([...turn, ...turn])
  })
})

describe('the second look by PostgreSQL`s own grammar', () => {
  it('accepts what the printer prints', async () => {
    const { printPostgreSql } = await import('../print/postgresql.js')
    for (const sql of corpus) {
      for (const { program, sets } of releasesOf(await plan(sql))) {
        for (const set of sets) {
          const printed = printPostgreSql(program, { set })
          await checkStatement(printed.sql, printed)
        }
      }
    }
  })
})
