import type { Address, Client } from 'viem'
import { ContractsError } from '../errors.js'
import { dataLiquidityPoolAbi, dlpRegistryAbi } from './abi.js'
import { view } from './contract-call.js'

/** A data pool as its own contract tells it. */
export interface VanaPool {
  readonly name: string
  readonly dlpId: bigint
  readonly dataRegistry: Address
  readonly teePool: Address
  readonly token: Address
  /** To which contributors wrap their files' keys. */
  readonly publicKey: string
  readonly proofInstruction: string
  /** Tokens (smallest unit) for a score of 1e18. */
  readonly fileRewardFactor: bigint
}

/** A data pool as the registry lists it. */
export interface RegisteredPool {
  readonly dlpId: bigint
  readonly address: Address
  readonly owner: Address
  readonly token: Address
  readonly treasury: Address
  readonly name: string
  readonly status: 'Registered' | 'Eligible' | 'Deregistered'
  readonly verified: boolean
}

const statuses = ['None', 'Registered', 'Eligible', 'Deregistered'] as const

/**
 * Reads a pool's own contract.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `pool`, its contract's address
 * @returns what the contract says of itself at the newest block
 */
export async function getVanaPool(client: Client, args: { readonly pool: Address }): Promise<VanaPool> {
  const pool = { address: args.pool, abi: dataLiquidityPoolAbi, args: [] } as const
  const [name, dlpId, dataRegistry, teePool, token, publicKey, proofInstruction, fileRewardFactor] =
    await Promise.all([
      view(client, { ...pool, functionName: 'name' }),
      view(client, { ...pool, functionName: 'dlpId' }),
      view(client, { ...pool, functionName: 'dataRegistry' }),
      view(client, { ...pool, functionName: 'teePool' }),
      view(client, { ...pool, functionName: 'token' }),
      view(client, { ...pool, functionName: 'publicKey' }),
      view(client, { ...pool, functionName: 'proofInstruction' }),
      view(client, { ...pool, functionName: 'fileRewardFactor' }),
    ])
  return { name, dlpId, dataRegistry, teePool, token, publicKey, proofInstruction, fileRewardFactor }
}

/**
 * Reads a pool's entry in the registry.
 *
 * @param client - a viem client on Vana's chain
 * @param args - `dlpRegistry`, the registry's address; `dlpId`, the pool's identifier in it
 * @returns the entry; `address` is the pool's own contract
 * @throws {ContractsError} `NOT_FOUND` when there is none.
 */
export async function getRegisteredPool(
  client: Client,
  args: { readonly dlpRegistry: Address; readonly dlpId: bigint },
): Promise<RegisteredPool> {
  const entry = await view(client, {
    address: args.dlpRegistry,
    abi: dlpRegistryAbi,
    functionName: 'dlps',
    args: [args.dlpId],
  })
  const status = statuses[entry.status]
  if (status === undefined || status === 'None') {
    throw new ContractsError('NOT_FOUND', 'vana.getRegisteredPool', `there is no pool ${args.dlpId}`)
  }
  return {
    dlpId: entry.id,
    address: entry.dlpAddress,
    owner: entry.ownerAddress,
    token: entry.tokenAddress,
    treasury: entry.treasuryAddress,
    name: entry.name,
    status,
    verified: entry.isVerified,
  }
}
