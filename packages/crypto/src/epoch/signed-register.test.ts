import { describe, expect, test } from 'vitest'
import { digestToHex, sha256Digest } from '../digest/digest.js'
import { x25519Kem } from '../hpke/x25519-kem.js'
import { derivePoolKey } from '../pool-key/derive.js'
import { addressOf } from '../statement/signature.js'
import { type SignedStatement, signStatement } from '../statement/statement.js'
import { scope } from '../testing/sealed-fixture.js'
import {
  currentKeyEpoch,
  keyEpochsRevision,
  publishKeyEpochs,
  retireKeyEpoch,
  rotateKeyEpoch,
} from './register.js'
import { readKeyEpochs, requireKeyEpochsOnChain, signKeyEpochs } from './signed-register.js'

const root = new Uint8Array(32).fill(1)
const epochOf = (epoch: number) => ({
  ...scope,
  epoch,
  kem: x25519Kem,
  publicKey: derivePoolKey({ root, ...scope, epoch }).publicKey,
})
const first = publishKeyEpochs(epochOf(1))
const register = rotateKeyEpoch(first, epochOf(2))
const privateKey = new Uint8Array(32).fill(3)
const signer = addressOf(privateKey)
const registry = `0x${'AA'.repeat(20)}` as const
const expected = { chainId: scope.chainId, registry, pool: scope.pool, signer }
const signed = signKeyEpochs({ register, registry, privateKey })
const onChain = (epoch: number) => {
  const { policyDigest, keyId } = epoch === 1 ? currentKeyEpoch(first) : currentKeyEpoch(register)
  return { epoch, policyDigest: digestToHex(policyDigest), keyDigest: digestToHex(keyId) }
}

describe('a signed register of key epochs', () => {
  test('is read back from JSON, with the facts that the contract checks', () => {
    const json = JSON.parse(JSON.stringify(signed)) as SignedStatement
    expect(readKeyEpochs(json, expected)).toEqual(register)
    const { policyDigest, keyDigest } = onChain(2)
    expect(json.context.facts).toEqual([
      { type: 'uint256', value: '2' },
      { type: 'bytes32', value: policyDigest },
      { type: 'bytes32', value: keyDigest },
    ])
  })

  test.each([
    ['another chain', { chainId: 1 }],
    ['another registry', { registry: `0x${'ab'.repeat(20)}` }],
    ['another pool', { pool: `0x${'ab'.repeat(20)}` }],
    ['another signer', { signer: `0x${'ab'.repeat(20)}` }],
  ] as const)('is refused for %s', (_, change) => {
    expect(() => readKeyEpochs(signed, { ...expected, ...change })).toThrow(
      expect.objectContaining({ code: 'EPOCH_INVALID' }),
    )
  })

  test('is read by nobody who does not say whose it must be', () => {
    for (const name of ['registry', 'pool', 'signer']) {
      expect(() => readKeyEpochs(signed, { ...expected, [name]: undefined })).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID', place: `expect.${name}` }),
      )
      expect(() => readKeyEpochs(signed, { ...expected, [name]: null })).toThrow(
        expect.objectContaining({ code: 'ADDRESS_INVALID', place: `expect.${name}` }),
      )
    }
  })

  test('is compared with nothing that could be misread', () => {
    for (const change of [
      { notBefore: undefined },
      { notBefore: -5 },
      { notBefore: 0.5 },
      { notbefore: 9 },
    ]) {
      expect(() => readKeyEpochs(signed, { ...expected, ...change } as never)).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      )
    }
  })

  const again = (change: object, context: object = {}) =>
    signStatement({
      statement: { ...signed.statement, ...change },
      context: { ...signed.context, ...context },
      privateKey,
    })
  test.each<readonly [string, unknown, string]>([
    ['null', null, '$'],
    ['another statement', again({ type: 'sealpool/other' }), '$.statement'],
    ['another version', again({ version: 2 }), '$.statement'],
    ['a body that is no register', again({ body: {} }), '$'],
    ['the subject of another register', again({}, { subject: `0x${'00'.repeat(32)}` }), '$.context'],
    ['another revision', again({}, { nonce: '1' }), '$.context'],
    ['no facts', again({}, { facts: [] }), '$.context'],
    ['another chain in its context', again({}, { chainId: 1 }), '$.context'],
    ['another pool in its context', again({}, { pool: `0x${'ab'.repeat(20)}` }), '$.context'],
    ['a changed body', { ...signed, statement: again({ body: first }).statement }, '$.context'],
    ['a changed signature', { ...signed, signature: `0x${'11'.repeat(64)}1b` }, '$.signature'],
  ])('with %s is refused', (_, value, place) => {
    expect(() => readKeyEpochs(value, expected)).toThrow(
      expect.objectContaining({ code: 'EPOCH_INVALID', place }),
    )
  })
})

test('an older register is told by its revision, also when only a retirement lies between', () => {
  const retired = retireKeyEpoch(register, 1)
  const newer = signKeyEpochs({ register: retired, registry, privateKey })
  expect([first, register, retired].map(keyEpochsRevision)).toEqual([1, 2, 3])
  expect([signed.context.nonce, newer.context.nonce]).toEqual(['2', '3'])
  // The chain says the same of both.
  for (const each of [register, retired]) requireKeyEpochsOnChain(each, [onChain(2)])
  const notBefore = keyEpochsRevision(retired)
  expect(readKeyEpochs(newer, { ...expected, notBefore })).toEqual(retired)
  expect(() => readKeyEpochs(signed, { ...expected, notBefore })).toThrow(
    expect.objectContaining({ code: 'EPOCH_INVALID', place: '$.statement.body' }),
  )
  expect(() => readKeyEpochs(signed, { ...expected, notBefore: Number.NaN })).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', place: 'expect.notBefore' }),
  )
})

describe('what the chain says', () => {
  test.each([
    ['the current epoch alone', [onChain(2)]],
    ['all of them, in any order', [onChain(2), onChain(1)]],
    ['digests', [{ epoch: 2, policyDigest: scope.policyDigest, keyDigest: currentKeyEpoch(register).keyId }]],
  ] as const)('agrees with the register, as %s', (_, published) => {
    requireKeyEpochsOnChain(register, published)
    requireKeyEpochsOnChain(retireKeyEpoch(register, 1), published)
  })

  test('shows the epochs that nobody published', () => {
    const { policyDigest, keyId } = currentKeyEpoch(rotateKeyEpoch(first, epochOf(3)))
    const third = { epoch: 3, policyDigest: digestToHex(policyDigest), keyDigest: digestToHex(keyId) }
    const false_ = rotateKeyEpoch(register, epochOf(3))
    const unpublished = expect.objectContaining({ code: 'EPOCH_INVALID', place: '$.epochs' })
    expect(() => requireKeyEpochsOnChain(false_, [onChain(1), third])).toThrow(unpublished)
    requireKeyEpochsOnChain(false_, [onChain(1), onChain(2), third], { complete: true })
    // One epoch alone says nothing of those before it, unless it is said to be the only one.
    requireKeyEpochsOnChain(register, [onChain(2)])
    expect(() => requireKeyEpochsOnChain(register, [onChain(2)], { complete: true })).toThrow(unpublished)
  })

  test('may be long', () => {
    const many = Array.from({ length: 200_000 }, () => onChain(2))
    requireKeyEpochsOnChain(register, many)
  })

  const other = digestToHex(sha256Digest(new Uint8Array()))
  test.each<readonly [string, unknown]>([
    ['nothing', []],
    ['null', null],
    ['an epoch that is null', [null]],
    ['a newer epoch', [onChain(2), { ...onChain(2), epoch: 3 }]],
    ['only an older epoch', [onChain(1)]],
    ['a number as text', [{ ...onChain(2), epoch: '2' }]],
    ['another key', [{ ...onChain(2), keyDigest: other }]],
    ['another policy', [{ ...onChain(2), policyDigest: other }]],
    ['another key of an old epoch', [onChain(2), { ...onChain(1), keyDigest: other }]],
    ['a key that is no text', [{ ...onChain(2), keyDigest: Object.create(null) }]],
  ])('is not what the register says: %s', (_, published) => {
    expect(() => requireKeyEpochsOnChain(register, published as never)).toThrow(
      expect.objectContaining({ code: 'EPOCH_INVALID' }),
    )
  })
})
