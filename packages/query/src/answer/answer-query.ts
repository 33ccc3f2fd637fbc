import type { BudgetLedger, ChargeRequest } from '@sealpool/privacy'
import type { SqlEngine } from '../engine/engine.js'
import { executePlan, type QueryResult } from '../execute/execute-plan.js'
import { checkPlan } from '../plan/check-plan.js'
import type { QueryPlan } from '../plan/plan.js'
import { planDigest } from '../plan/plan-digest.js'
import type { AnswerStore, StoredAnswer } from './answer-store.js'

/** What answers are made with. */
export interface AnswerOptions {
  /** Budgets of the pools, opened under the addresses that plans name. */
  readonly ledger: BudgetLedger
  readonly engine: SqlEngine
  readonly answers: AnswerStore
  /** A source of cryptographically secure random bytes. */
  readonly random: (length: number) => Uint8Array
  /** Names the data that the engine holds, such as the Merkle root of the inputs. */
  readonly dataVersion: string
}

/** An answer and what it cost now. */
export interface Answered {
  readonly result: QueryResult
  readonly planDigest: string
  /** False when the same plan was answered on the same data before: it is the same answer, and nothing was charged. */
  readonly charged: boolean
  /** Name of the charge in the ledgers. */
  readonly job: string
}

/**
 * Makes the function that answers plans: the same plan on the same data version is the same answer and is charged once,
 * also when it is asked for many times at the same moment. All pools of a plan are charged together, durably, before the
 * engine is asked; what happens after that never gives the charge back. A stop between charge and answer loses the
 * answer: asking again is a new charge, because the noise was drawn and nobody knows who saw it.
 *
 * @param options - budgets, engine, store, randomness, and the version of the data that the engine holds
 * @returns a function from plans to answers; it throws PrivacyError `BUDGET_EXHAUSTED` when a pool has too little left
 *   (then no pool is charged), and QueryError as `executePlan` does
 * @example
 * ```ts no-run
 * const answer = answerer({ ledger, engine, answers: createMemoryAnswers(), random: platformRandom, dataVersion })
 * const { result, charged } = await answer(plan)
 * ```
 */
export function answerer(options: AnswerOptions): (plan: QueryPlan) => Promise<Answered> {
  const { ledger, engine, answers, random, dataVersion } = options
  const running = new Map<string, Promise<Answered>>()

  const fresh = async (plan: QueryPlan, digest: string, key: string): Promise<Answered> => {
    const known = await answers.get(key)
    if (known !== null) return { ...known, planDigest: digest, charged: false }
    // A name that is used once: a ledger would take a second run under the same name for the first one.
    const job = `${key}/${hexadecimal(random(16))}`
    await ledger.chargeAll(chargesOf(plan, job))
    const answer: StoredAnswer = { result: await executePlan({ plan, engine, random }), job }
    await answers.put(key, answer)
    return { ...answer, planDigest: digest, charged: true }
  }
  return async (plan) => {
    const digest = planDigest(checkPlan(plan))
    const key = `${digest}@${dataVersion}`
    const before = running.get(key)
    if (before !== undefined) return { ...(await before), charged: false }
    const run = fresh(plan, digest, key)
    running.set(key, run)
    try {
      return await run
    } finally {
      running.delete(key)
    }
  }
}

/**
 * The charges of a plan: one for each pool, with the tables that are read of it as leaves.
 *
 * @param plan - a checked plan
 * @param job - names the run; a ledger books the same name once
 * @returns charges in the order of the plan's pools, for `chargeAll` of a ledger
 */
export function chargesOf(plan: QueryPlan, job: string): readonly ChargeRequest[] {
  return plan.pools.map(({ name, address, charge }) => ({
    pool: address,
    job,
    leaves: plan.leaves.filter((leaf) => leaf.startsWith(`${name}.`)),
    charge,
  }))
}

function hexadecimal(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
