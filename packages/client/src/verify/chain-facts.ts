import type { Deployment } from '@sealpool/contracts'
import type { Address, Hex } from '@sealpool/crypto'
import { type Client, isAddressEqual, zeroAddress } from 'viem'
import { getChainId, readContract } from 'viem/actions'
import { ClientError } from '../errors.js'
import { factoryQuestionAbi, nodeQuestionsAbi, poolQuestionsAbi } from './cut-abis.js'

/** What the chain says about the pool and the node; read it from a source that you trust. */
export interface ChainFacts {
  readonly policyDigest: Hex
  /** What the pool demands its nodes to run; zero: whatever the registry allows. */
  readonly measurement: Hex
  readonly keyEpoch: {
    readonly epoch: number
    readonly policyDigest: Hex
    readonly keyDigest: Hex
    readonly node: Address
  }
  /** The node registry's record of the epoch's node. */
  readonly node: { readonly active: boolean; readonly keySetDigest: Hex; readonly measurement: Hex }
}

/**
 * Reads what the chain says about a pool and the node of its key epoch. The chain's id is asked every time: a browser
 * wallet may be switched to another chain between two calls.
 *
 * @param chain - a viem client; whoever answers its requests is trusted
 * @param options - which pool, of whose contracts
 * @param options.deployment the contracts that the app trusts
 * @param options.pool the pool's contract
 * @returns the facts at the newest block
 * @throws ClientError `WRONG_CHAIN`, `POOL_UNKNOWN`, `POOL_NOT_SERVED` (no key yet), `CHAIN_READ_FAILED`
 */
export async function readChainFacts(
  chain: Client,
  options: { readonly deployment: Deployment; readonly pool: Address },
): Promise<ChainFacts> {
  const { deployment, pool } = options
  try {
    // Both count: what the client was made for decides what it signs, what answers decides what it reads.
    for (const chainId of [chain.chain?.id ?? deployment.chainId, await getChainId(chain)]) {
      if (chainId === deployment.chainId) continue
      throw new ClientError(
        'WRONG_CHAIN',
        'chain',
        `the client is on chain ${chainId}, the deployment on ${deployment.chainId}; switch the wallet or the RPC address`,
      )
    }
    const contract = { address: pool, abi: poolQuestionsAbi } as const
    // Any contract can answer like a pool, or have a viem client fetch what it refers to (ERC-3668): only the factory knows which ones are
    // pools, and no other is called.
    const index = await readContract(chain, {
      address: deployment.poolFactory,
      abi: factoryQuestionAbi,
      functionName: 'indexOf',
      args: [pool],
    })
    if (index === 0) {
      throw new ClientError('POOL_UNKNOWN', 'pool', 'the factory of this deployment did not found this pool')
    }
    const [rules, key] = await Promise.all([
      readContract(chain, { ...contract, functionName: 'rules' }),
      readContract(chain, { ...contract, functionName: 'keyEpoch' }),
    ])
    if (isAddressEqual(key.node, zeroAddress)) {
      throw new ClientError(
        'POOL_NOT_SERVED',
        'pool key',
        'no node has published a key for this pool yet; try later',
      )
    }
    const registry = { address: deployment.nodeRegistry, abi: nodeQuestionsAbi, args: [key.node] } as const
    // A key that never registered has an empty record and is not active.
    const [{ keySetDigest, measurement }, active] = await Promise.all([
      readContract(chain, { ...registry, functionName: 'getNode' }),
      readContract(chain, { ...registry, functionName: 'isActive' }),
    ])
    const { epoch, policyDigest, keyDigest, node } = key
    return {
      policyDigest: rules.policyDigest,
      measurement: rules.measurement,
      keyEpoch: { epoch, policyDigest, keyDigest, node },
      node: { active, keySetDigest, measurement },
    }
  } catch (cause) {
    if (cause instanceof ClientError) throw cause
    throw new ClientError(
      'CHAIN_READ_FAILED',
      'chain',
      'the chain does not answer, or its contracts are others; check RPC address, deployment and pool',
      { cause },
    )
  }
}
