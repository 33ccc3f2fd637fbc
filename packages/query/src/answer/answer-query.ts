import type { BudgetLedger, ChargeRequest } from '@sealpool/privacy'
import type { PlanPool } from '../catalogue/catalogue.js'
import type { SqlEngine } from '../engine/engine.js'
import { QueryError } from '../errors.js'
import { executePlan, type QueryResult } from '../execute/execute-plan.js'
import { checkPlan, type PlanToday } from '../plan/check-plan.js'
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
  /** The pools with their policies as they are when it is called: a plan that was made under others is refused before it is charged. */
  readonly pools?: () => readonly PlanPool[]
  /**
   * Is told why an answer was withheld. For the eyes of whoever runs the engine: the cause may depend on the data. It is called after
   * the refusal is on its way and not waited for; what it throws, at once or later, is dropped.
   */
  readonly onWithheld?: (cause: unknown) => void | Promise<void>
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
 * Whatever goes wrong in an engine after the charge is one refusal, `ANSWER_WITHHELD`, which is the same to the character: a timeout,
 * too little memory, an answer that does not fit. That there is a refusal, and when, is still told.
 *
 * @param options - budgets, engine, store, randomness, the version of the data that the engine holds, and the pools of today
 * @returns a function from plans, and the grant of today where there is one, to answers; it throws PrivacyError `BUDGET_EXHAUSTED`
 *   when a pool has too little left (then no pool is charged), and QueryError `PLAN_INVALID`, what {@link checkPlan} throws,
 *   `ENGINE_CLOSED` and `ENGINE_TABLE_MISSING` (nothing is charged), `ANSWER_WITHHELD` and `ANSWERS_UNAVAILABLE` (the charge stays)
 * @example
 * ```ts no-run
 * const answer = answerer({ ledger, engine, answers: createMemoryAnswers(), random: platformRandom, dataVersion })
 * const { result, charged } = await answer(plan)
 * ```
 */
export function answerer(
  options: AnswerOptions,
): (plan: QueryPlan, grants?: Pick<PlanToday, 'grant' | 'template'>) => Promise<Answered> {
  const { ledger, engine, answers, random, dataVersion } = options
  const running = new Map<string, Promise<Answered>>()

  const fresh = async (plan: QueryPlan, digest: string, key: string): Promise<Answered> => {
    const known = await answers.get(key)
    if (known !== null) return { ...known, planDigest: digest, charged: false }
    await requireReady(engine, plan)
    // A name that is used once: a ledger would take a second run under the same name for the first one.
    const job = `${key}/${hexadecimal(random(16))}`
    await ledger.chargeAll(chargesOf(plan, job))
    const answer: StoredAnswer = { result: await released(plan), job }
    await answers.put(key, answer)
    return { ...answer, planDigest: digest, charged: true }
  }
  const released = async (plan: QueryPlan): Promise<QueryResult> => {
    try {
      return await executePlan({ plan, engine, random })
    } catch (cause) {
      // What is told, and when, must not depend on who listens.
      void Promise.resolve()
        .then(() => options.onWithheld?.(cause))
        .catch(() => {})
      throw new QueryError('ANSWER_WITHHELD', 'answer')
    }
  }
  return async (plan, grants = {}) => {
    // A source of pools that has none to give, such as a cache that is not filled yet, is no leave to go without.
    const pools = options.pools === undefined ? {} : { pools: options.pools() ?? null }
    const now = grants === null ? null : { ...grants, ...pools }
    const digest = planDigest(checkPlan(plan, now as PlanToday))
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
 * An engine that is gone, or never held a table of the plan, would be charged for nothing. Whatever ended it is one refusal: that it
 * ended was told when it did, the reason was not.
 */
async function requireReady(engine: SqlEngine, plan: QueryPlan): Promise<void> {
  try {
    await engine.ready?.(plan.leaves)
  } catch (error) {
    const missing = error instanceof QueryError && error.code === 'ENGINE_TABLE_MISSING'
    throw missing
      ? new QueryError('ENGINE_TABLE_MISSING', error.place)
      : new QueryError('ENGINE_CLOSED', 'engine')
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
