import { errorsAbi, jobBoardAbi, jobStates } from '@sealpool/contracts'
import {
  createWalletClient,
  custom,
  decodeFunctionData,
  encodeAbiParameters,
  encodeErrorResult,
  encodeFunctionResult,
  type Hex,
  keccak256,
  parseTransaction,
  type TransactionSerialized,
  zeroAddress,
  zeroHash,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { nodeSigner, subjectOf } from '../key/node-signer.js'
import { keys } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import type { JobRelease } from './chain-port.js'
import { jobWrites } from './job-writes.js'
import { chainWriter } from './send-once.js'

const board = '0x00000000000000000000000000000000000000b0'
const node = '0x00000000000000000000000000000000000000a1'

/** Writes to a chain that refuses every call with one answer. */
function refusedWith(data: Hex) {
  const client = createWalletClient({
    account: privateKeyToAccount(`0x${'11'.repeat(32)}`),
    transport: custom(
      {
        request: async ({ method }: { readonly method: string }) => {
          if (method === 'eth_chainId') return '0x7a69'
          throw Object.assign(new Error('execution reverted'), { code: 3, data })
        },
      },
      { retryCount: 0 },
    ),
  })
  const deployment = { chainId: 31337, jobBoard: board } as never
  return jobWrites(chainWriter({ client: client as never, deployment, anchors: null }))
}

describe('what anybody may send about a job', () => {
  it('is not there yet while a pool turns the drawn node away', async () => {
    const data = encodeErrorResult({
      abi: errorsAbi,
      errorName: 'NodeNotAccepted',
      args: [node, zeroHash, zeroHash],
    })
    await expect(refusedWith(data).requeueJob('1')).resolves.toBe(false)
  })

  it('is not there yet while no candidate of a kept lot can run the job', async () => {
    const data = encodeErrorResult({ abi: errorsAbi, errorName: 'NodeNotActive', args: [1n, node] })
    await expect(refusedWith(data).assignJob('1')).resolves.toBe(false)
  })

  it('fails by an answer that says nothing of time', async () => {
    const data = encodeErrorResult({ abi: errorsAbi, errorName: 'JobUnknown', args: [1n] })
    await expect(refusedWith(data).requeueJob('1')).rejects.toMatchObject({ revert: { name: 'JobUnknown' } })
    await expect(refusedWith(data).assignJob('1')).rejects.toMatchObject({ revert: { name: 'JobUnknown' } })
  })
})

describe('the release of an answer', () => {
  const sign = nodeSigner({ statementKey: keys.statementKey, chainId: 31_337, registry: addressOfDigit('f') })
  const release: JobRelease = {
    kind: 'release',
    job: '1',
    receiptDigest: digestOfDigit('1'),
    resultDigest: digestOfDigit('2'),
    budgetHeads: [digestOfDigit('3')],
    statement: sign({
      type: 'sealpool/release',
      body: {},
      pool: addressOfDigit('a'),
      subject: subjectOf(1),
      nonce: '0',
    }),
  }

  /**
   * A chain on which a job runs until a release is mined.
   * @param refuses what the chain says of a call, undefined where it takes it
   */
  function chainThat(refuses: (name: string) => Error | undefined) {
    const asked: string[] = []
    const sent: string[] = []
    let state: (typeof jobStates)[number] = 'Running'
    const nameOf = (data: Hex) => decodeFunctionData({ abi: jobBoardAbi, data }).functionName
    const job = () => ({
      consumer: zeroAddress,
      deadline: 0n,
      state: jobStates.indexOf(state),
      approvals: 0,
      suspensions: 0,
      node: zeroAddress,
      manifestDigest: zeroHash,
      priceCeiling: 0n,
      pools: [],
      class: 0,
      attempts: 0,
      seenAt: 0n,
    })
    const answers: Record<string, (...parameters: never[]) => unknown> = {
      eth_chainId: () => '0x7a69',
      eth_getTransactionCount: () => '0x0',
      eth_gasPrice: () => '0x1',
      eth_maxPriorityFeePerGas: () => '0x1',
      eth_getBlockByNumber: () => ({
        number: '0x1',
        baseFeePerGas: '0x1',
        timestamp: '0x1',
        transactions: [],
      }),
      eth_call: () => encodeFunctionResult({ abi: jobBoardAbi, functionName: 'getJob', result: job() }),
      eth_estimateGas: ({ data }: { readonly data: Hex }) => {
        asked.push(nameOf(data))
        const refusal = refuses(nameOf(data))
        if (refusal !== undefined) throw refusal
        return '0x5208'
      },
      eth_sendRawTransaction: (raw: TransactionSerialized) => {
        const name = nameOf(parseTransaction(raw).data ?? '0x')
        sent.push(name)
        state = name === 'release' ? 'Released' : 'Settled'
        return keccak256(raw)
      },
      eth_getTransactionReceipt: (hash: Hex) => ({
        transactionHash: hash,
        blockNumber: '0x2',
        status: '0x1',
        logs: [],
      }),
    }
    const client = createWalletClient({
      account: privateKeyToAccount(`0x${'11'.repeat(32)}`),
      transport: custom(
        {
          request: async ({
            method,
            params = [],
          }: {
            readonly method: string
            readonly params?: never[]
          }) => {
            const answer = answers[method]
            if (answer === undefined) throw new Error(`nobody asks a chain for ${method} here`)
            return answer(...params)
          },
        },
        { retryCount: 0 },
      ),
    })
    const deployment = { chainId: 31337, jobBoard: board } as never
    const writes = jobWrites(chainWriter({ client: client as never, deployment, anchors: null }))
    return { writes, asked, sent }
  }
  const revert = (data: Hex) => Object.assign(new Error('execution reverted'), { code: 3, data })
  const said = revert(encodeErrorResult({ abi: errorsAbi, errorName: 'JobUnknown', args: [1n] }))
  const otherwise = Object.assign(new Error('VM Exception'), { code: -32_603, data: said.data })

  it('settles the job in the same transaction, after which there is nothing to settle', async () => {
    const { writes, sent } = chainThat(() => undefined)
    expect(await writes.releaseJob(release)).toMatchObject({ block: 2n })
    expect(sent).toEqual(['releaseAndSettle'])
    expect(await writes.settleJob('1')).toBeNull()
    expect(await writes.releaseJob(release)).toBeNull()
    expect(sent).toEqual(['releaseAndSettle'])
  })

  it.each([
    ['in words of its own', revert(encodeAbiParameters([{ type: 'string' }], ['no']))],
    ['without a word', revert('0x')],
    ['and the endpoint says no more than that', Object.assign(new Error('execution reverted'), { code: 3 })],
    ['in our words', said],
    ['in our words, of an endpoint that has a code of its own for it,', otherwise],
  ])(
    'goes out alone when a pool refuses its part %s, and is settled when that pool takes it',
    async (_, refusal) => {
      let isRefused = true
      const { writes, asked, sent } = chainThat((name) =>
        isRefused && name !== 'release' ? refusal : undefined,
      )
      expect(await writes.releaseJob(release)).toMatchObject({ block: 2n })
      expect([asked, sent]).toEqual([['releaseAndSettle', 'release'], ['release']])
      await expect(writes.settleJob('1')).rejects.toMatchObject({ name: 'ContractsError' })
      isRefused = false
      expect(await writes.settleJob('1')).toMatchObject({ block: 2n })
      expect(sent).toEqual(['release', 'settle'])
    },
  )

  it.each([
    ['is away', Object.assign(new Error('away'), { name: 'TimeoutError' })],
    ['has it already', Object.assign(new Error('already known'), { code: -32_000 })],
  ])('is not sent alone when the chain %s: both may still be mined', async (_, failure) => {
    const { writes, asked } = chainThat(() => failure)
    await expect(writes.releaseJob(release)).rejects.toMatchObject({ name: 'ContractsError' })
    expect(asked.length).toBeGreaterThan(0)
    expect(new Set(asked)).toEqual(new Set(['releaseAndSettle']))
  })

  it('fails by what the chain says of the release', async () => {
    const { writes, asked } = chainThat(() => said)
    await expect(writes.releaseJob(release)).rejects.toMatchObject({ revert: { name: 'JobUnknown' } })
    expect(asked).toEqual(['releaseAndSettle', 'release'])
  })
})
