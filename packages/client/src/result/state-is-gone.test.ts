import {
  BaseError,
  ContractFunctionExecutionError,
  ContractFunctionRevertedError,
  HttpRequestError,
  InvalidInputRpcError,
  RpcRequestError,
  TimeoutError,
  UnknownRpcError,
} from 'viem'
import { describe, expect, test } from 'vitest'
import { isStateGone } from './state-is-gone.js'

/** As viem gives what an endpoint answered. */
const answered = (message: string, url = 'https://rpc.example') =>
  new InvalidInputRpcError(
    new RpcRequestError({ body: { method: 'eth_call' }, error: { code: -32_000, message }, url }),
  )
const reverted = (message: string) =>
  new ContractFunctionExecutionError(
    new ContractFunctionRevertedError({ abi: [], functionName: 'getNode', message }),
    { abi: [], functionName: 'getNode' },
  )

describe('what an endpoint says', () => {
  test.each([
    'missing trie node 8b1604e0d19d (path ) state 0x8b16 is not available, not found',
    'header not found',
    'header for hash not found',
    'historical state 0x1f is not available',
    'required historical state unavailable (reexec=128)',
    'old data not available due to pruning: requested block 6134861',
    'No state available for block 0x5 (0xab)',
    'World state unavailable',
    'state at block #17 is pruned',
    'pruned history unavailable',
    'unknown block',
    'block not found',
    'project ID does not have access to archive state',
  ])('of a state that it does not keep is known: %s', (message) => {
    expect(isStateGone(answered(message))).toBe(true)
    expect(isStateGone(new UnknownRpcError(new Error(message)))).toBe(true)
    expect(isStateGone(new HttpRequestError({ details: message, url: 'https://x', status: 400 }))).toBe(true)
  })

  test.each([
    'execution reverted: missing trie node',
    'daily request count exceeded, request rate limited',
    'the method eth_call is not available',
    'internal error',
    'nonce too low',
    'resource not found',
    '',
  ])('of anything else is not taken for that: %j', (message) => {
    expect(isStateGone(answered(message))).toBe(false)
  })

  test('counts, and not the address that was asked, nor a contract’s own words, nor what is no answer', () => {
    expect(isStateGone(answered('too many requests', 'https://archive.example'))).toBe(false)
    expect(isStateGone(reverted('missing trie node'))).toBe(false)
    expect(isStateGone(new TimeoutError({ body: {}, url: 'https://archive.example' }))).toBe(false)
    expect(isStateGone(new Error('missing trie node'))).toBe(false)
    expect(isStateGone(new BaseError('missing trie node'))).toBe(false)
    expect(isStateGone(answered(`${' '.repeat(2_000)}missing trie node`))).toBe(false)
    for (const error of [undefined, null, 'missing trie node', {}]) expect(isStateGone(error)).toBe(false)
  })
})
