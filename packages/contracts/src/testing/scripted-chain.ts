import { type Client, createClient, custom, type Hex, numberToHex } from 'viem'

/** What a chain answers, by method: a value, an error that is thrown, or a function of the parameters. */
export type Answers = Readonly<Record<string, unknown>>

/** A client of a chain that answers what a test says, and nothing else. */
export function chainThat(answers: Answers): Client {
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    const answer = answers[method]
    const given: unknown = typeof answer === 'function' ? answer(params) : answer
    if (given instanceof Error) throw given
    if (given === undefined) throw new Error(`not scripted: ${method}`)
    return given
  }
  return createClient({ transport: custom({ request }, { retryCount: 0 }), pollingInterval: 5 })
}

/** The hash of every transaction of {@link mining}. */
export const transactionHash: Hex = `0x${'ab'.repeat(32)}`

/** A receipt that names no contract and holds no event. */
export const receiptOf = (status: '0x0' | '0x1') => ({
  transactionHash,
  blockNumber: '0x7',
  blockHash: transactionHash,
  transactionIndex: '0x0',
  status,
  logs: [],
  type: '0x2',
  gasUsed: '0x1',
  cumulativeGasUsed: '0x1',
  effectiveGasPrice: '0x1',
  from: '0x00000000000000000000000000000000000000bb',
  to: '0x00000000000000000000000000000000000000aa',
  contractAddress: null,
  logsBloom: '0x',
})

/** A chain that mines every transaction at once, whatever it says. */
export const mining: Answers = {
  eth_chainId: '0x1',
  eth_estimateGas: numberToHex(50_000),
  eth_sendTransaction: transactionHash,
  eth_getTransactionReceipt: receiptOf('0x1'),
  eth_getTransactionCount: '0x0',
  eth_blockNumber: '0x8',
  eth_call: '0x',
}
