import { errorsAbi } from '@sealpool/contracts'
import { createWalletClient, custom, encodeErrorResult, type Hex, zeroHash } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
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
