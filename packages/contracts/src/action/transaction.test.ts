import { createWalletClient, encodeErrorResult, type Hex, http, parseAbi } from 'viem'
import { describe, expect, test } from 'vitest'
import { errorSignatures, permitErrorSignatures } from '../abi/error-signatures.js'
import { errorsAbi } from '../abi/errors.js'
import { type Answers, chainThat, mining, receiptOf, transactionHash } from '../testing/scripted-chain.js'
import { advice } from './advice.js'
import { execute } from './governance.js'
import { permitAdvice } from './permit-advice.js'
import { logsOf, reading, send, type WriteOptions } from './transaction.js'

const ACCOUNT = '0x00000000000000000000000000000000000000bb'
const TO = '0x00000000000000000000000000000000000000aa'
const rpcError = (message: string, data?: Hex, code = 3) => Object.assign(new Error(message), { code, data })
const sent = (answers: Answers, options: WriteOptions = { account: ACCOUNT }) =>
  send(chainThat({ ...mining, ...answers }), 'Contract.act', { to: TO, data: '0x12345678' }, options)

describe('what a write says when the chain does not do as it should', () => {
  test('it is sent, and its receipt comes back', async () => {
    expect(await sent({})).toMatchObject({ hash: transactionHash, receipt: { status: 'success' } })
    expect(await sent({}, { account: ACCOUNT, gas: 60_000n })).toMatchObject({ hash: transactionHash })
  })

  test('what other contracts logged in a bundle of calls is left aside', async () => {
    const log = (address: string, logIndex: string) => ({ address, logIndex, topics: [], data: '0x' })
    const logs = [log(ACCOUNT, '0x0'), log(TO.toUpperCase().replace('0X', '0x'), '0x1'), log(TO, '0x2')]
    const done = await sent({ eth_getTransactionReceipt: { ...receiptOf('0x1'), logs } })
    expect(logsOf(done, TO).map(({ logIndex }) => logIndex)).toEqual([1, 2])
  })

  test('without an account nothing is sent', async () => {
    await expect(sent({}, {})).rejects.toMatchObject({ code: 'NO_ACCOUNT', place: 'Contract.act' })
  })

  test('every error is known by its signature, with the names of its arguments; those of permits apart', () => {
    const parsed = (lines: string) => parseAbi(lines.split('\n').map((signature) => `error ${signature}`))
    const chosen = (ofPermit: boolean) =>
      errorsAbi
        .filter(({ name }) => Object.hasOwn(permitAdvice, name) === ofPermit)
        .map((error) => ({ ...error, inputs: [...error.inputs] }))
    expect(parsed(errorSignatures)).toEqual(chosen(false))
    expect(parsed(permitErrorSignatures)).toEqual(chosen(true))
  })

  test('what a vote about permits was refused for comes through its execution, with advice', async () => {
    const proposal = {
      governor: TO,
      proposalId: 1n,
      calls: [],
      description: '',
      snapshot: 1n,
      deadline: 2n,
    } as const
    const executed = (data: Hex) =>
      execute(chainThat({ ...mining, eth_estimateGas: rpcError('execution reverted', data) }), {
        account: ACCOUNT,
        proposal,
      })
    const permit = encodeErrorResult({
      abi: errorsAbi,
      errorName: 'PermitIsRevoked',
      args: [transactionHash],
    })
    await expect(executed(permit)).rejects.toMatchObject({
      code: 'REVERTED',
      place: 'PoolGovernor.execute',
      revert: { name: 'PermitIsRevoked', args: [transactionHash] },
      message: `PoolGovernor.execute: PermitIsRevoked(${transactionHash}). ${permitAdvice['PermitIsRevoked']}`,
    })
    const other = encodeErrorResult({ abi: errorsAbi, errorName: 'JobUnknown', args: [9n] })
    await expect(executed(other)).rejects.toMatchObject({
      revert: { name: 'JobUnknown', args: [9n] },
      message: `PoolGovernor.execute: JobUnknown(9). ${advice['JobUnknown']}`,
    })
  })

  test('an error of a contract of ours has its name, its arguments and advice', async () => {
    const data = encodeErrorResult({ abi: errorsAbi, errorName: 'JobUnknown', args: [9n] })
    const failing = sent({ eth_estimateGas: rpcError('execution reverted', data) })
    await expect(failing).rejects.toMatchObject({
      code: 'REVERTED',
      revert: { name: 'JobUnknown', args: [9n] },
    })
    await expect(
      sent({ eth_call: rpcError('execution reverted', data) }, { account: ACCOUNT, gas: 1n }),
    ).rejects.toMatchObject({
      revert: { name: 'JobUnknown' },
    })
  })

  test('an error of no contract of ours is told by its selector, and one without data is unknown', async () => {
    await expect(
      sent({ eth_estimateGas: rpcError('execution reverted', '0xdeadbeef00') }),
    ).rejects.toMatchObject({ revert: { name: 'Unknown', args: ['0xdeadbeef'] } })
    await expect(sent({ eth_estimateGas: rpcError('execution reverted') })).rejects.toMatchObject({
      revert: { name: 'Unknown', args: [] },
    })
  })

  test('what passed the simulation and failed when mined is asked for its reason', async () => {
    const data = encodeErrorResult({ abi: errorsAbi, errorName: 'JobUnknown', args: [9n] })
    const failed = { eth_getTransactionReceipt: receiptOf('0x0') }
    await expect(sent({ ...failed, eth_call: rpcError('execution reverted', data) })).rejects.toMatchObject({
      code: 'REVERTED',
      revert: { name: 'JobUnknown' },
    })
    await expect(sent(failed)).rejects.toMatchObject({
      code: 'TRANSACTION_REJECTED',
      message: expect.stringContaining('failed when it was mined'),
    })
  })

  test('what one endpoint shows in a block, and another has no receipt of, may have been mined', async () => {
    const transaction = {
      hash: transactionHash,
      from: ACCOUNT,
      to: TO,
      nonce: '0x0',
      input: '0x12345678',
      value: '0x0',
      gas: '0x1',
      blockNumber: '0x7',
      blockHash: transactionHash,
      transactionIndex: '0x0',
    }
    const split = {
      eth_getTransactionReceipt: null,
      eth_getTransactionByHash: transaction,
      eth_getBlockByNumber: { number: '0x7', hash: transactionHash, transactions: [transaction] },
    }
    await expect(sent(split, { account: ACCOUNT, timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'TRANSACTION_TIMEOUT',
      message: expect.stringContaining('may still be mined') as string,
    })
  })

  test('a receipt that does not come in time is not waited for', async () => {
    const never = { eth_getTransactionReceipt: null, eth_getTransactionByHash: null }
    await expect(sent(never, { account: ACCOUNT, timeoutMs: 20 })).rejects.toMatchObject({
      code: 'TRANSACTION_TIMEOUT',
    })
  })

  test('a receipt that the chain cannot give is an error, not a wait', async () => {
    await expect(
      sent({ eth_getTransactionReceipt: rpcError('database closed', undefined, -32_000) }),
    ).rejects.toMatchObject({ code: 'TRANSACTION_REJECTED' })
  })

  test('an account that cannot pay, a refused transaction and a silent chain are told apart', async () => {
    await expect(
      sent({
        eth_estimateGas: rpcError('insufficient funds for gas * price + value', undefined, -32_000),
      }),
    ).rejects.toMatchObject({ code: 'TRANSACTION_REJECTED', message: expect.stringContaining('cannot pay') })
    await expect(
      sent({ eth_sendTransaction: rpcError('nonce gap', undefined, -32_000) }),
    ).rejects.toMatchObject({ code: 'TRANSACTION_REJECTED' })
    const nobody = createWalletClient({
      account: ACCOUNT,
      transport: http('http://127.0.0.1:9', { retryCount: 0 }),
    })
    await expect(send(nobody, 'Contract.act', { to: TO, data: '0x' }, {})).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
    })
  })

  test('an error from outside the client keeps its cause and shows nothing of it', async () => {
    const cause = new TypeError('secret detail')
    const failing = reading('Contract.read', () => Promise.reject(cause))
    await expect(failing).rejects.toMatchObject({ code: 'CHAIN_UNREACHABLE', place: 'Contract.read', cause })
    await expect(failing).rejects.not.toMatchObject({ message: expect.stringContaining('secret') })
  })
})
