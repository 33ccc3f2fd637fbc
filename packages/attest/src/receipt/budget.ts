import type { BudgetView, ReceiptPool } from './receipt.js'

/** Ledger steps: budgets are kept in 1e-9 epsilon and 1e-18 delta, and charges are rounded up to them. */
const places = { epsilon: 9, delta: 18 } as const
const fraction = 60

/** Exact decimal as an integer of 1e-60. */
function decimal(text: string): bigint {
  const [whole = '0', part = ''] = text.split('.')
  return BigInt(whole + part.padEnd(fraction, '0').slice(0, fraction))
}

/** A JSON number as decimal text without exponent: `1e-6` is `0.000001`. */
function numberText(value: number): string {
  const [mantissa = '0', exponent = '0'] = String(value).split('e')
  const [whole = '0', part = ''] = mantissa.split('.')
  const shift = Number(exponent)
  if (shift >= 0)
    return (
      whole + part.padEnd(shift, '0').slice(0, shift) + (part.length > shift ? `.${part.slice(shift)}` : '')
    )
  return `0.${'0'.repeat(Math.max(0, -shift - whole.length))}${whole}${part}`
}

/** The limits that a pool's policy sets. */
export interface BudgetRules {
  readonly accounting: 'basic' | 'zcdp'
  readonly epsilon: number
  readonly delta: number
  readonly perJob: { readonly epsilon: number; readonly delta: number }
}

/**
 * Whether a budget booking adds up: before + charged = after (under basic accounting exactly, up to the ledger's rounding of
 * the charge to its own step; under zCDP, where amounts do not add, after is at least before), the ledger moved by one
 * entry, and neither the pool's total nor the policy's limit per job is passed.
 *
 * @param budget what the receipt says
 * @param rules from the pool's policy
 * @returns undefined when it adds up, else what does not
 */
export function budgetProblem(
  budget: NonNullable<ReceiptPool['budget']>,
  rules: BudgetRules,
): string | undefined {
  const { before, after, charged } = budget
  if (decimal(charged.epsilon) === 0n && decimal(charged.delta) === 0n) {
    return sameView(before, after) ? undefined : 'nothing was charged, and yet the budget changed'
  }
  if (after.version !== before.version + 1) return 'the ledger did not move by exactly one entry'
  if (after.head === before.head) return 'the ledger moved and its head did not change'
  for (const kind of ['epsilon', 'delta'] as const) {
    const [spentBefore, spentAfter] = [decimal(before[`${kind}Spent`]), decimal(after[`${kind}Spent`])]
    const total = decimal(after[`${kind}Total`])
    if (total !== decimal(before[`${kind}Total`])) return `the total of ${kind} changed`
    if (total !== decimal(numberText(rules[kind]))) return `the total of ${kind} is not the policy’s`
    if (spentAfter > total) return `${kind} is overspent`
    if (spentAfter < spentBefore) return `${kind} was given back`
    if (decimal(charged[kind]) > decimal(numberText(rules.perJob[kind]))) {
      return `the job took more ${kind} than the policy allows for one job`
    }
    const excess = spentAfter - spentBefore - decimal(charged[kind])
    const step = 10n ** BigInt(fraction - places[kind])
    if (rules.accounting === 'basic' && (excess < 0n || excess >= step)) {
      return `${kind} before and charged do not add up to ${kind} after`
    }
  }
  return undefined
}

/**
 * Whether a charge is the planned one, up to the ledger's rounding to its own step.
 *
 * @param charged what the receipt says
 * @param planned what the plan says
 * @returns undefined when it is, else what is not
 */
export function chargeProblem(
  charged: { readonly epsilon: string; readonly delta: string },
  planned: { readonly epsilon: number; readonly delta: number },
): string | undefined {
  for (const kind of ['epsilon', 'delta'] as const) {
    const excess = decimal(charged[kind]) - decimal(numberText(planned[kind]))
    if (excess < 0n) return `less ${kind} was charged than the plan says`
    if (excess >= 10n ** BigInt(fraction - places[kind])) return `more ${kind} was charged than the plan says`
  }
  return undefined
}

function sameView(a: BudgetView, b: BudgetView): boolean {
  return (
    a.epsilonSpent === b.epsilonSpent &&
    a.epsilonTotal === b.epsilonTotal &&
    a.deltaSpent === b.deltaSpent &&
    a.deltaTotal === b.deltaTotal &&
    a.version === b.version &&
    a.head === b.head
  )
}
