import { dataRegistryAbi, jobBoardAbi, nodeRegistryAbi, poolAbi, poolFactoryAbi } from '@sealpool/contracts'
import type { Address, Hex } from '@sealpool/crypto'
import {
  type Client,
  createClient,
  custom,
  decodeFunctionData,
  encodeAbiParameters,
  encodeEventTopics,
  encodeFunctionResult,
  isAddressEqual,
  zeroAddress,
} from 'viem'
import type { ChainFacts } from '../verify/chain-facts.js'
import { at, deployment, node, pool } from './simulated-pool.js'

/** What the chain of a test says; tests change it between calls. */
export interface MemoryChainState {
  chainId: number
  /** Null: no key epoch yet. */
  facts: ChainFacts | null
  /** Whether the factory founded the pool. */
  founded: boolean
  /** The end of job 7. */
  outcome:
    | 'none'
    | { kind: 'released'; receipt: Hex; result: Hex; budgetHeads?: readonly Hex[] }
    | { kind: 'refused'; receipt: Hex }
  reachable: boolean
  /** Another home, with a pool of its own. */
  home: { readonly node: Address; readonly keySetDigest: Hex; readonly pool: Address } | null
  /** Whether the homes are shown as above only at the job's block, and as others since. */
  homesChanged: boolean
  /** Its newest block; the end of job 7 is in block 1. */
  head: number
  /** Time of its blocks, unix seconds. */
  time: number
  /** What the endpoint says when it is asked for the state of another block than the newest; undefined: it tells it. */
  pruned: string | undefined
  /** Wei of every account. */
  balance: bigint
  /** Contract calls answered so far, by function. */
  calls: string[]
}

const zero: Hex = `0x${'00'.repeat(32)}`
const hex = (number: number): Hex => `0x${number.toString(16)}`

/** A viem client whose chain is an object: real ABI encoding, answers from `state`, nothing else. */
export function memoryChain(change: Partial<MemoryChainState> = {}): {
  client: Client
  state: MemoryChainState
} {
  const state: MemoryChainState = {
    chainId: deployment.chainId,
    facts: node.facts(),
    founded: true,
    outcome: 'none',
    reachable: true,
    home: null,
    homesChanged: false,
    head: 2,
    time: at.getTime() / 1000,
    pruned: undefined,
    balance: 10n ** 18n,
    calls: [],
    ...change,
  }
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    if (!state.reachable) throw new Error('no chain')
    if (method === 'eth_chainId') return `0x${state.chainId.toString(16)}`
    if (method === 'eth_blockNumber') return hex(state.head)
    if (method === 'eth_getBalance') return `0x${state.balance.toString(16)}`
    if (method === 'eth_getLogs') return logs(state)
    if (method === 'eth_getBlockByNumber') {
      const [asked] = params as [string]
      const number = asked.startsWith('0x') ? asked : hex(state.head)
      return { number, hash: zero, timestamp: hex(state.time), baseFeePerGas: hex(7), transactions: [] }
    }
    if (method !== 'eth_call') throw new Error(`the memory chain has no ${method}`)
    const [{ to, data }, block] = params as [{ to: Address; data: Hex }, string]
    const newest = block === 'latest' || block === hex(state.head)
    if (!newest && state.pruned !== undefined) throw new Error(state.pruned)
    const { home } = state
    const others = newest && state.homesChanged && home !== null
    const shown = others ? { ...state, home: { ...home, keySetDigest: zero } } : state
    return answer(shown, to, data)
  }
  return { client: createClient({ transport: custom({ request }, { retryCount: 0 }) }), state }
}

function answer(state: MemoryChainState, to: Address, data: Hex): Hex {
  const { facts } = state
  if (isAddressEqual(to, deployment.poolFactory)) {
    const { functionName, args } = decodeFunctionData({ abi: poolFactoryAbi, data })
    state.calls.push(functionName)
    const { home } = state
    // Where there is another home, its pool and the usual one are all that was founded.
    const here =
      home === null ||
      functionName !== 'indexOf' ||
      [pool, home.pool].some((one) => isAddressEqual(one, args[0]))
    return encodeFunctionResult({
      abi: poolFactoryAbi,
      functionName: 'indexOf',
      result: state.founded && here ? 1 : 0,
    })
  }
  if (isAddressEqual(to, deployment.nodeRegistry)) {
    const { functionName, args } = decodeFunctionData({ abi: nodeRegistryAbi, data })
    state.calls.push(functionName)
    if (functionName === 'measurementAllowed') {
      const result = args[0] === facts?.node.measurement
      return encodeFunctionResult({ abi: nodeRegistryAbi, functionName, result })
    }
    if (functionName === 'isActive') {
      return encodeFunctionResult({ abi: nodeRegistryAbi, functionName, result: facts?.node.active ?? false })
    }
    const isHome =
      state.home !== null && functionName === 'getNode' && isAddressEqual(args[0], state.home.node)
    const record = {
      keySetDigest: (isHome ? state.home?.keySetDigest : facts?.node.keySetDigest) ?? zero,
      quoteDigest: zero,
      measurement: facts?.node.measurement ?? zero,
      expiresAt: 2_000_000_000n,
      revoked: false,
      quotedBlock: 0n,
    }
    return encodeFunctionResult({ abi: nodeRegistryAbi, functionName: 'getNode', result: record })
  }
  if (isAddressEqual(to, deployment.dataRegistry)) {
    // No number is used: this chain takes no transactions.
    return encodeFunctionResult({ abi: dataRegistryAbi, functionName: 'nonceUsed', result: false })
  }
  const isOther = state.home !== null && isAddressEqual(to, state.home.pool)
  if (!isAddressEqual(to, pool) && !isOther) return '0x'
  const { functionName } = decodeFunctionData({ abi: poolAbi, data })
  state.calls.push(functionName)
  if (functionName === 'keyEpoch') {
    const none = { epoch: 0, policyDigest: zero, keyDigest: zero, node: zeroAddress }
    const by = isOther && state.home !== null ? { node: state.home.node } : {}
    const result = { ...(facts?.keyEpoch ?? none), ...by, attestationDigest: zero }
    return encodeFunctionResult({ abi: poolAbi, functionName, result })
  }
  const rules = {
    policyDigest: facts?.policyDigest ?? zero,
    pocDigest: zero,
    refinerDigest: zero,
    constitutionDigest: zero,
    measurement: facts?.measurement ?? zero,
    rewardPerFullScore: 1n,
    treasuryShareBps: 0,
    anyJobCode: true,
  }
  return encodeFunctionResult({ abi: poolAbi, functionName: 'rules', result: rules })
}

function logs({ outcome }: MemoryChainState): unknown[] {
  if (outcome === 'none') return []
  const place = {
    address: deployment.jobBoard,
    blockNumber: '0x1',
    blockHash: zero,
    transactionHash: zero,
    transactionIndex: '0x0',
    logIndex: '0x0',
    removed: false,
  }
  const by = node.keySet.statement.address
  if (outcome.kind === 'refused') {
    const topics = encodeEventTopics({
      abi: jobBoardAbi,
      eventName: 'JobRefused',
      args: { id: 7n, node: by },
    })
    const types = [{ type: 'bytes32' }, { type: 'bytes32' }] as const
    return [{ ...place, topics, data: encodeAbiParameters(types, [zero, outcome.receipt]) }]
  }
  const topics = encodeEventTopics({ abi: jobBoardAbi, eventName: 'JobReleased', args: { id: 7n, node: by } })
  const types = [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32[]' }] as const
  return [
    {
      ...place,
      topics,
      data: encodeAbiParameters(types, [outcome.receipt, outcome.result, outcome.budgetHeads ?? []]),
    },
  ]
}
