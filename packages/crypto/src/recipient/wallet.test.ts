import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hashTypedData } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { encodeHex, type Hex } from '../encoding/hex.js'
import { platformRandom } from '../platform.js'
import { openBytes } from '../sealed-file/open.js'
import { sealBytes } from '../sealed-file/seal.js'
import { bytesOf, context } from '../testing/sealed-fixture.js'
import { hpkeRecipient } from './hpke-recipient.js'
import { walletIdentity, walletKeyHash, walletKeyTypedData, walletRecipient } from './wallet.js'

const account = privateKeyToAccount(`0x${'42'.repeat(32)}`)
const typedData = walletKeyTypedData({ chainId: 31337, purpose: 'Open my contributions to the pay pool' })
const signature = await account.signTypedData(typedData)
const { address } = account
const r = signature.slice(2, 66)
const s = signature.slice(66, 130)
const v = Number.parseInt(signature.slice(130), 16)
const highS = (secp256k1.Point.Fn.ORDER - BigInt(`0x${s}`)).toString(16).padStart(64, '0')

describe('walletKeyTypedData', () => {
  test('is hashed as viem hashes it', () => {
    expect(encodeHex(walletKeyHash(typedData))).toBe(hashTypedData(typedData))
  })
  test.each([
    [{ chainId: 0, purpose: 'x' }, 'STATEMENT_INVALID'],
    [{ chainId: 1, purpose: '' }, 'OPTION_INVALID'],
    [{ chainId: 1, purpose: 'line\nend' }, 'OPTION_INVALID'],
    [{ chainId: 1, purpose: 'x'.repeat(129) }, 'OPTION_INVALID'],
  ])('refuses %j', (options, code) => {
    expect(() => walletKeyTypedData(options)).toThrow(expect.objectContaining({ code }))
  })
})

describe('walletIdentity', () => {
  const identity = walletIdentity({ signature, address, typedData })

  test('opens what was sealed to the wallet', async () => {
    const options = { recipients: [walletRecipient(identity)], context, random: platformRandom }
    const sealed = await sealBytes(bytesOf(100), options)
    const again = walletIdentity({ signature: await account.signTypedData(typedData), address })
    expect((await openBytes(sealed, { identities: [again] })).plaintext).toEqual(bytesOf(100))
  })

  test('stays as it is (fixed value: a change would lock wallets out)', () => {
    expect(encodeHex(identity.publicKey)).toBe(
      '0x7fba326674221520abd8dd267e2fa3e3e7335f1875fc405d9e1217efb49eb10b',
    )
  })

  test.each<readonly [string, Hex]>([
    ['v from 0', `0x${r}${s}0${v - 27}`],
    ['the upper s', `0x${r}${highS}${v === 27 ? '1c' : '1b'}`],
    ['the upper s and v from 0', `0x${r}${highS}0${v === 27 ? 1 : 0}`],
    ['capital digits', `0x${signature.slice(2).toUpperCase()}`],
  ])('makes the same key from a signature with %s', (_name, form) => {
    expect(walletIdentity({ signature: form, address, typedData }).publicKey).toEqual(identity.publicKey)
  })

  test('separates wallets, chains and purposes', async () => {
    const other = walletKeyTypedData({ chainId: 1, purpose: 'Open my contributions to the pay pool' })
    const third = walletKeyTypedData({ chainId: 31337, purpose: 'Open my results' })
    const keys = [
      identity,
      walletIdentity({ signature, address: `0x${'00'.repeat(20)}` }),
      walletIdentity({ signature: await account.signTypedData(other), address, typedData: other }),
      walletIdentity({ signature: await account.signTypedData(third), address, typedData: third }),
    ]
    expect(new Set(keys.map((key) => key.keyId)).size).toBe(4)
  })

  test('refuses a signature by another wallet or of other data when the data is given', async () => {
    const stranger = privateKeyToAccount(`0x${'43'.repeat(32)}`)
    const foreign = await stranger.signTypedData(typedData)
    const other = walletKeyTypedData({ chainId: 1, purpose: 'x' })
    for (const options of [
      { signature: foreign, address, typedData },
      { signature, address, typedData: other },
    ]) {
      expect(() => walletIdentity(options)).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }))
    }
  })

  test.each<readonly [string, Hex]>([
    ['no bytes', '0x'],
    ['64 bytes', `0x${r}${s}`],
    ['a smart wallet’s long signature', `${signature}${'00'.repeat(64)}`],
    ['s zero', `0x${r}${'00'.repeat(32)}1b`],
    ['s past the order', `0x${r}${'ff'.repeat(32)}1b`],
  ])('refuses %s without showing it', (_name, form) => {
    expect(() => walletIdentity({ signature: form, address })).toThrow(
      expect.objectContaining({
        code: 'SIGNATURE_INVALID',
        message: expect.not.stringContaining(r) as string,
      }),
    )
  })

  test('is found under its own stanza only, not under an hpke stanza of the same key', async () => {
    const recipients = [hpkeRecipient({ publicKey: identity.publicKey })]
    const sealed = await sealBytes(bytesOf(3), { recipients, context, random: platformRandom })
    await expect(openBytes(sealed, { identities: [identity] })).rejects.toMatchObject({
      code: 'NO_MATCHING_IDENTITY',
    })
  })

  test('refuses recipients with keys of low order or no address', () => {
    expect(() => walletRecipient({ publicKey: new Uint8Array(32), address })).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
    expect(() => walletRecipient({ publicKey: identity.publicKey, address: '0x1' })).toThrow(
      expect.objectContaining({ code: 'ADDRESS_INVALID' }),
    )
    expect(() => hpkeRecipient({ publicKey: new Uint8Array(32) })).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
    expect(() => hpkeRecipient({ publicKey: identity.publicKey, keyId: 'a b' })).toThrow(
      expect.objectContaining({ code: 'RECIPIENT_INVALID' }),
    )
  })
})
