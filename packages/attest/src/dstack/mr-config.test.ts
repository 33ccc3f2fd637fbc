import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { AttestError } from '../errors.js'
import { dstackKeyProviders, type MrConfig, mrConfigDigest, mrConfigId } from './mr-config.js'

const composeHash = `0x${'86b0'.repeat(16)}` as const
const appId = `0x${'0a'.repeat(20)}` as const
const second = { version: 2, composeHash, appId, keyProvider: 'kms', keyProviderId: '0x3059' } as const
const code = (config: unknown) => {
  try {
    mrConfigId(config as MrConfig)
    return 'ok'
  } catch (error) {
    return error instanceof AttestError ? `${error.code} ${error.place}` : error
  }
}

describe('mrConfigId', () => {
  it('is the version, what it names, and zeros', () => {
    expect(mrConfigId({ version: 1, composeHash })).toBe(`0x01${composeHash.slice(2)}${'00'.repeat(15)}`)
    expect(mrConfigId({ version: 3, document: '{}' })).toBe(
      `0x03${mrConfigDigest('{}').slice(2)}${'00'.repeat(15)}`,
    )
    const named = hexToBytes(`${composeHash.slice(2)}${appId.slice(2)}023059`)
    expect(mrConfigId(second)).toBe(`0x02${bytesToHex(keccak_256(named))}${'00'.repeat(15)}`)
  })

  it('tells key providers apart', () => {
    const ids = Object.keys(dstackKeyProviders).map((keyProvider) =>
      mrConfigId({ ...second, keyProvider: keyProvider as 'kms' }),
    )
    expect(new Set(ids).size).toBe(5)
  })

  it.each([
    ['config.composeHash', { version: 1, composeHash: '0x00' }],
    ['config.composeHash', { version: 1, composeHash: composeHash.toUpperCase() }],
    ['config.composeHash', { ...second, composeHash: `${composeHash}00` }],
    ['config.appId', { ...second, appId: composeHash }],
    ['config.keyProviderId', { ...second, keyProviderId: '0x0' }],
    ['config.keyProviderId', { ...second, keyProviderId: '3059' }],
    ['config', { ...second, keyProvider: 'toString' }],
    ['config', { ...second, version: 4 }],
  ])('refuses: %s', (place, config) => {
    expect(code(config)).toBe(`BAD_ARGUMENT ${place}`)
  })
})
