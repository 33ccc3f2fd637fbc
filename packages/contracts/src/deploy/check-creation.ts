import {
  type Abi,
  type Address,
  type Client,
  encodeDeployData,
  getContractAddress,
  type Hex,
  isAddressEqual,
} from 'viem'
import { getBlock, readContract } from 'viem/actions'
import { approvalsAbi, approvalsBytecode } from '../abi/Approvals.js'
import { contributionBatchesAbi, contributionBatchesBytecode } from '../abi/ContributionBatches.js'
import { creditsAbi, creditsBytecode } from '../abi/Credits.js'
import { dataRegistryAbi, dataRegistryBytecode } from '../abi/DataRegistry.js'
import { governorDeployerAbi, governorDeployerBytecode } from '../abi/GovernorDeployer.js'
import { jobBoardAbi, jobBoardBytecode } from '../abi/JobBoard.js'
import { nodeRegistryAbi, nodeRegistryBytecode } from '../abi/NodeRegistry.js'
import { permissionsAbi, permissionsBytecode } from '../abi/Permissions.js'
import { poolFactoryAbi, poolFactoryBytecode } from '../abi/PoolFactory.js'
import { poolTokenDeployerAbi, poolTokenDeployerBytecode } from '../abi/PoolTokenDeployer.js'
import { timelockDeployerAbi, timelockDeployerBytecode } from '../abi/TimelockDeployer.js'
import { finalBlock } from '../action/finality.js'
import { reading } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import type { Deployment } from './deployment.js'

const place = 'checkCreation'

/** Blocks that are looked through when the caller does not say. */
const DEFAULT_BLOCKS = 256

/** Who made a deployment. */
export interface DeploymentCreation {
  /** Who sent the transaction that made the node registry. */
  readonly deployer: Address
  /** The first owner of the node registry, as its constructor was told. */
  readonly firstOwner: Address
  /** The block of the last contract. */
  readonly lastBlock: bigint
}

/**
 * Establishes that every contract of a deployment was made by this release's creation code with the constructor arguments
 * that belong to it: that its storage began as the constructors leave it (no pool, node, grant, credit or contribution that
 * nobody made), which code alone does not show. It reads the blocks from `deployment.blockNumber` on, with their transactions,
 * until all are found. Contracts that another contract created are not found.
 *
 * @param client - a viem client on the deployment's chain whose service gives whole blocks that old
 * @param deployment - a deployment that `checkDeployment` found right
 * @param options - `blocks`: how many blocks to look through; default 256
 * @returns who made it, and the first owner of its node registry
 * @throws {ContractsError} `DEPLOYMENT_MISMATCH` naming the contract that was made otherwise or was not found; `REVERTED`;
 * `CHAIN_UNREACHABLE`.
 */
export async function checkCreation(
  client: Client,
  deployment: Deployment,
  options: { readonly blocks?: number } = {},
): Promise<DeploymentCreation> {
  const { nodeRegistry, poolFactory, jobBoard, permissions, approvals, protocolToken } = deployment
  const [around, credits, burnShareBps, objectionWindow] = await reading(place, () =>
    Promise.all([
      readContract(client, { address: poolFactory, abi: poolFactoryAbi, functionName: 'surroundings' }),
      readContract(client, { address: jobBoard, abi: jobBoardAbi, functionName: 'credits' }),
      readContract(client, { address: jobBoard, abi: jobBoardAbi, functionName: 'burnShareBps' }),
      readContract(client, { address: nodeRegistry, abi: nodeRegistryAbi, functionName: 'objectionWindow' }),
    ]),
  )
  const create = (abi: Abi, bytecode: Hex, args: readonly unknown[]) =>
    encodeDeployData({ abi, bytecode, args })
  const both = [nodeRegistry, poolFactory]
  const board = [protocolToken, nodeRegistry, poolFactory, permissions, credits, burnShareBps]
  const { dataRegistry, contributionBatches } = deployment
  const { tokenDeployer, governorDeployer, timelockDeployer } = around
  const awaited = new Map<string, { readonly name: string; readonly data: Hex }>()
  const expect = (name: string, address: Address, data: Hex) =>
    awaited.set(address.toLowerCase(), { name, data })
  expect('DataRegistry', dataRegistry, create(dataRegistryAbi, dataRegistryBytecode, both))
  expect(
    'ContributionBatches',
    contributionBatches,
    create(contributionBatchesAbi, contributionBatchesBytecode, both),
  )
  expect('Approvals', approvals, create(approvalsAbi, approvalsBytecode, [poolFactory]))
  expect(
    'Permissions',
    permissions,
    create(permissionsAbi, permissionsBytecode, [poolFactory, jobBoard, approvals]),
  )
  expect('Credits', credits, create(creditsAbi, creditsBytecode, [poolFactory, jobBoard]))
  expect('JobBoard', jobBoard, create(jobBoardAbi, jobBoardBytecode, board))
  expect('PoolTokenDeployer', tokenDeployer, create(poolTokenDeployerAbi, poolTokenDeployerBytecode, []))
  expect('GovernorDeployer', governorDeployer, create(governorDeployerAbi, governorDeployerBytecode, []))
  expect('TimelockDeployer', timelockDeployer, create(timelockDeployerAbi, timelockDeployerBytecode, []))
  const surroundings = { ...around, nodeRegistry, dataRegistry, contributionBatches, jobBoard, protocolToken }
  expect('PoolFactory', poolFactory, create(poolFactoryAbi, poolFactoryBytecode, [surroundings]))

  const ownedBy = (owner: Address) =>
    create(nodeRegistryAbi, nodeRegistryBytecode, [owner, BigInt(objectionWindow)])
  let registry: { deployer: Address; firstOwner: Address } | undefined
  const newest = await finalBlock(client, { confirmations: 0 })
  const most = deployment.blockNumber + BigInt(options.blocks ?? DEFAULT_BLOCKS) - 1n
  const last = most < newest ? most : newest
  for (let blockNumber = deployment.blockNumber; blockNumber <= last; blockNumber++) {
    const { transactions } = await reading(place, () =>
      getBlock(client, { blockNumber, includeTransactions: true }),
    )
    for (const { to, from, nonce, input } of transactions) {
      if (to !== null) continue
      const address = getContractAddress({ from, nonce: BigInt(nonce) })
      if (isAddressEqual(address, nodeRegistry)) {
        // The one argument that is free: the rest must be the constructor's, to the byte.
        const start = nodeRegistryBytecode.length + 24
        const firstOwner: Address = `0x${input.slice(start, start + 40)}`
        if (input.length < start + 40 || input !== ownedBy(firstOwner))
          throw madeOtherwise('NodeRegistry', address)
        registry = { deployer: from, firstOwner }
        continue
      }
      const known = awaited.get(address.toLowerCase())
      if (known === undefined) continue
      if (input !== known.data) throw madeOtherwise(known.name, address)
      awaited.delete(address.toLowerCase())
    }
    if (awaited.size === 0 && registry !== undefined) return { ...registry, lastBlock: blockNumber }
  }
  const missing = [...awaited.values()].map(({ name }) => name)
  if (registry === undefined) missing.unshift('NodeRegistry')
  throw new ContractsError(
    'DEPLOYMENT_MISMATCH',
    place,
    `blocks ${deployment.blockNumber} to ${last} hold no transaction that makes ${missing.join(', ')}`,
  )
}

function madeOtherwise(name: string, address: Address): ContractsError {
  return new ContractsError(
    'DEPLOYMENT_MISMATCH',
    place,
    `${name} at ${address} was not made by this release's creation code with the arguments that belong to it`,
  )
}
