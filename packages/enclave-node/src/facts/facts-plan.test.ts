import type { Row } from '@sealpool/query'
import { describe, expect, it } from 'vitest'
import type { PoolFacts } from '../config/facts-settings.js'
import { noiseStream } from '../job/job-noise.js'
import { servedPoolFixture } from '../testing/served-pool-fixture.js'
import { computeFacts } from './compute-facts.js'
import { planFacts } from './facts-plan.js'

const pool = servedPoolFixture()
const rule: PoolFacts = { epsilon: 1, from: 4, growth: 2, most: 2, maximumRows: 100, keywords: null }
const keywords = { table: 'workers', column: 'sector', epsilon: 0.5, delta: 1e-7, wordsPerPerson: 1 }

describe('a plan of facts', () => {
  it('shares its privacy among the tables, and in each among all counts over all rows of a contributor', () => {
    const [workers] = pool.policy.tables
    if (workers === undefined) throw new Error('the fixture has a table')
    const two = {
      ...pool,
      policy: { ...pool.policy, tables: [workers, { ...workers, name: 'days', rowsPerContributor: 10 }] },
    }
    expect(planFacts(two, rule)?.tables.map(({ epsilonPerCount }) => epsilonPerCount)).toEqual([
      0.5 / 3,
      0.5 / 30,
    ])
    expect(planFacts(two, rule)?.charge).toEqual({ epsilon: 1, delta: 0 })
    expect(planFacts(pool, { ...rule, keywords })?.charge).toEqual({ epsilon: 1.5, delta: 1e-7 })
  })

  it('is none where the policy has no room for it', () => {
    expect(planFacts(pool, { ...rule, epsilon: 2 })).not.toBeNull()
    expect(planFacts(pool, { ...rule, epsilon: 2.1 })).toBeNull()
    expect(planFacts(pool, { ...rule, epsilon: 1.6, keywords })).toBeNull()
    expect(planFacts(pool, { ...rule, keywords: { ...keywords, delta: 1e-6 } })).toBeNull()
    expect(planFacts({ ...pool, policy: { ...pool.policy, tables: [] } }, rule)).toBeNull()
  })

  it.each<[string, Partial<PoolFacts>, boolean]>([
    ['words of 0.00011 each', { keywords: { ...keywords, epsilon: 0.0022, wordsPerPerson: 10 } }, true],
    ['words of less', { keywords: { ...keywords, epsilon: 0.0021, wordsPerPerson: 10 } }, false],
    ['many words', { keywords: { ...keywords, epsilon: 0.1, wordsPerPerson: 1_000 } }, false],
    ['words of nearly no delta', { keywords: { ...keywords, delta: 1e-18 } }, false],
    ['counts of little', { epsilon: 6e-6 }, true],
    ['counts of less', { epsilon: 5e-6 }, false],
  ])('of %s can be computed before it is charged, or is none', async (_, change, can) => {
    const [workers] = pool.policy.tables
    if (workers === undefined) throw new Error('the fixture has a table')
    // Of 1,000 rows, so that a count has a 3,000th of it.
    const asked = {
      ...pool,
      policy: { ...pool.policy, tables: [{ ...workers, rowsPerContributor: 1_000 }] },
    }
    const plan = planFacts(asked, { ...rule, ...change })
    expect(plan !== null).toBe(can)
    const [table] = plan?.tables ?? []
    if (plan === null || table === undefined) return
    const random = noiseStream(new Uint8Array(32).fill(6))
    const facts = await computeFacts({
      engine: {
        query: async (sql) =>
          sql.includes('AS words') ? [{ contributor: '1', words: 'farming' }] : [{ n0: '1', n1: '1' }],
      },
      name: 'workers',
      table,
      plan,
      rows: 1,
      noise: { counts: random, words: random },
    })
    expect(facts.columns).toHaveLength(2)
  })

  it('takes keywords of a text column alone', () => {
    expect(planFacts(pool, { ...rule, keywords })?.keywords).toEqual(keywords)
    for (const wrong of [{ column: 'wage' }, { column: 'absent' }, { table: 'absent' }]) {
      expect(planFacts(pool, { ...rule, keywords: { ...keywords, ...wrong } })?.keywords).toBeNull()
    }
  })
})

describe('facts', () => {
  const planned = planFacts(pool, { ...rule, epsilon: 0.5, keywords: { ...keywords, epsilon: 1.5 } })
  const [table] = planned?.tables ?? []
  /** A table of 400 rows, its engine's answers by what is asked. */
  const told = async (people: readonly Row[], words = 4, answer: Row = { n0: '400', n1: '2' }) => {
    if (planned === null || table === undefined) throw new Error('there is room for it')
    const statements: string[] = []
    const facts = await computeFacts({
      engine: {
        query: async (sql) => {
          statements.push(sql)
          if (!sql.includes('AS words')) return [answer]
          return sql.endsWith('% 2 = 0 ORDER BY t0.contributor, t0.row_rank') ? people : []
        },
      },
      name: 'pay.workers',
      table,
      plan: planned,
      rows: 40_000,
      noise: {
        counts: noiseStream(new Uint8Array(32).fill(3)),
        words: noiseStream(new Uint8Array(32).fill(words)),
      },
    })
    return { facts, statements }
  }
  const people = Array.from({ length: 400 }, (_, person) => ({
    contributor: String(person),
    words: person < 398 ? 'Farming' : person === 398 ? 'espionage' : null,
  }))

  it('name words that enough people use, read in parts and in order, each contributor in one of them', async () => {
    const { facts, statements } = await told(people)
    expect(facts.keywords.map(({ word }) => word)).toEqual(['farming'])
    expect(JSON.stringify(facts)).not.toContain('espionage')
    const read = statements.filter((sql) => sql.includes('AS words'))
    expect(read.map((sql) => sql.slice(sql.indexOf('WHERE')))).toEqual([
      'WHERE t0.row_rank <= 1 AND t0.contributor % 2 = 0 ORDER BY t0.contributor, t0.row_rank',
      'WHERE t0.row_rank <= 1 AND t0.contributor % 2 = 1 ORDER BY t0.contributor, t0.row_rank',
    ])
  })

  it('take no cell into the node but beginnings of the words', async () => {
    const { statements } = await told(people)
    const selected = statements.map((sql) => sql.slice(0, sql.indexOf(' FROM ')))
    expect(new Set(selected.map((sql) => sql.replace(/sector|wage/g, 'x')))).toEqual(
      new Set([
        'SELECT CAST(count(*) AS VARCHAR) AS n0',
        "SELECT CAST(count(CASE WHEN CAST(t0.x AS VARCHAR) <> '' THEN 1 END) AS VARCHAR) AS n0, CAST(count(DISTINCT CASE WHEN CAST(t0.x AS VARCHAR) <> '' THEN hash(CAST(t0.x AS VARCHAR)) END) AS VARCHAR) AS n1",
        'SELECT CAST(t0.contributor AS VARCHAR) AS contributor, substr(t0.x, 1, 512) AS words',
      ]),
    )
  })

  it('have the same noise in their counts whatever the words are, and noise in each', async () => {
    const [first, other] = [await told(people), await told([], 5)]
    expect(other.facts).toEqual({ ...first.facts, keywords: [] })
    expect(new Set([400, ...first.facts.columns.map(({ distinct }) => distinct)]).has(first.facts.rows)).toBe(
      false,
    )
  })

  it.each([{}, { n0: null, n1: '1' }, { n0: '-1', n1: '1' }, { n0: 'x', n1: '1' }])(
    'are none where the engine answers %j',
    async (answer) => {
      await expect(told(people, 4, answer as Row)).rejects.toMatchObject({ code: 'EXECUTION_FAILED' })
    },
  )
})
