import { contributionBatchesAbi, type Deployment } from '@sealpool/contracts'
import {
  createClient,
  custom,
  decodeFunctionData,
  encodeAbiParameters,
  encodeEventTopics,
  encodeFunctionResult,
  type Hex,
} from 'viem'
import { expect, test } from 'vitest'
import { batchedContributionId } from '../state/batched-contribution.js'
import { readWithdrawals } from './chain-events.js'

/* An endpoint that takes its time: how many questions it has before it at once. */

const address = (byte: string): Hex => `0x${byte.repeat(20)}`
const deployment: Deployment = {
  chainId: 31337,
  protocolToken: address('a1'),
  nodeRegistry: address('a2'),
  dataRegistry: address('a3'),
  contributionBatches: address('a7'),
  jobBoard: address('a4'),
  permissions: address('a5'),
  approvals: address('a8'),
  poolFactory: address('a6'),
  blockNumber: 0n,
}
const count = 60
const zero: Hex = `0x${'00'.repeat(32)}`
const hex = (number: number): Hex => `0x${number.toString(16)}`
const withdrawn = (index: number) => ({
  address: deployment.contributionBatches,
  topics: encodeEventTopics({
    abi: contributionBatchesAbi,
    eventName: 'BatchEntryWithdrawn',
    args: { id: 3n, owner: address('cc') },
  }),
  data: encodeAbiParameters([{ type: 'uint256' }], [BigInt(index)]),
  blockNumber: hex(100 + index),
  blockHash: zero,
  transactionHash: zero,
  transactionIndex: '0x0',
  logIndex: '0x0',
  removed: false,
})

test('entries of batches that were taken back are asked about some at a time, and told in their order', async () => {
  let open = 0
  let most = 0
  let asked = 0
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    if (method === 'eth_getLogs') {
      const [{ address: of }] = params as [{ address: Hex }]
      return of === deployment.contributionBatches
        ? Array.from({ length: count }, (_, index) => withdrawn(index))
        : []
    }
    const [{ data }] = params as [{ data: Hex }]
    const { args } = decodeFunctionData({ abi: contributionBatchesAbi, data })
    open += 1
    asked += 1
    most = Math.max(most, open)
    const index = Number(args?.[1])
    // The first answers come last.
    await new Promise((resolve) => setTimeout(resolve, (count - index) % 7))
    open -= 1
    return encodeFunctionResult({
      abi: contributionBatchesAbi,
      functionName: 'isPaid',
      result: index % 2 === 0,
    })
  }
  const client = createClient({ transport: custom({ request }, { retryCount: 0 }) })
  const found = await readWithdrawals(client, deployment, 0n, 1_000n)
  expect(found).toEqual(
    Array.from({ length: count }, (_, index) => ({
      id: batchedContributionId(3n, index),
      blockNumber: BigInt(100 + index),
      ...(index % 2 === 0 ? {} : { unpaid: true }),
    })),
  )
  expect(asked).toBe(count)
  expect(most).toBe(25)
})
