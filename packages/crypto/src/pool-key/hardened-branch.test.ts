import { HDKey } from '@scure/bip32'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeHex } from '../encoding/hex.js'
import { hardenedBranch } from './hardened-branch.js'

// Every vector of BIP-32 whose path is hardened all through; 3 and 4 have keys that begin with zeros.
const vectors = [
  {
    seed: '0x000102030405060708090a0b0c0d0e0f',
    steps: [0],
    key: 'xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT11eZG7XnxHrnYeSvkzY7d2bhkJ7',
  },
  {
    seed: '0x4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be',
    steps: [0],
    key: 'xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVFceUvJFjaPdGZ2y9WACViL4L',
  },
  {
    seed: '0x3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678',
    steps: [0, 1],
    key: 'xprv9xJocDuwtYCMNAo3Zw76WENQeAS6WGXQ55RCy7tDJ8oALr4FWkuVoHJeHVAcAqiZLE7Je3vZJHxspZdFHfnBEjHqU5hG1Jaj32dVoS6XLT1',
  },
] as const

test.each(vectors)('the published key of $steps', ({ seed, steps, key }) => {
  expect(hardenedBranch(decodeHex(seed), steps)).toEqual(HDKey.fromExtendedKey(key).privateKey)
})

test('as @scure/bip32 derives them', () => {
  const step = fc.integer({ min: 0, max: 2 ** 31 - 1 })
  const seeds = fc.uint8Array({ minLength: 32, maxLength: 64 })
  fc.assert(
    fc.property(seeds, fc.array(step, { maxLength: 3 }), (seed, steps) => {
      const path = ['m', ...steps.map((each) => `${each}'`)].join('/')
      expect(hardenedBranch(seed, steps)).toEqual(HDKey.fromMasterSeed(seed).derive(path).privateKey)
    }),
    { numRuns: 50 },
  )
})
