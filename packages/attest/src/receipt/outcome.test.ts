import type { Address } from '@sealpool/crypto'
import { expect, it } from 'vitest'
import { bundle } from '../testing/fixture.js'
import type { ReceiptBody } from './receipt.js'
import { verifyReceipt } from './verify.js'

const outcomeOf = (change?: (body: ReceiptBody) => ReceiptBody) =>
  verifyReceipt(bundle(change)).checks.find(({ id }) => id === 'outcome')?.result

/** The receipt's first pool once more at its end, its address written as `rewrite` says. */
const repeated =
  (rewrite: (address: string) => string, rest: Partial<ReceiptBody> = {}) =>
  (body: ReceiptBody): ReceiptBody => ({
    ...body,
    ...rest,
    pools: [
      ...body.pools,
      ...body.pools.slice(0, 1).map((entry) => ({ ...entry, pool: rewrite(entry.pool) as Address })),
    ],
  })

it('a receipt that lists a pool twice fails its outcome, in another case of letters and as a refusal too', () => {
  const refused = {
    outcome: 'refused',
    result: null,
    refusal: { code: 'BUDGET', message: 'no' },
  } as const
  expect(outcomeOf()).toBe('pass')
  expect(outcomeOf((body) => ({ ...body, ...refused }))).toBe('pass')
  expect(outcomeOf(repeated((address) => address))).toBe('fail')
  expect(outcomeOf(repeated((address) => `0x${address.slice(2).toUpperCase()}`))).toBe('fail')
  expect(outcomeOf(repeated((address) => address, refused))).toBe('fail')
})
