import { describe, expect, test } from 'vitest'
import type { BudgetLedger } from '../accountant/ledger.js'
import { verifyLedgerChain } from '../accountant/ledger-chain.js'

const totals = { accounting: 'basic', epsilon: 6, delta: 1e-6 } as const
const request = (job: string, epsilon = 2, pool = 'pay') => ({
  pool,
  job,
  leaves: [`${pool}.workers`],
  charge: { epsilon, delta: 2.5e-7 },
})

/**
 * What every budget ledger must do. Adapters run it in a test file of their own, by relative import.
 *
 * @param name - Adapter's name for the report.
 * @param createLedger - Makes an empty ledger.
 */
export function ledgerConformance(name: string, createLedger: () => Promise<BudgetLedger>): void {
  describe(`budget ledger: ${name}`, () => {
    test('opens a budget once and refuses other totals', async () => {
      const ledger = await createLedger()
      const first = await ledger.open('pay', totals)
      expect(first.state).toMatchObject({
        epsilonSpent: '0',
        epsilonTotal: '6',
        deltaTotal: '0.000001',
        version: 0,
      })
      expect(await ledger.open('pay', { ...totals })).toEqual(first)
      await expect(ledger.open('pay', { ...totals, epsilon: 7 })).rejects.toMatchObject({
        code: 'LEDGER_CONFLICT',
      })
      await expect(ledger.open('pay', { ...totals, accounting: 'zcdp' })).rejects.toMatchObject({
        code: 'LEDGER_CONFLICT',
      })
    })

    test('refuses a pool whose budget was never opened', async () => {
      const ledger = await createLedger()
      await expect(ledger.head('pay')).rejects.toMatchObject({ code: 'LEDGER_UNKNOWN_POOL' })
      await expect(ledger.charge(request('1'))).rejects.toMatchObject({ code: 'LEDGER_UNKNOWN_POOL' })
    })

    test('a charge moves the head and shows the budget before and after', async () => {
      const ledger = await createLedger()
      const opened = await ledger.open('pay', totals)
      const { before, after, head } = await ledger.charge(request('1'))
      expect(before).toEqual(opened.state)
      expect(after).toMatchObject({ epsilonSpent: '2', deltaSpent: '0.00000025', version: 1, head })
      expect((await ledger.head('pay')).state).toEqual(after)
    })

    test('charging a job again returns the first receipt and books nothing', async () => {
      const ledger = await createLedger()
      await ledger.open('pay', totals)
      const first = await ledger.charge(request('1'))
      await ledger.charge(request('2'))
      expect(await ledger.charge(request('1'))).toEqual(first)
      expect((await ledger.head('pay')).state.epsilonSpent).toBe('4')
    })

    test('refuses to pass off a dearer job as one that was paid', async () => {
      const ledger = await createLedger()
      await ledger.open('pay', totals)
      await ledger.charge(request('1', 1))
      await expect(ledger.charge(request('1', 2))).rejects.toMatchObject({ code: 'LEDGER_CONFLICT' })
      await expect(ledger.charge({ ...request('1', 1), leaves: ['pay.other'] })).rejects.toMatchObject({
        code: 'LEDGER_CONFLICT',
      })
    })

    test('never passes the total and names what remains', async () => {
      const ledger = await createLedger()
      await ledger.open('pay', totals)
      for (const job of ['1', '2', '3']) await ledger.charge(request(job))
      const head = await ledger.head('pay')
      await expect(ledger.charge(request('4', 1e-9))).rejects.toMatchObject({
        code: 'BUDGET_EXHAUSTED',
        remaining: { epsilon: '0', delta: '0.00000025' },
      })
      expect(await ledger.head('pay')).toEqual(head)
    })

    test('charges several pools or none', async () => {
      const ledger = await createLedger()
      await ledger.open('pay', totals)
      await ledger.open('people', { ...totals, epsilon: 1 })
      await expect(ledger.chargeAll([request('1'), request('1', 2, 'people')])).rejects.toMatchObject({
        code: 'BUDGET_EXHAUSTED',
      })
      expect((await ledger.head('pay')).state.epsilonSpent).toBe('0')
      const receipts = await ledger.chargeAll([request('1', 1), request('1', 1, 'people')])
      expect(receipts.map(({ after }) => after.epsilonSpent)).toEqual(['1', '1'])
    })

    test('64 charges at once never overspend', async () => {
      const ledger = await createLedger()
      await ledger.open('pay', totals)
      const results = await Promise.allSettled(
        Array.from({ length: 64 }, (_, job) =>
          ledger.charge({ ...request(String(job), 0.5), charge: { epsilon: 0.5, delta: 1e-9 } }),
        ),
      )
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(12)
      expect((await ledger.head('pay')).state.epsilonSpent).toBe('6')
    })

    test('its entries verify as a chain that ends in the head', async () => {
      const ledger = await createLedger()
      await ledger.open('pay', totals)
      await ledger.charge(request('1'))
      await ledger.charge({
        ...request('2'),
        charge: { epsilon: 1, delta: 1e-8, zcdp: { rho: 0.1, delta: 0 } },
      })
      const { state } = await ledger.head('pay')
      expect(verifyLedgerChain(await ledger.entries('pay'), { head: state.head })).toEqual(state)
    })

    test('keeps zCDP budgets: rho adds up, epsilon is converted', async () => {
      const ledger = await createLedger()
      await ledger.open('pay', { accounting: 'zcdp', epsilon: 3, delta: 1e-6 })
      const { after } = await ledger.charge({ ...request('1'), charge: { epsilon: 0.1, delta: 0 } })
      expect(Number(after.epsilonSpent)).toBeGreaterThan(0.1)
      expect(after.deltaSpent).toBe('0.0000005')
      expect(verifyLedgerChain(await ledger.entries('pay'))).toEqual(after)
    })
  })
}
