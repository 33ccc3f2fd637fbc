import { createMemoryLedger, type PoolPolicy, PrivacyError } from '@sealpool/privacy'
import { type Answered, answerer } from '../answer/answer-query.js'
import { createMemoryAnswers } from '../answer/answer-store.js'
import type { PlanPool } from '../catalogue/catalogue.js'
import type { Row, SqlEngine } from '../engine/engine.js'
import { planQuery } from '../plan/plan-query.js'

/** What an attacker talks to: a pool with a fresh budget. */
export interface Target {
  /** Answers a statement at the largest budget of a job; null when the pool's budget is spent. */
  ask(sql: string): Promise<Answered | null>
  /** The first cell of the answer as a number; 0 when the group is not shown, null when the budget is spent. */
  number(sql: string): Promise<number | null>
}

/** Mock data: one row for each member, a secret bit that is a fair coin, attributes that an attacker knows. */
export interface MockData {
  readonly rows: readonly Row[]
  /** Members whose attributes are theirs alone. */
  readonly victims: readonly {
    readonly contributor: number
    readonly code: number
    readonly secret: boolean
  }[]
}

/** The mock table: `code` identifies a member for whoever knows it, as a date of birth and a postcode would. */
export const mockTable: PoolPolicy['tables'][number] = {
  name: 'members',
  rowsPerContributor: 1,
  columns: [
    { name: 'code', type: 'integer', min: 0, max: 100_000, nullable: false, use: ['filter'] },
    { name: 'age', type: 'integer', min: 18, max: 90, nullable: false, use: ['measure', 'filter'] },
    {
      name: 'country',
      type: 'text',
      values: ['de', 'fr', 'jp', 'us'],
      nullable: false,
      use: ['group', 'filter'],
    },
    { name: 'secret', type: 'boolean', nullable: false, use: ['group', 'filter'] },
    { name: 'income', type: 'integer', min: 0, max: 200_000, nullable: false, use: ['measure', 'filter'] },
  ],
}

/** Numbers from 0 up to (not including) a bound, from a source of random bytes. */
export function dice(random: (length: number) => Uint8Array): (bound: number) => number {
  return (bound) => {
    const bytes = random(6)
    let value = 0
    for (const byte of bytes) value = value * 256 + byte
    return value % bound
  }
}

/** Makes mock data of so many members. */
export function mockData(members: number, random: (length: number) => Uint8Array): MockData {
  const below = dice(random)
  const countries = ['de', 'fr', 'jp', 'us'] as const
  const rows = Array.from(
    { length: members },
    (_, contributor): Row => ({
      contributor,
      code: contributor * 7 + 3,
      age: 18 + below(73),
      country: countries[below(4)] ?? 'de',
      secret: below(2) === 1,
      income: below(200_001),
    }),
  )
  const victims = rows.map((row) => ({
    contributor: Number(row['contributor']),
    code: Number(row['code']),
    secret: row['secret'] === true,
  }))
  return { rows, victims }
}

/** A policy over the mock table with the rules that are attacked. */
export function mockPool(privacy: PoolPolicy['privacy'], name = 'mock'): PlanPool {
  const digest = `sha256:${'0'.repeat(64)}`
  return {
    name,
    address: `0x${'5'.repeat(40)}`,
    policy: {
      format: 'sealpool/pool-policy',
      version: 1,
      name,
      description: 'mock data',
      purposes: ['red team'],
      attestation: {},
      code: { poc: digest, refiner: digest, computations: [] },
      tables: [mockTable],
      privacy,
      joins: { allowed: false, with: [] },
      economics: { price: '0', poolTokenBurn: '0' },
    },
  }
}

/** A pool at the start of its life over data that is loaded already. */
export async function openTarget(options: {
  readonly pool: PlanPool
  readonly engine: SqlEngine
  readonly random: (length: number) => Uint8Array
}): Promise<Target> {
  const { pool, engine, random } = options
  const { privacy } = pool.policy
  const ledger = createMemoryLedger()
  await ledger.open(pool.address, privacy)
  const answer = answerer({ ledger, engine, random, answers: createMemoryAnswers(), dataVersion: 'mock' })
  const ask: Target['ask'] = async (sql) => {
    const plan = await planQuery({
      sql,
      pools: [pool],
      budget: { epsilon: privacy.perJob.epsilon, delta: 0 },
    })
    try {
      return await answer(plan)
    } catch (error) {
      if (error instanceof PrivacyError && error.code === 'BUDGET_EXHAUSTED') return null
      throw error
    }
  }
  return {
    ask,
    async number(sql) {
      const answered = await ask(sql)
      if (answered === null) return null
      return Number(answered.result.rows[0]?.[0] ?? 0)
    },
  }
}
