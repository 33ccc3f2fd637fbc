import { expect, test } from 'vitest'
import { ledgerConformance } from '../testing/ledger-conformance.js'
import { createMemoryLedger } from './memory-ledger.js'

ledgerConformance('memory', async () => createMemoryLedger())

test('continues from the entries of an earlier ledger', async () => {
  const earlier = createMemoryLedger()
  await earlier.open('pay', { accounting: 'basic', epsilon: 1, delta: 0 })
  const paid = await earlier.charge({
    pool: 'pay',
    job: '1',
    leaves: ['pay.t'],
    charge: { epsilon: 0.6, delta: 0 },
  })
  const later = createMemoryLedger({ entries: await earlier.entries('pay') })
  expect((await later.head('pay')).state).toEqual(paid.after)
  await expect(
    later.charge({ pool: 'pay', job: '2', leaves: ['pay.t'], charge: { epsilon: 0.6, delta: 0 } }),
  ).rejects.toMatchObject({ code: 'BUDGET_EXHAUSTED' })
})
