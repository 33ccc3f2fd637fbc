import type { ChargeRequest } from '@sealpool/privacy'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { migrate } from './migration.js'
import { canAfford, chargeBudgets, storedLedger, verifyLedgers } from './pglite-ledger.js'
import { openPgliteStore } from './pglite-store.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
beforeEach(() => store.run('delete from ledger'))

const totals = { accounting: 'basic', epsilon: 6, delta: 1e-6 } as const
const request = (pool: string, job: string, epsilon: number): ChargeRequest => ({
  pool,
  job,
  leaves: [`${pool}.table`],
  charge: { epsilon, delta: 1e-7 },
})

describe('stored budget ledger', () => {
  it('books charges in a chain that verifies', async () => {
    const ledger = storedLedger(store)
    const opened = await ledger.open('pay', totals)
    expect(opened.state).toMatchObject({ epsilonSpent: '0', version: 0 })
    const first = await ledger.charge(request('pay', '1', 2))
    expect(first.before.head).toBe(opened.state.head)
    expect(first.after).toMatchObject({ epsilonSpent: '2', epsilonTotal: '6', version: 1, head: first.head })
    const second = await ledger.charge(request('pay', '2', 1.5))
    expect(second.before).toEqual(first.after)
    expect((await ledger.head('pay')).state.head).toBe(second.head)
    expect(await ledger.entries('pay')).toHaveLength(3)
    await verifyLedgers(store)
  })

  it('opens again with the same totals only', async () => {
    const ledger = storedLedger(store)
    await ledger.open('pay', totals)
    await ledger.charge(request('pay', '1', 2))
    expect((await ledger.open('pay', totals)).state.epsilonSpent).toBe('2')
    await expect(ledger.open('pay', { ...totals, epsilon: 7 })).rejects.toMatchObject({
      code: 'LEDGER_CONFLICT',
    })
  })

  it('books the same job once, also under another number of tries, and refuses another amount for it', async () => {
    const ledger = storedLedger(store)
    await ledger.open('pay', totals)
    const first = await ledger.charge(request('pay', '1', 2))
    await ledger.charge(request('pay', '2', 1))
    expect(await ledger.charge(request('pay', '1', 2))).toEqual(first)
    await expect(ledger.charge(request('pay', '1', 1))).rejects.toMatchObject({ code: 'LEDGER_CONFLICT' })
    expect((await ledger.head('pay')).state.epsilonSpent).toBe('3')
  })

  it('charges all pools of a job or none', async () => {
    const ledger = storedLedger(store)
    await ledger.open('pay', totals)
    await ledger.open('people', { ...totals, epsilon: 1 })
    const requests = [request('pay', '1', 2), request('people', '1', 2)]
    expect(await canAfford(store, requests)).toBe(false)
    await expect(ledger.chargeAll(requests)).rejects.toMatchObject({ code: 'BUDGET_EXHAUSTED' })
    expect((await ledger.head('pay')).state.epsilonSpent).toBe('0')
    expect(await canAfford(store, [request('pay', '1', 2), request('people', '1', 1)])).toBe(true)
  })

  it('takes a charge back with the transaction that it stands in', async () => {
    const ledger = storedLedger(store)
    await ledger.open('pay', totals)
    await expect(
      store.transaction(async (tx) => {
        await chargeBudgets(tx, [request('pay', '1', 2)])
        throw new Error('the answer could not be stored')
      }),
    ).rejects.toThrow('could not be stored')
    expect((await ledger.head('pay')).state.epsilonSpent).toBe('0')
  })

  it('never passes the total, however many charges come at once', async () => {
    const ledger = storedLedger(store)
    await ledger.open('pay', totals)
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => ledger.charge(request('pay', String(index), 1))),
    )
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(6)
    expect((await ledger.head('pay')).state.epsilonSpent).toBe('6')
    await verifyLedgers(store)
  })

  it('notices an entry that was changed or cut off in the store', async () => {
    const ledger = storedLedger(store)
    await ledger.open('pay', totals)
    await ledger.charge(request('pay', '1', 2))
    await ledger.charge(request('pay', '2', 2))
    await store.query(
      `update ledger set entry = replace(entry, '"epsilon":2', '"epsilon":1') where version = 1`,
    )
    await expect(verifyLedgers(store)).rejects.toMatchObject({ code: 'LEDGER_CHAIN_BROKEN' })
  })

  it('knows only pools that were opened', async () => {
    await expect(storedLedger(store).head('nobody')).rejects.toMatchObject({ code: 'LEDGER_UNKNOWN_POOL' })
  })
})
