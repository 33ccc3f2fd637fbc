import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BudgetRules, budgetProblem } from './budget.js'

const rules: BudgetRules = {
  accounting: 'basic',
  epsilon: 6,
  delta: 1e-6,
  perJob: { epsilon: 2, delta: 2.5e-7 },
}
const totals = { epsilonTotal: '6', deltaTotal: '0.000001' }
const booking = (from: string, charge: string, to: string, more: object = {}) => ({
  before: { ...totals, epsilonSpent: from, deltaSpent: '0', version: 1, head: 'a' },
  after: { ...totals, epsilonSpent: to, deltaSpent: '0', version: 2, head: 'b', ...more },
  charged: { epsilon: charge, delta: '0' },
})

describe('budgetProblem', () => {
  it('adds decimals exactly', () => {
    expect(budgetProblem(booking('0.1', '0.2', '0.3'), rules)).toBeUndefined()
    expect(budgetProblem(booking('4', '2', '6'), rules)).toBeUndefined()
    expect(budgetProblem(booking('0.1', '0.2', '0.300000001'), rules)).toBeTypeOf('string')
    expect(budgetProblem(booking('0.1', '0.2', '0.299999999'), rules)).toBeTypeOf('string')
  })

  it('accepts the ledger’s rounding of a finer charge upwards, and only that', () => {
    expect(budgetProblem(booking('0', '0.1234567891', '0.12345679'), rules)).toBeUndefined()
    expect(budgetProblem(booking('0', '0.1234567891', '0.123456789'), rules)).toBeTypeOf('string')
  })

  it('adds up for any amounts of the ledger’s step', () => {
    const amount = fc.nat({ max: 1_999_999_999 })
    const text = (units: number) => `${Math.floor(units / 1e9)}.${String(units % 1e9).padStart(9, '0')}`
    fc.assert(
      fc.property(amount, amount, fc.integer({ min: -3, max: 3 }), (before, charge, error) => {
        fc.pre(before + charge + error >= 0 && charge > 0)
        const problem = budgetProblem(
          booking(text(before), text(charge), text(before + charge + error)),
          rules,
        )
        expect(problem === undefined).toBe(error === 0)
      }),
    )
  })

  it.each([
    ['an overspent total', booking('5', '2', '7')],
    ['more than one job may take', booking('0', '2.1', '2.1')],
    ['a budget given back', booking('3', '1', '2')],
    ['a total that is not the policy’s', booking('0', '1', '1', { epsilonTotal: '7' })],
    ['a skipped ledger entry', booking('0', '1', '1', { version: 3 })],
    ['a head that did not move', booking('0', '1', '1', { head: 'a' })],
    ['a change without a charge', booking('0', '0', '1')],
  ])('finds %s', (_, budget) => {
    expect(budgetProblem(budget, rules)).toBeTypeOf('string')
  })

  it('accepts no charge and no change', () => {
    expect(budgetProblem(booking('1', '0', '1', { version: 1, head: 'a' }), rules)).toBeUndefined()
  })

  it('does not ask amounts to add up under zCDP, but holds every limit', () => {
    const zcdp: BudgetRules = { ...rules, accounting: 'zcdp' }
    expect(budgetProblem(booking('1', '1', '1.6'), zcdp)).toBeUndefined()
    expect(budgetProblem(booking('1', '1', '0.6'), zcdp)).toBeTypeOf('string')
    expect(budgetProblem(booking('5', '1', '6.6'), zcdp)).toBeTypeOf('string')
  })
})
