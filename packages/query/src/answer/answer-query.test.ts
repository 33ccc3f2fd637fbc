import { createMemoryLedger, platformRandom } from '@sealpool/privacy'
import { describe, expect, it } from 'vitest'
import type { SqlEngine } from '../engine/engine.js'
import { QueryError } from '../errors.js'
import { planDigest } from '../plan/plan-digest.js'
import { planQuery } from '../plan/plan-query.js'
import { testPools } from '../testing/pools.js'
import { loaded } from '../testing/tables.js'
import { type AnswerOptions, answerer, chargesOf } from './answer-query.js'
import { createMemoryAnswers } from './answer-store.js'

const workers = Array.from({ length: 40 }, (_, contributor) => ({
  contributor,
  wage: 10 + (contributor % 7),
  bonus: contributor,
  union_member: contributor % 2 === 0,
  sector: 'other',
}))
const persons = workers.map(({ contributor }) => ({ contributor, education: 12, gender: 'male' }))

async function setting(changes: Partial<AnswerOptions> = {}) {
  const ledger = createMemoryLedger()
  for (const { address, policy } of testPools()) await ledger.open(address, policy.privacy)
  const engine = await loaded({ workers, persons, rides: [] })
  const options: AnswerOptions = {
    ledger,
    engine,
    answers: createMemoryAnswers(),
    random: platformRandom,
    dataVersion: 'v1',
    ...changes,
  }
  const spent = async (index = 0) =>
    Number((await options.ledger.head(testPools()[index]?.address ?? '')).state.epsilonSpent)
  return { options, answer: answerer(options), spent }
}
const plan = (sql: string, epsilon = 1) =>
  planQuery({ sql, pools: testPools(), budget: { epsilon, delta: 0 } })

describe('answers', () => {
  it('are the same and charged once for the same plan on the same data, a hundred times over', async () => {
    const { answer, spent } = await setting()
    const made = await plan('SELECT avg(wage) FROM pay.workers')
    const first = await answer(made)
    expect(first.charged).toBe(true)
    expect(first.planDigest).toBe(planDigest(made))
    for (let turn = 0; turn < 100; turn += 1) {
      const again = await answer(await plan('SELECT avg(wage) FROM pay.workers'))
      expect(again.result).toEqual(first.result)
      expect(again.charged).toBe(false)
    }
    expect(await spent()).toBe(1)
  })

  it('are another answer and another charge on other data', async () => {
    const { options, answer, spent } = await setting()
    const made = await plan('SELECT avg(wage) FROM pay.workers')
    await answer(made)
    expect((await answerer({ ...options, dataVersion: 'v2' })(made)).charged).toBe(true)
    expect(await spent()).toBe(2)
  })

  it('never overspend when 64 different queries come at once', async () => {
    const { answer, spent } = await setting()
    const plans = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        plan(`SELECT count(*) FROM pay.workers WHERE bonus > ${index}`, 0.5),
      ),
    )
    const outcomes = await Promise.allSettled(plans.map((made) => answer(made)))
    const answered = outcomes.filter(({ status }) => status === 'fulfilled').length
    // Six in all, a half each.
    expect(answered).toBe(12)
    expect(await spent()).toBe(6)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'BUDGET_EXHAUSTED' })
    }
  })

  it('are charged once when the same query comes 64 times at once', async () => {
    const { answer, spent } = await setting()
    const made = await plan('SELECT sector, avg(wage) FROM pay.workers GROUP BY sector')
    const all = await Promise.all(Array.from({ length: 64 }, () => answer(made)))
    expect(all.filter(({ charged }) => charged)).toHaveLength(1)
    expect(new Set(all.map(({ result }) => JSON.stringify(result))).size).toBe(1)
    expect(await spent()).toBe(1)
  })

  it('of a join charge both pools or none', async () => {
    const { answer, spent } = await setting()
    const sql = 'SELECT avg(education) FROM pay.workers JOIN people.persons USING (contributor)'
    // Spends the one pool until only less than the join needs is left.
    for (const [turn, epsilon] of [2, 2, 1.5].entries()) {
      await answer(await plan(`SELECT sum(wage) FROM pay.workers WHERE bonus <> ${turn}`, epsilon))
    }
    await expect(answer(await plan(sql))).rejects.toMatchObject({ code: 'BUDGET_EXHAUSTED' })
    expect([await spent(0), await spent(1)]).toEqual([5.5, 0])
    await answer(await plan(sql, 0.5))
    expect([await spent(0), await spent(1)]).toEqual([6, 0.5])
  })

  it('that are lost between charge and release stay charged, and asking again is a new charge', async () => {
    const whole = await setting()
    const broken: SqlEngine = {
      ...whole.options.engine,
      query: async () => {
        throw new Error('the power went out')
      },
    }
    const made = await plan('SELECT avg(wage) FROM pay.workers')
    await expect(answerer({ ...whole.options, engine: broken })(made)).rejects.toMatchObject({
      code: 'ANSWER_WITHHELD',
    })
    expect(await whole.spent()).toBe(1)
    // After the restart: the ledger knows the charge, nobody knows the answer.
    expect((await whole.answer(made)).charged).toBe(true)
    expect(await whole.spent()).toBe(2)
  })

  it('are withheld in one way, whatever went wrong in the engine', async () => {
    const whole = await setting()
    const made = await plan('SELECT sector, avg(wage), median(bonus) FROM pay.workers GROUP BY sector', 0.1)
    const faults: readonly SqlEngine['query'][] = [
      ...(['ENGINE_TIMEOUT', 'ENGINE_FAILED', 'ENGINE_CLOSED', 'STATEMENT_REFUSED'] as const).map(
        (code) => async () => {
          throw new QueryError(code, 'query')
        },
      ),
      () => {
        throw new RangeError('Array buffer allocation failed')
      },
      async () => [{ k0: 99, s0: '1' }],
      async () => [{ s0: 'no number' }],
      async () => Promise.reject(null),
    ]
    const causes: unknown[] = []
    const seen = new Set<string>()
    for (const query of faults) {
      const answer = answerer({
        ...whole.options,
        engine: { ...whole.options.engine, query },
        onWithheld: (cause) => {
          causes.push(cause)
          throw new Error('the log is full')
        },
      })
      const error: unknown = await answer(made).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(QueryError)
      expect(error).not.toHaveProperty('cause')
      seen.add(JSON.stringify([String(error), { ...(error as QueryError) }]))
    }
    expect([...seen]).toEqual([expect.stringContaining('ANSWER_WITHHELD')])
    expect(causes).toHaveLength(faults.length)
    expect(causes[0]).toMatchObject({ code: 'ENGINE_TIMEOUT' })
    // Each was charged, and none is kept as an answer.
    expect(await whole.spent()).toBeCloseTo(0.8)
    expect((await whole.answer(made)).charged).toBe(true)
  })

  it('are withheld in peace when the listener fails later', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    let told = 0
    const { options } = await setting({
      onWithheld: async () => {
        told += 1
        await Promise.resolve()
        throw new Error('the log disk is full')
      },
    })
    const query = async () => Promise.reject(new Error('gone'))
    const answer = answerer({ ...options, engine: { ...options.engine, query } })
    await expect(answer(await plan('SELECT avg(wage) FROM pay.workers'))).rejects.toMatchObject({
      code: 'ANSWER_WITHHELD',
    })
    // Rejections that nobody handles are told after the microtasks.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(told).toBe(1)
    expect(unhandled).toEqual([])
  })

  it('of an engine that is gone, or lacks a table, cost nothing', async () => {
    const whole = await setting()
    const made = await plan('SELECT avg(wage) FROM pay.workers')
    const first = await whole.answer(made)
    const other = await plan('SELECT sum(wage) FROM pay.workers')
    const seen = new Set<string>()
    for (const code of ['ENGINE_TIMEOUT', 'ENGINE_CLOSED', 'ENGINE_ANSWER_INVALID', null] as const) {
      const ready = () =>
        Promise.reject(code === null ? new Error('ECONNRESET') : new QueryError(code, 'query'))
      const answer = answerer({ ...whole.options, engine: { ...whole.options.engine, ready } })
      const error: unknown = await answer(other).catch((thrown: unknown) => thrown)
      seen.add(JSON.stringify([String(error), { ...(error as QueryError) }]))
      // What was answered before needs no engine.
      expect((await answer(made)).result).toEqual(first.result)
    }
    expect([...seen]).toEqual([expect.stringContaining('ENGINE_CLOSED')])
    const asked: (readonly string[])[] = []
    const ready = async (tables: readonly string[]) => {
      asked.push(tables)
      throw new QueryError('ENGINE_TABLE_MISSING', tables[0] ?? '')
    }
    const answer = answerer({ ...whole.options, engine: { ...whole.options.engine, ready } })
    await expect(answer(other)).rejects.toMatchObject({ code: 'ENGINE_TABLE_MISSING', place: 'pay.workers' })
    expect(asked).toEqual([['pay.workers']])
    expect(await whole.spent()).toBe(1)
    expect((await whole.answer(other)).charged).toBe(true)
  })

  it('are made by an engine whose methods need it', async () => {
    const { options, spent } = await setting()
    class Server implements SqlEngine {
      readonly dialect = options.engine.dialect
      readonly #inner = options.engine
      #open = true
      load: SqlEngine['load'] = (table) => this.#inner.load(table)
      query(...asked: Parameters<SqlEngine['query']>) {
        return this.#inner.query(...asked)
      }
      async ready() {
        if (!this.#open) throw new QueryError('ENGINE_CLOSED', 'server')
      }
      async close() {
        this.#open = false
      }
    }
    const engine = new Server()
    const answer = answerer({ ...options, engine })
    expect((await answer(await plan('SELECT avg(wage) FROM pay.workers'))).charged).toBe(true)
    await engine.close()
    await expect(answer(await plan('SELECT sum(wage) FROM pay.workers'))).rejects.toMatchObject({
      code: 'ENGINE_CLOSED',
    })
    expect(await spent()).toBe(1)
  })

  it.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['null', () => null],
    ['a promise', async () => testPools()],
    ['no pools', () => [null]],
  ])('are refused when the pools of today are %s', async (_, pools) => {
    const { answer, spent } = await setting({ pools: pools as () => ReturnType<typeof testPools> })
    const made = await plan('SELECT avg(wage) FROM pay.workers')
    await expect(answer(made)).rejects.toMatchObject({ code: 'POOLS_INVALID' })
    expect(await spent()).toBe(0)
  })

  it('are refused when the grant of today does not cover the plan', async () => {
    const { answer, spent } = await setting()
    const made = await plan('SELECT avg(wage) FROM pay.workers')
    await expect(answer(made, { grant: { tables: [] } })).rejects.toMatchObject({ code: 'TABLE_NOT_GRANTED' })
    expect(await spent()).toBe(0)
    expect((await answer(made, { grant: { tables: ['pay.workers'] } })).charged).toBe(true)
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['without the grant that was looked for', { grant: undefined }],
    ['without the statement that was looked for', { grant: {}, template: undefined }],
  ])('are refused when what they are held against is %s', async (_, grants) => {
    const { answer, spent } = await setting()
    const made = await plan('SELECT avg(wage) FROM pay.workers')
    await expect(answer(made, grants as Parameters<typeof answer>[1])).rejects.toMatchObject({
      code: 'POOLS_INVALID',
    })
    expect(await spent()).toBe(0)
  })

  it('of a plan under another policy than that of today are refused before anything is charged', async () => {
    let pools = testPools()
    const { answer, spent } = await setting({ pools: () => pools })
    const made = await plan('SELECT avg(wage) FROM pay.workers')
    await answer(made)
    pools = testPools({ joins: { allowed: false, with: [] } })
    // A kept answer as well: what the policy said when it was given is not what it says now.
    await expect(answer(made)).rejects.toMatchObject({ code: 'PLAN_OUTDATED' })
    expect(await spent()).toBe(1)
    const anew = await planQuery({
      sql: 'SELECT avg(wage) FROM pay.workers',
      pools,
      budget: { epsilon: 1, delta: 0 },
    })
    expect((await answer(anew)).charged).toBe(true)
  })

  it('are not made when the charge is refused: the engine is not even asked', async () => {
    const { options } = await setting()
    let asked = 0
    const engine: SqlEngine = {
      ...options.engine,
      query: (sql, expectation) => {
        asked += 1
        return options.engine.query(sql, expectation)
      },
    }
    const answer = answerer({ ...options, engine })
    for (let turn = 0; turn < 3; turn += 1)
      await answer(await plan(`SELECT count(*) FROM pay.workers WHERE bonus <> ${turn}`, 2))
    const before = asked
    await expect(answer(await plan('SELECT sum(wage) FROM pay.workers'))).rejects.toMatchObject({
      code: 'BUDGET_EXHAUSTED',
    })
    expect(asked).toBe(before)
  })

  it('are charged at the leaves of every release, however the statement nests', async () => {
    const made = await plan(
      'SELECT (SELECT count(*) FROM pay.workers) - (SELECT count(*) FROM people.persons) AS d',
    )
    expect(chargesOf(made, 'job')).toMatchObject([
      { pool: `0x${'1'.repeat(40)}`, leaves: ['pay.workers'] },
      { pool: `0x${'2'.repeat(40)}`, leaves: ['people.persons'] },
    ])
    const nested = await plan(
      'WITH t AS (SELECT contributor, wage FROM pay.workers WHERE contributor IN (SELECT contributor FROM people.persons)) SELECT sum(wage) FROM t',
    )
    expect(nested.leaves).toEqual(['pay.workers', 'people.persons'])
    expect(nested.pools.map(({ charge }) => charge.epsilon)).toEqual([1, 1])
  })
})
