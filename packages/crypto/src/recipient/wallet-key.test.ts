import { secp256k1 } from '@noble/curves/secp256k1.js'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../encoding/bytes.js'
import { encodeHex, type Hex } from '../encoding/hex.js'
import { xwingKem } from '../post-quantum/xwing-kem.js'
import { openBytes } from '../sealed-file/open.js'
import { sealBytes } from '../sealed-file/seal.js'
import { bytesOf, codeOf, context, repeatable } from '../testing/sealed-fixture.js'
import { walletIdentity, walletKeyHash, walletKeyTypedData, walletRecipient } from './wallet.js'
import { establishWalletKey, walletIdentityFromSecret } from './wallet-key.js'

const privateKey = new Uint8Array(32).fill(7)
const account = privateKeyToAccount(encodeHex(privateKey))
const other = privateKeyToAccount(encodeHex(new Uint8Array(32).fill(8)))
const { address } = account
const typedData = walletKeyTypedData({ chainId: 1, purpose: 'test' })
const options = { address, typedData, random: repeatable() }

/** Signs rightly, and each time in another way, as many MPC wallets do. */
function fickle() {
  let turn = 0
  return async (): Promise<Hex> => {
    turn += 1
    const extraEntropy = new Uint8Array(32).fill(turn)
    const settings = { prehash: false, lowS: true, format: 'recovered', extraEntropy } as const
    const [parity = 0, ...rest] = secp256k1.sign(walletKeyHash(typedData), privateKey, settings)
    return encodeHex(concatBytes(new Uint8Array(rest), new Uint8Array([27 + parity])))
  }
}

describe('establishWalletKey', () => {
  test('makes the key of a wallet that signs alike from its signature, asked twice', async () => {
    let asked = 0
    const sign = async () => {
      asked += 1
      return account.signTypedData(typedData)
    }
    const key = await establishWalletKey({ ...options, sign, isContract: async () => false })
    expect(asked).toBe(2)
    expect(key.source).toBe('signature')
    const signature = await account.signTypedData(typedData)
    expect(key.identity.publicKey).toEqual(walletIdentity({ signature, address }).publicKey)
  })

  test('asks for a signature of what was given at the call', async () => {
    const given = structuredClone(typedData) as { message: Record<string, unknown> }
    const asked: unknown[] = []
    await establishWalletKey({
      ...options,
      typedData: given as never,
      isContract: async () => {
        given.message['purpose'] = 'something else'
        return false
      },
      sign: async (data) => {
        asked.push(data)
        return account.signTypedData(data as typeof typedData)
      },
    })
    expect(asked).toEqual([typedData, typedData])
  })

  test('takes the two forms of one signature for the same', async () => {
    const signature = await account.signTypedData(typedData)
    const order = secp256k1.Point.Fn.ORDER
    const high = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0')
    const v = signature.endsWith('1b') ? '1c' : '1b'
    const forms: Hex[] = [signature, `0x${signature.slice(2, 66)}${high}${v}`]
    const key = await establishWalletKey({ ...options, sign: async () => forms.shift() ?? '0x' })
    expect(key.source).toBe('signature')
  })

  test('draws a random key for a wallet that signs differently each time', async () => {
    const key = await establishWalletKey({ ...options, sign: fickle(), isContract: async () => false })
    expect(key).toMatchObject({ source: 'random', reason: 'not-deterministic' })
  })

  test('draws a random key for a contract, without asking it to sign', async () => {
    const sign = () => Promise.reject(new Error('asked'))
    const key = await establishWalletKey({ ...options, sign, isContract: async () => true })
    expect(key).toMatchObject({ source: 'random', reason: 'contract-wallet' })
  })

  test('draws a random key for X-Wing, without asking for a signature: who breaks the wallet’s curve could give it again', async () => {
    const sign = () => Promise.reject(new Error('asked'))
    const key = await establishWalletKey({ ...options, sign, kem: xwingKem })
    expect(key).toMatchObject({ source: 'random', reason: 'post-quantum' })
    expect(key.identity.publicKey).toHaveLength(1216)
  })

  test.each<readonly [string, () => Promise<Hex>]>([
    ['its owner’s signature (ERC-1271)', () => other.signTypedData(typedData)],
    ['a longer blob (ERC-1271, ERC-6492)', async () => `0x${'ab'.repeat(200)}`],
    ['nothing', async () => '0x'],
  ])(
    'draws a random key for an address that gives %s, when nobody knows whether it is a contract',
    async (_, sign) => {
      const key = await establishWalletKey({ ...options, sign })
      expect(key).toMatchObject({ source: 'random', reason: 'not-a-signature-of-the-address' })
    },
  )

  test('asks the address itself, where it can: who answers is a contract, who does not is another account', async () => {
    const sign = () => other.signTypedData(typedData)
    const asked: unknown[] = []
    const answer = (...answers: readonly unknown[]) => {
      let turn = 0
      return async (request: unknown) => {
        asked.push(request)
        return answers[turn++] as boolean
      }
    }
    const key = await establishWalletKey({ ...options, sign, isValidSignature: answer(true, true) })
    expect(key).toMatchObject({ source: 'random', reason: 'contract-signature' })
    expect(asked[0]).toEqual({ typedData, signature: await sign() })
    for (const answers of [[false], [true, false], ['0x1626ba7e', '0x1626ba7e'], [undefined]]) {
      const work = () => establishWalletKey({ ...options, sign, isValidSignature: answer(...answers) })
      expect(await codeOf(work)).toBe('SIGNATURE_INVALID')
    }
    const failing = () => Promise.reject(new Error('the node is away'))
    await expect(establishWalletKey({ ...options, sign, isValidSignature: failing })).rejects.toThrow('away')
    // A wallet of the address's own key is never asked.
    const own = await establishWalletKey({
      ...options,
      sign: () => account.signTypedData(typedData),
      isValidSignature: failing,
    })
    expect(own.source).toBe('signature')
  })

  test('asks an address without code as well: a contract wallet may not be deployed yet (ERC-6492)', async () => {
    const sign = () => other.signTypedData(typedData)
    const bare = { ...options, sign, isContract: async () => false }
    const key = await establishWalletKey({ ...bare, isValidSignature: async () => true })
    expect(key).toMatchObject({ source: 'random', reason: 'contract-signature' })
    const refused = () => establishWalletKey({ ...bare, isValidSignature: async () => false })
    expect(await codeOf(refused)).toBe('SIGNATURE_INVALID')
  })

  test('refuses another account’s signature for an address that is no contract', async () => {
    const sign = () => other.signTypedData(typedData)
    const work = () => establishWalletKey({ ...options, sign, isContract: async () => false })
    expect(await codeOf(work)).toBe('SIGNATURE_INVALID')
  })

  test('refuses typed data of no chain instead of taking the wallet for another kind', async () => {
    const wrong = { ...typedData, domain: { ...typedData.domain, chainId: 0 } }
    const sign = () => account.signTypedData(typedData)
    expect(await codeOf(() => establishWalletKey({ ...options, typedData: wrong, sign }))).toBe(
      'STATEMENT_INVALID',
    )
  })

  test('refuses typed data in a proxy, which cannot be copied', async () => {
    const sign = () => account.signTypedData(typedData)
    for (const reactive of [
      new Proxy(typedData, {}),
      { ...typedData, message: new Proxy(typedData.message, {}) },
    ]) {
      await expect(establishWalletKey({ ...options, typedData: reactive, sign })).rejects.toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID', place: 'typedData' }),
      )
    }
  })

  test('refuses a secret of zeros, wiped too early', () => {
    expect(() => walletIdentityFromSecret({ secret: new Uint8Array(32), address })).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID', place: 'secret' }),
    )
  })

  test('lets a user decline', async () => {
    const sign = () => Promise.reject(new Error('declined'))
    await expect(establishWalletKey({ ...options, sign })).rejects.toThrow('declined')
  })

  test.each([undefined, xwingKem])(
    'gives a random key that opens files again from its secret',
    async (kem) => {
      const key = await establishWalletKey({ ...options, kem, sign: fickle() })
      if (key.source !== 'random') throw new Error('expected a random key')
      const recipient = walletRecipient({ ...key.identity, kem })
      const sealed = await sealBytes(bytesOf(5), { recipients: [recipient], context, random: repeatable() })
      const again = walletIdentityFromSecret({ secret: key.secret, address, kem })
      expect((await openBytes(sealed, { identities: [again] })).plaintext).toEqual(bytesOf(5))
      const elsewhere = walletIdentityFromSecret({ secret: key.secret, address: other.address, kem })
      expect(await codeOf(() => openBytes(sealed, { identities: [elsewhere] }))).toBe('NO_MATCHING_IDENTITY')
    },
  )
})
