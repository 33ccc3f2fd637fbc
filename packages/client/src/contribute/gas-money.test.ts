import { type Account, type Client, createClient, custom } from 'viem'
import { generatePrivateKey, privateKeyToAccount, toAccount } from 'viem/accounts'
import { expect, it } from 'vitest'
import { requireGasMoney } from './gas-money.js'

const local = privateKeyToAccount(generatePrivateKey())
const unused = async () => '0x' as const
const held: Account = toAccount({
  address: local.address,
  signMessage: unused,
  signTransaction: unused,
  signTypedData: unused,
})

/** A chain with one balance and one price. @param baseFee null where blocks have none */
function chainOf(balance: bigint, baseFee: bigint | null, price = 0n): Client {
  const answers: Record<string, unknown> = {
    eth_getBalance: `0x${balance.toString(16)}`,
    eth_getBlockByNumber: {
      number: '0x1',
      ...(baseFee === null ? {} : { baseFeePerGas: `0x${baseFee.toString(16)}` }),
    },
    eth_gasPrice: `0x${price.toString(16)}`,
  }
  return createClient({
    transport: custom(
      { request: async ({ method }: { method: string }) => answers[method] },
      { retryCount: 0 },
    ),
  })
}

it.each<[string, bigint, bigint | null, bigint, boolean]>([
  ['nothing', 0n, 1n, 0n, false],
  ['one wei less than the smallest transaction', 20_999n, 1n, 0n, false],
  ['what the smallest transaction costs', 21_000n, 1n, 0n, true],
  ['nothing where gas is free', 0n, 0n, 9n, true],
  ['nothing where blocks have no base fee and gas has a price', 0n, null, 1n, false],
  ['nothing where blocks have no base fee and gas is free', 0n, null, 0n, true],
])('an account with %s', async (_, balance, baseFee, price, isEnough) => {
  const asked = requireGasMoney(chainOf(balance, baseFee, price), local)
  await (isEnough
    ? expect(asked).resolves.toBeUndefined()
    : expect(asked).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS', place: 'account' }))
})

it('a wallet is not asked: somebody else may pay for it', async () => {
  await requireGasMoney(chainOf(0n, 1n), held)
  await requireGasMoney(chainOf(0n, 1n), { address: local.address, type: 'json-rpc' })
})

it('a chain that does not answer is told in words of ours', async () => {
  const silent = createClient({
    transport: custom(
      { request: () => Promise.reject(new Error('https://rpc.example/key does not answer')) },
      { retryCount: 0 },
    ),
  })
  const failed = await requireGasMoney(silent, local).catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: 'CHAIN_READ_FAILED', place: 'balance' })
  expect(String(failed)).not.toContain('rpc.example')
})
