import { signStatement } from '@sealpool/crypto'
import { afterAll, expect, it } from 'vitest'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { claimStatement } from './exclusive-statement.js'
import { migrate } from './migration.js'
import { openPgliteStore } from './pglite-store.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())

const statement = (change: { type?: string; pool?: string; subject?: string; body?: object } = {}) =>
  signStatement({
    statement: { type: change.type ?? 'sealpool/release', version: 1, body: { n: 1, ...change.body } },
    context: {
      chainId: 1,
      registry: addressOfDigit('f'),
      pool: addressOfDigit(change.pool ?? 'a'),
      subject: `0x${(change.subject ?? '1').padStart(64, '0')}`,
      nonce: '0',
      facts: [],
    },
    privateKey: new Uint8Array(32).fill(7),
  })
const claim = (change = {}) => store.transaction((tx) => claimStatement(tx, statement(change)))

it('lets one statement be made for each kind, pool and subject, however often, and no other one', async () => {
  await claim()
  await claim()
  await expect(claim({ body: { n: 2 } })).rejects.toMatchObject({ code: 'WOULD_CONTRADICT' })
  await claim({ subject: '2', body: { n: 2 } })
  await claim({ pool: 'b', body: { n: 2 } })
  await claim({ type: 'sealpool/budget-head', body: { n: 2 } })
  await expect(claim({ subject: '2' })).rejects.toMatchObject({ code: 'WOULD_CONTRADICT' })
})
