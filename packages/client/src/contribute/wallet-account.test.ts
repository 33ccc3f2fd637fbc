import { createClient, custom, recoverTypedDataAddress, UserRejectedRequestError } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { walletAccount } from './wallet-account.js'

const held = privateKeyToAccount(`0x${'42'.repeat(32)}`)
const typedData = {
  domain: { name: 'Sealpool', version: '1', chainId: 31_337 },
  types: { Contribution: [{ name: 'nonce', type: 'uint256' }] },
  primaryType: 'Contribution',
  message: { nonce: 2n ** 200n },
} as const

/** A wallet that holds one account, as a page meets it. */
function wallet(answer: (text: string) => Promise<unknown>) {
  const calls: { method: string; params?: unknown }[] = []
  const request = async (call: { method: string; params?: unknown }) => {
    calls.push(call)
    return answer((call.params as [string, string])[1])
  }
  return { client: createClient({ transport: custom({ request }, { retryCount: 0 }) }), calls }
}

describe('an account in a wallet', () => {
  test('has the wallet sign typed data for its address', async () => {
    const { client, calls } = wallet((text) => held.signTypedData(JSON.parse(text)))
    const account = walletAccount({ wallet: client, address: held.address })
    expect({ type: account.type, address: account.address }).toEqual({
      type: 'json-rpc',
      address: held.address,
    })
    const signature = (await account.signTypedData?.(typedData)) ?? '0x'
    expect(await recoverTypedDataAddress({ ...typedData, signature })).toBe(held.address)
    expect(calls).toEqual([{ method: 'eth_signTypedData_v4', params: [held.address, expect.any(String)] }])
  })

  test('rejects as the wallet’s owner does', async () => {
    const { client } = wallet(async () => {
      throw new UserRejectedRequestError(new Error('no'))
    })
    const signing = walletAccount({ wallet: client, address: held.address }).signTypedData?.(typedData)
    await expect(signing).rejects.toThrow(UserRejectedRequestError)
  })
})
