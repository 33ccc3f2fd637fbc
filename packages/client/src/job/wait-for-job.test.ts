import { jobBoardAbi, jobStates } from '@sealpool/contracts'
import { createClient, custom, encodeFunctionResult, HttpRequestError, zeroAddress } from 'viem'
import { expect, test } from 'vitest'
import { deployment } from '../testing/simulated-pool.js'
import { type JobContext, jobCalls } from './job-calls.js'

/** A chain on which the job has ended in its newest block, and what its endpoint says when it is asked for an older block's state. */
function endedJob(older: () => Error | 'the same') {
  const asked: string[] = []
  let waits = 0
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    if (method === 'eth_chainId') return `0x${deployment.chainId.toString(16)}`
    if (method === 'eth_getBlockByNumber')
      return { number: '0x64', hash: `0x${'00'.repeat(32)}`, timestamp: '0x1', transactions: [] }
    const [, block] = params as [unknown, string]
    asked.push(block)
    if (block !== 'latest') {
      const said = older()
      if (said !== 'the same') throw said
    }
    return encodeFunctionResult({
      abi: jobBoardAbi,
      functionName: 'getJob',
      result: {
        consumer: zeroAddress,
        deadline: 0n,
        state: jobStates.indexOf('Released'),
        approvals: 0,
        suspensions: 0,
        node: zeroAddress,
        manifestDigest: `0x${'00'.repeat(32)}`,
        priceCeiling: 0n,
        pools: [],
        class: 0,
        attempts: 0,
        seenAt: 0n,
      },
    })
  }
  const context = {
    chain: createClient({ transport: custom({ request }, { retryCount: 0 }) }),
    deployment,
    finality: { confirmations: 10 },
    now: () => new Date(0),
    wait: async () => {
      waits += 1
      if (waits > 50) throw new Error('it waits for good')
    },
  } as unknown as JobContext
  return { asked, wait: () => jobCalls(context).waitForJob(7n) }
}

const pruned = () => new Error('missing trie node 8b16 (path ) state 0x8b16 is not available')
/** As endpoints behind a gateway say it. */
const forbidden = () =>
  new HttpRequestError({
    url: 'https://rpc.example',
    status: 403,
    details: '{"error":"project ID does not have access to archive state"}',
  })

test.each([
  ['as a node does', pruned],
  ['as a gateway does', forbidden],
])(
  'ends with an error where the endpoint keeps no state as old as asked for, and says so %s',
  async (_, older) => {
    const { asked, wait } = endedJob(older)
    await expect(wait()).rejects.toMatchObject({
      name: 'ClientError',
      code: 'CHAIN_READ_FAILED',
      place: 'job 7',
      message: expect.stringContaining('finality') as string,
    })
    expect(asked.filter((block) => block === '0x5a').length).toBe(5)
  },
)

test('waits on where one of several endpoints behind an address lags, or the chain is away', async () => {
  let looks = 0
  const away = () => new HttpRequestError({ url: 'https://rpc.example', status: 503, details: 'busy' })
  const { wait } = endedJob(() => {
    looks += 1
    if (looks > 12) return 'the same'
    // Never five in a row.
    return looks % 5 === 0 ? away() : pruned()
  })
  expect(await wait()).toMatchObject({ state: 'Released' })
})
