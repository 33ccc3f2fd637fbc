/**
 * What an incident needs of the chain, read and written with the operator's own account, whether or not a node runs.
 * @module
 */
import { type Deployment, nodeRegistryAbi, poolAbi } from '@sealpool/contracts'
import type { Address, Hex } from '@sealpool/crypto'
import { createWalletClient, encodeFunctionData, http, zeroAddress } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlock, readContract, sendTransaction, waitForTransactionReceipt } from 'viem/actions'
import type { NodeConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'

/** A call of a contract, exactly as it must be sent. */
export interface ContractCall {
  /** Who alone may send it. */
  readonly from: Address
  readonly to: Address
  readonly data: Hex
  /** The same in words. */
  readonly says: string
}

/** A node in the registry. */
interface RegisteredNode {
  readonly measurement: Hex
  readonly revoked: boolean
  /** Whether its statements count now. */
  readonly active: boolean
}

/** A pool's pause, in unix seconds of the chain. */
export interface PoolPause {
  readonly now: number
  /** In the past when it is not paused; 0 when it never was. */
  readonly until: number
  /** The contract takes no other pause before. */
  readonly nextFrom: number
}

/** The chain in an incident. */
export interface IncidentChain {
  /** The account that pays for the node's transactions. */
  readonly operator: Address
  node(statementKey: Address): Promise<RegisteredNode>
  measurementListed(measurement: Hex): Promise<boolean>
  /** The pool's key epoch and whose it is; null before the first. */
  keyEpoch(pool: Address): Promise<{ readonly epoch: number; readonly node: Address } | null>
  /** Until when nothing may start in a pool, and from when on it may be paused (again). */
  pauseOf(pool: Address): Promise<PoolPause>
  /** The call that takes a measurement off the list. */
  withdrawMeasurement(measurement: Hex): Promise<ContractCall>
  /** The call that ends a node's key for ever. */
  revokeNode(statementKey: Address): Promise<ContractCall>
  /** The call that pauses a pool; null when it has no guardian. */
  pause(pool: Address): Promise<ContractCall | null>
  /** What a pool's vote must propose to end a pause before its time. */
  resume(pool: Address): Promise<ContractCall>
  /** Sends a call as the operator. @throws NodeError `CHAIN_CALL_FAILED` */
  send(call: ContractCall): Promise<void>
}

/**
 * Opens the chain of a node's settings.
 * @param config the settings
 * @param transactionKey the operator's account
 * @returns reads and writes; they throw what the chain says
 */
export function incidentChain(config: NodeConfig, transactionKey: Hex): IncidentChain {
  const { rpcUrl, timeoutMs } = config.chain
  const deployment: Deployment = {
    ...config.chain.deployment,
    blockNumber: BigInt(config.chain.deployment.blockNumber),
  }
  const account = privateKeyToAccount(transactionKey)
  const client = createWalletClient({
    account,
    transport: http(rpcUrl, { timeout: timeoutMs }),
    pollingInterval: 100,
  })
  const registry = { address: deployment.nodeRegistry, abi: nodeRegistryAbi } as const
  const poolAt = (pool: Address) => ({ address: pool, abi: poolAbi }) as const
  const lower = (address: Address) => address.toLowerCase() as Address
  const owner = async () => lower(await readContract(client, { ...registry, functionName: 'owner' }))
  return {
    operator: lower(account.address),
    async node(statementKey) {
      const args = [statementKey] as const
      const [{ measurement, revoked }, active] = await Promise.all([
        readContract(client, { ...registry, functionName: 'getNode', args }),
        readContract(client, { ...registry, functionName: 'isActive', args }),
      ])
      return { measurement, revoked, active }
    },
    measurementListed: async (measurement) =>
      // Also one that is only announced: it would count after its window.
      (await readContract(client, { ...registry, functionName: 'allowedFrom', args: [measurement] })) !== 0n,
    async keyEpoch(pool) {
      const { epoch, node } = await readContract(client, { ...poolAt(pool), functionName: 'keyEpoch' })
      return node === zeroAddress ? null : { epoch, node: lower(node) }
    },
    async pauseOf(pool) {
      const [until, duration, { timestamp }] = await Promise.all([
        readContract(client, { ...poolAt(pool), functionName: 'pausedUntil' }),
        readContract(client, { ...poolAt(pool), functionName: 'PAUSE_DURATION' }),
        getBlock(client),
      ])
      return { now: Number(timestamp), until, nextFrom: until === 0 ? 0 : until + duration }
    },
    withdrawMeasurement: async (measurement) => ({
      from: await owner(),
      to: deployment.nodeRegistry,
      data: encodeFunctionData({
        abi: nodeRegistryAbi,
        functionName: 'setMeasurement',
        args: [measurement, false],
      }),
      says: `NodeRegistry.setMeasurement(${measurement}, false)`,
    }),
    revokeNode: async (statementKey) => ({
      from: await owner(),
      to: deployment.nodeRegistry,
      data: encodeFunctionData({ abi: nodeRegistryAbi, functionName: 'revoke', args: [statementKey] }),
      says: `NodeRegistry.revoke(${statementKey})`,
    }),
    async pause(pool) {
      const guardian = lower(await readContract(client, { ...poolAt(pool), functionName: 'guardian' }))
      if (guardian === zeroAddress) return null
      const data = encodeFunctionData({ abi: poolAbi, functionName: 'pause' })
      return { from: guardian, to: pool, data, says: 'Pool.pause()' }
    },
    async resume(pool) {
      const timelock = lower(await readContract(client, { ...poolAt(pool), functionName: 'timelock' }))
      const data = encodeFunctionData({ abi: poolAbi, functionName: 'resume' })
      return { from: timelock, to: pool, data, says: 'Pool.resume()' }
    },
    async send({ to, data, says }) {
      const failed = (why: string, cause?: unknown) =>
        new NodeError('CHAIN_CALL_FAILED', says, why, { cause })
      try {
        const hash = await sendTransaction(client, { to, data, chain: null })
        const { status } = await waitForTransactionReceipt(client, { hash, timeout: timeoutMs })
        if (status !== 'success') throw failed('it was mined and failed; look at the pool, and try again')
      } catch (cause) {
        if (cause instanceof NodeError) throw cause
        throw failed('the chain does not take it now; check gas and endpoint, and try again', cause)
      }
    },
  }
}
