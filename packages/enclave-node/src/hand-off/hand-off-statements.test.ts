import { addressOf, type JsonObject, type SignedStatement, signStatement } from '@sealpool/crypto'
import { expect, it } from 'vitest'
import { nodeSigner } from '../key/node-signer.js'
import { runnerKeys } from '../testing/hand-off-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { readTransferKey, readWork, signTransferKey, type TransferKey } from './hand-off-statements.js'

const registry = addressOfDigit('f')
const place = { pool: addressOfDigit('a'), job: '7' }
const expected = {
  ...place,
  signer: runnerKeys.statementAddress,
  deployment: { chainId: 31_337, nodeRegistry: registry },
}
const key: TransferKey = {
  transfer: 'ab'.repeat(16),
  job: '7',
  home: addressOfDigit('1'),
  manifest: digestOfDigit('1'),
  publicKey: 'A'.repeat(43),
  keySet: digestOfDigit('2'),
}
const { statementKey } = runnerKeys
const good = signTransferKey(nodeSigner({ statementKey, chainId: 31_337, registry }), place, key)

/** The same, signed by the same node with something else in it. */
function signed(
  statement: Partial<SignedStatement['statement']> = {},
  context: Partial<SignedStatement['context']> = {},
  privateKey = statementKey,
) {
  return signStatement({
    statement: { ...good.statement, ...statement },
    context: { ...good.context, ...context },
    privateKey,
  })
}

it('a statement of a hand-off is read whoever signs anew what it says', () => {
  expect(readTransferKey(good, expected)).toEqual(key)
  expect(readTransferKey(signed(), expected)).toEqual(key)
  expect(addressOf(statementKey)).toBe(expected.signer)
})

it.each<[string, unknown]>([
  ['of another type', signed({ type: 'sealpool/work' })],
  ['of another version', signed({ version: 2 })],
  ['for another chain', signed({}, { chainId: 1 })],
  ['for another registry', signed({}, { registry: addressOfDigit('e') })],
  ['for another pool', signed({}, { pool: addressOfDigit('b') })],
  ['for another job', signed({}, { subject: `0x${'0'.repeat(63)}8` })],
  ['with a number of its own', signed({}, { nonce: '1' })],
  ['with facts beside it', signed({}, { facts: [{ type: 'uint256', value: '1' }] })],
  ['of another node', signed({}, {}, new Uint8Array(32).fill(9))],
  ['with more in its body', signed({ body: { ...(key as unknown as JsonObject), more: 1 } })],
  ['that is none', { ...good, signature: 'x' }],
  ['that is nothing', null],
])('a statement of a hand-off %s is not read', (_, statement) => {
  expect(readTransferKey(statement, expected)).toBeUndefined()
  expect(readWork(statement, expected)).toBeUndefined()
})
