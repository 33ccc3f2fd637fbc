import { type Address, digestToHex, type Hex, type JsonValue, type SignedStatement } from '@sealpool/crypto'
import { type CheckAnswer, fail, notChecked, pass, unless } from '../verdict/check-list.js'
import { chargeProblem } from './budget.js'
import type { ReceiptBody } from './receipt.js'

/** The chain and the NodeRegistry whose nodes the verifier means. */
export interface ReceiptDeployment {
  readonly chainId: number
  readonly registry: Address
}

/** Refusals of jobs that had looked at data, or might have: they are paid for like answers. */
export const chargedRefusals: readonly string[] = [
  'EXECUTION_FAILED',
  'TOO_FEW_CONTRIBUTORS_AFTER_NOISE',
  'SOURCES_AWAY',
  'PROGRAM_INTERRUPTED',
]

const zeroAddress = `0x${'0'.repeat(40)}`

/**
 * Whether a receipt was signed for the job, the pool and the chain that it is shown for.
 *
 * @param signed - the receipt
 * @param body - what it says
 * @param deployment - what the verifier expects; without it the chain is `not-checked`
 * @returns the answer
 */
export function contextAnswer(
  { context }: SignedStatement,
  body: ReceiptBody,
  deployment: ReceiptDeployment | undefined,
): CheckAnswer {
  const subject = subjectOf(body)
  if (subject === undefined) return fail('the job’s id is no number below 2^256')
  if (context.subject !== subject) return fail('it was signed for another job')
  const pool = body.pools[0]?.pool.toLowerCase() ?? zeroAddress
  if (context.pool.toLowerCase() !== pool) return fail('it was signed for another pool')
  if (context.nonce !== '0' || context.facts.length > 0) return fail('a receipt has nonce 0 and no facts')
  if (deployment === undefined) {
    return notChecked(
      `Signed for chain ${context.chainId}, registry ${context.registry}; the expected ones were not given.`,
    )
  }
  const { chainId, registry } = deployment
  if (context.chainId !== chainId) return fail(`it was signed for chain ${context.chainId}, not ${chainId}`)
  if (context.registry.toLowerCase() !== registry.toLowerCase())
    return fail('it was signed for another registry')
  return pass(`Chain ${chainId}, registry ${registry}.`)
}

/**
 * Whether each pool was charged what the plan says, and a refusal only when it had looked at data.
 *
 * @param body - what the receipt says
 * @param plan - the job's plan, its digest already checked
 * @returns the answer
 */
export function chargeAnswer(body: ReceiptBody, plan: JsonValue | undefined): CheckAnswer {
  const charged = body.pools.filter(({ budget }) => budget !== null)
  const due = body.refusal === null || chargedRefusals.includes(body.refusal.code)
  const { unanswered = [] } = body
  if (unanswered.length > 0 && (!due || body.refusal === null))
    return fail('only a refusal that looked at data may leave open what other homes charged')
  if (!due) {
    return charged.length === 0
      ? pass('The refusal looked at no data and was not charged.')
      : fail('a refusal that looked at no data was charged')
  }
  if (charged.length !== body.pools.length) return fail('the job looked at data, and a pool was not charged')
  const planned = plannedCharges(plan)
  if (planned === undefined) return fail('the plan does not say what it charges')
  const named = new Set(
    [...body.pools.map(({ pool }) => pool), ...unanswered].map((pool) => pool.toLowerCase()),
  )
  if (body.pools.length === 0 || named.size !== body.pools.length + unanswered.length)
    return fail('a pool is both charged and left open, or none is charged')
  if (planned.size !== named.size || unanswered.some((pool) => !planned.has(pool.toLowerCase())))
    return fail('the plan charges other pools')
  for (const { pool, name, budget } of charged) {
    const plannedHere = planned.get(pool.toLowerCase())
    if (plannedHere === undefined) return fail(`the plan charges pool ${name} nothing`)
    const problem = budget === null ? undefined : chargeProblem(budget.charged, plannedHere)
    if (problem !== undefined) return fail(`pool ${name}: ${problem}`)
  }
  return pass(
    unanswered.length === 0
      ? 'Every pool was charged what the plan says.'
      : `The pools that it names were charged what the plan says; of ${unanswered.join(', ')} only their homes can tell.`,
  )
}

/** Receipts bear the chain's time; a test chain's runs ahead by a second for each of its blocks. */
const clockDifferenceMs = 3_600_000

/**
 * Whether a receipt was issued before the question is asked, give or take an hour between the chain's clock and the
 * verifier's.
 *
 * @param body - what the receipt says
 * @param at - the moment of the question
 * @returns the answer
 */
export function issuedAnswer({ issuedAt }: ReceiptBody, at: Date): CheckAnswer {
  const early = new Date(issuedAt).getTime() <= at.getTime() + clockDifferenceMs
  return unless(
    early ? undefined : `it says that it is of ${issuedAt}, which is still to come`,
    `It says that it is of ${issuedAt}.`,
  )
}

/** A charge as a plan has it. */
export interface PlannedCharge {
  readonly epsilon: number
  readonly delta: number
}

/** Query plans list their pools with charges; plans of computations map pools to charges. */
function plannedCharges(plan: JsonValue | undefined): ReadonlyMap<string, PlannedCharge> | undefined {
  const charges = new Map<string, PlannedCharge>()
  const add = (pool: unknown, charge: unknown): boolean => {
    const { epsilon, delta } = (charge ?? {}) as Partial<Record<'epsilon' | 'delta', unknown>>
    if (typeof pool !== 'string' || charges.has(pool.toLowerCase())) return false
    if (typeof epsilon !== 'number' || typeof delta !== 'number' || !(epsilon >= 0) || !(delta >= 0))
      return false
    charges.set(pool.toLowerCase(), { epsilon, delta })
    return true
  }
  if (typeof plan !== 'object' || plan === null) return undefined
  const { pools, charge } = plan as { readonly pools?: JsonValue; readonly charge?: JsonValue }
  const entries = Array.isArray(pools)
    ? pools.map((each) => {
        const { address, charge: own } = (each ?? {}) as {
          readonly address?: JsonValue
          readonly charge?: JsonValue
        }
        return [address, own] as const
      })
    : Object.entries(charge ?? {})
  return entries.every(([pool, own]) => add(pool, own)) ? charges : undefined
}

/** A job on the chain is named by its id, a plan that is on none by its manifest. */
function subjectOf({ job }: ReceiptBody): Hex | undefined {
  if (job.id === 'plan') return digestToHex(job.manifest)
  if (!/^(?:0|[1-9][0-9]{0,77})$/.test(job.id) || BigInt(job.id) >> 256n > 0n) return undefined
  return `0x${BigInt(job.id).toString(16).padStart(64, '0')}`
}
