/**
 * The chain through the contracts' actions.
 * @module
 */
import {
  anchorsAbi,
  type Deployment,
  isNodeActive,
  jobBoardAbi,
  jobStates,
  nodeRegistryAbi,
  readAccess,
} from '@sealpool/contracts'
import { type Address, type Hex, hexToDigest } from '@sealpool/crypto'
import {
  BlockNotFoundError,
  type Client,
  ContractFunctionExecutionError,
  ContractFunctionZeroDataError,
  createPublicClient,
  createWalletClient,
  HttpRequestError,
  http,
  TimeoutError,
  zeroAddress,
  zeroHash,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock, getChainId, getCode, readContract } from 'viem/actions'
import { NodeError } from '../errors.js'
import { readContributions, readJobEvents, readWithdrawals } from './chain-events.js'
import type { ChainPort } from './chain-port.js'
import { chainSource } from './chain-source.js'
import { contributionWrites } from './contribution-writes.js'
import { findWrite } from './find-write.js'
import { jobWrites } from './job-writes.js'
import { readPool } from './read-pool.js'
import { chainWriter } from './send-once.js'

/** How to reach the chain. */
export interface ContractsChainOptions {
  readonly rpcUrl: string
  /** A second endpoint, run by somebody else; null: the first is believed. */
  readonly crossCheckRpcUrl: string | null
  readonly deployment: Deployment
  /** The contract that anchors budget heads; null: nothing is anchored. */
  readonly anchors: Address | null
  /** Oldest head that is believed, in seconds; null: any. */
  readonly maximumAgeSeconds: number | null
  readonly maximumLagBlocks: number
  /** Milliseconds that one call of an endpoint may take. */
  readonly timeoutMs: number
  /** Unix seconds: only to tell a head that is too old. */
  readonly now: () => number
  readonly confirmations: number
  readonly pollMs: number
  /** Key of the account that pays for transactions. */
  readonly transactionKey: Hex
}

/**
 * Opens the chain.
 * @throws NodeError `CHAIN_MISMATCH` when the endpoint is of another chain, `CHAIN_CALL_FAILED` when it does not answer
 */
export async function openContractsChain(options: ContractsChainOptions): Promise<ChainPort> {
  const { deployment, anchors } = options
  const transport = (url: string) =>
    http(url, { timeout: options.timeoutMs, retryCount: 2, fetchFn: fetchWhole(options.timeoutMs) })
  const client = createWalletClient({
    account: privateKeyToAccount(options.transactionKey),
    transport: transport(options.rpcUrl),
    pollingInterval: Math.min(options.pollMs, 1_000),
  })
  const second =
    options.crossCheckRpcUrl === null
      ? null
      : createPublicClient({ transport: transport(options.crossCheckRpcUrl) })
  await requireChain(client, 'chain.rpcUrl', deployment.chainId)
  if (second !== null) await requireChain(second, 'chain.crossCheckRpcUrl', deployment.chainId)
  const source = chainSource({
    client,
    second,
    chainId: deployment.chainId,
    confirmations: options.confirmations,
    maximumAgeSeconds: options.maximumAgeSeconds,
    maximumLagBlocks: options.maximumLagBlocks,
    now: options.now,
  })

  const readJob = (id: string) =>
    source.confirmed(async (one, blockNumber) => {
      const job = await readContract(one, {
        address: deployment.jobBoard,
        abi: jobBoardAbi,
        functionName: 'getJob',
        args: [BigInt(id)],
        blockNumber,
      })
      const state = jobStates[job.state]
      if (state === undefined || state === 'None') {
        throw new NodeError(
          'CHAIN_CALL_FAILED',
          `job ${id}`,
          'the endpoint does not know a job whose proposal it has shown; wait until it is itself again',
        )
      }
      return { ...job, state }
    })

  const writer = chainWriter({ client, deployment, anchors })
  return {
    ...contributionWrites(writer),
    ...jobWrites(writer),
    chainId: deployment.chainId,
    registry: deployment.nodeRegistry,
    anchors: anchors !== null,
    head: () => source.head(),
    blockHash: (number) =>
      source.same(async (one) => {
        try {
          return (await getBlock(one, { blockNumber: number })).hash
        } catch (error) {
          if (error instanceof BlockNotFoundError) return undefined
          throw error
        }
      }),
    blockTime: (hash) =>
      source.same(async (one) => {
        try {
          return Number((await getBlock(one, { blockHash: hash })).timestamp)
        } catch (error) {
          if (!(error instanceof BlockNotFoundError)) throw error
          throw new NodeError(
            'CHAIN_CALL_FAILED',
            `block ${hash}`,
            'the endpoint does not have a block that it has shown; wait until the chain was read again',
          )
        }
      }),
    contributions: (from, to) => source.same((one) => readContributions(one, deployment, from, to)),
    withdrawals: (from, to) => source.same((one) => readWithdrawals(one, deployment, from, to)),
    jobEvents: (from, to) => source.same((one) => readJobEvents(one, deployment, from, to)),
    async jobState(id) {
      const { state, suspensions, node, class: kind } = await readJob(id)
      return {
        state,
        suspended: suspensions > 0,
        node: node === zeroAddress ? null : lower(node),
        drawn: kind !== 0,
      }
    },
    async jobTerms(id) {
      const { manifestDigest, consumer, pools, deadline } = await readJob(id)
      return {
        manifestDigest: hexToDigest(manifestDigest),
        consumer: lower(consumer),
        pools: pools.map(lower),
        deadline: Number(deadline),
      }
    },
    async jobDeclaration(id) {
      const { codeDigest, scopeDigest } = await source.confirmed((one, blockNumber) =>
        readContract(one, {
          address: deployment.jobBoard,
          abi: jobBoardAbi,
          functionName: 'declarationOf',
          args: [BigInt(id)],
          blockNumber,
        }),
      )
      const declared = (word: Hex) => (word === zeroHash ? null : hexToDigest(word))
      return { code: declared(codeDigest), scope: declared(scopeDigest) }
    },
    pool: (address) =>
      source.newest((one, blockNumber) => readPool(one, { address, deployment, blockNumber })),
    stands: (write, block) =>
      block === null
        ? source.newest((one, newest) => findWrite(one, deployment, write, newest))
        : source.same((one) => findWrite(one, deployment, write, block)),
    isNodeActive: (statementKey) => source.newest((one) => isNodeActive(one, { deployment, statementKey })),
    node: (statementKey) =>
      source.newest(async (one, blockNumber) => {
        const registry = { address: deployment.nodeRegistry, abi: nodeRegistryAbi, blockNumber } as const
        const [record, active] = await Promise.all([
          readContract(one, { ...registry, functionName: 'getNode', args: [statementKey] }),
          readContract(one, { ...registry, functionName: 'isActive', args: [statementKey] }),
        ])
        if (record.expiresAt === 0n) return null
        const { keySetDigest, measurement } = record
        return { keySetDigest: hexToDigest(keySetDigest), measurement, active }
      }),
    async measurementAllowed(measurement) {
      const read = (one: Client, blockNumber: bigint): Promise<boolean> =>
        readContract(one, {
          address: deployment.nodeRegistry,
          abi: nodeRegistryAbi,
          functionName: 'measurementAllowed',
          args: [measurement],
          blockNumber,
        })
      return (await source.newest(read)) && (await source.confirmed(read))
    },
    isContractSignature: (wallet, hash, signature) =>
      source.confirmed(async (one, blockNumber) => {
        try {
          return (
            (await readContract(one, {
              address: wallet,
              abi: contractSignatureAbi,
              functionName: 'isValidSignature',
              args: [hash, signature],
              blockNumber,
            })) === contractSignatureMagic
          )
        } catch (error) {
          // It reverts, answers nothing or nonsense: not a yes. An endpoint that does not answer is another matter.
          if (error instanceof ContractFunctionExecutionError && !isUnreachable(error)) return false
          throw error
        }
      }),
    access: ({ conditions, wallet, code }) =>
      source.confirmed((one, blockNumber) =>
        Promise.all(conditions.map((condition) => readAccess(one, { condition, wallet, code, blockNumber }))),
      ),
    anchoredHead: async (pool) => {
      if (anchors === null) return null
      const read = (one: Client, blockNumber: bigint) =>
        readContract(one, {
          address: anchors,
          abi: anchorsAbi,
          functionName: 'budgetOf',
          args: [pool],
          blockNumber,
        })
      const { sequence, value } = await source.confirmed(async (one, blockNumber) => {
        try {
          return await read(one, blockNumber)
        } catch (error) {
          // Deployed after the block that is believed: nothing was anchored by then.
          const absent =
            error instanceof ContractFunctionExecutionError &&
            error.cause instanceof ContractFunctionZeroDataError
          if (absent && (await getCode(one, { address: anchors })) !== undefined) return nothingAnchored
          throw error
        }
      })
      return sequence === 0n ? null : { sequence: Number(sequence), head: hexToDigest(value) }
    },
  }
}

/**
 * Fetches an answer whole within the time: an endpoint that sends half of it and stops would else hold up the node for ever,
 * since the client's own limit ends with the first byte.
 */
function fetchWhole(timeoutMs: number): typeof fetch {
  return async (input, init) => {
    const limit = AbortSignal.timeout(timeoutMs)
    const signal = init?.signal ? AbortSignal.any([init.signal, limit]) : limit
    const response = await fetch(input, { ...init, signal })
    const { status, statusText, headers } = response
    return new Response(await response.arrayBuffer(), { status, statusText, headers })
  }
}

/** ERC-1271. */
const contractSignatureAbi = [
  {
    type: 'function',
    name: 'isValidSignature',
    stateMutability: 'view',
    inputs: [
      { name: 'hash', type: 'bytes32' },
      { name: 'signature', type: 'bytes' },
    ],
    outputs: [{ name: 'magicValue', type: 'bytes4' }],
  },
] as const
const contractSignatureMagic = '0x1626ba7e'

/** Whether the endpoint itself failed, and not the contract. */
function isUnreachable(error: ContractFunctionExecutionError): boolean {
  return error.walk((cause) => cause instanceof HttpRequestError || cause instanceof TimeoutError) !== null
}

/** What the contract answers before the first anchor. */
const nothingAnchored = { sequence: 0n, anchoredAt: 0n, value: zeroHash as Hex }

async function requireChain(client: Client, place: string, chainId: number): Promise<void> {
  const found = await getChainId(client).catch((cause: unknown) => {
    throw new NodeError('CHAIN_CALL_FAILED', place, 'the endpoint does not answer; check the address', {
      cause,
    })
  })
  if (found === chainId) return
  throw new NodeError('CHAIN_MISMATCH', place, `the endpoint is of chain ${found}, not ${chainId}`)
}

function lower(address: Address): Address {
  return address.toLowerCase() as Address
}
