import {
  type Abi,
  type Account,
  type Address,
  type Client,
  encodeDeployData,
  getContractAddress,
  type Hex,
  hexToBytes,
  isAddressEqual,
  parseEther,
  sha256,
} from 'viem'
import { call, getChainId, getCode, getTransactionCount, readContract } from 'viem/actions'
import { parseAccount } from 'viem/utils'
import { approvalsAbi, approvalsBytecode } from '../abi/Approvals.js'
import { contributionBatchesAbi, contributionBatchesBytecode } from '../abi/ContributionBatches.js'
import { dataRegistryAbi, dataRegistryBytecode } from '../abi/DataRegistry.js'
import { governorDeployerAbi, governorDeployerBytecode } from '../abi/GovernorDeployer.js'
import { jobBoardAbi, jobBoardBytecode } from '../abi/JobBoard.js'
import { nodeRegistryAbi, nodeRegistryBytecode } from '../abi/NodeRegistry.js'
import { permissionsAbi, permissionsBytecode } from '../abi/Permissions.js'
import { poolFactoryAbi, poolFactoryBytecode } from '../abi/PoolFactory.js'
import { poolTokenDeployerAbi, poolTokenDeployerBytecode } from '../abi/PoolTokenDeployer.js'
import { protocolTokenAbi, protocolTokenBytecode } from '../abi/ProtocolToken.js'
import { runtimes } from '../abi/runtimes.js'
import { timelockDeployerAbi, timelockDeployerBytecode } from '../abi/TimelockDeployer.js'
import { reading, send, toContractsError } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import type { Deployment } from './deployment.js'

/** What a deployment needs. */
export interface DeployOptions {
  /** Signs and sends; its account deploys. */
  readonly walletClient: Client
  /** Reads; default: `walletClient`. */
  readonly publicClient?: Client
  /** Default: the wallet client's account. */
  readonly account?: Account | Address
  /** Owner of the node registry: chooses verifiers and measurements. Default: the deployer. A timelock in earnest. */
  readonly nodeRegistryOwner?: Address
  /**
   * Seconds between the registry owner's decision for a measurement, verifiers or a quote verifier and its effect, in which
   * verifiers may object. Default 0, which is for development chains only.
   */
  readonly objectionWindow?: number
  /** An existing ERC-20 with `burn(uint256)`; default: a new one whose whole supply the deployer gets. */
  readonly protocolToken?: Address
  /** Supply of a new protocol token, smallest unit; default 1,000,000 tokens of 18 decimals. */
  readonly protocolSupply?: bigint
  /** Part of job prices that is burned, in 1/10,000, fixed for ever; default 2,000. */
  readonly burnShareBps?: number
  /** Milliseconds per transaction; default 120,000. */
  readonly timeoutMs?: number
}

/**
 * Deploys the contracts that all pools share, to any EVM chain. They know each other from their constructors (addresses
 * follow from the deployer's nonces), so nothing is left to be set, by anyone, afterwards.
 *
 * @param options - who deploys, through which clients, and what is fixed for ever: see {@link DeployOptions}
 * @returns Addresses, and the block before which there is nothing to read.
 * @throws {ContractsError} `DEPLOYMENT_MISMATCH` when the account sent other transactions meanwhile; `CHAIN_UNSUITABLE` when
 * the chain does not know Cancun's instructions, before anything is sent; `REVERTED`; `TRANSACTION_TIMEOUT`; `NO_ACCOUNT`.
 * @example
 * const deployment = await deployAll({ walletClient })
 */
export async function deployAll(options: DeployOptions): Promise<Deployment> {
  const wallet = options.walletClient
  const reader = options.publicClient ?? wallet
  const chosen = options.account ?? wallet.account
  if (chosen === undefined) {
    throw new ContractsError('NO_ACCOUNT', 'deployAll', 'no account: give the client one or pass `account`')
  }
  const deployer = parseAccount(chosen)
  const nonce = await reading('deployAll', () =>
    getTransactionCount(reader, { address: deployer.address, blockTag: 'pending' }),
  )
  await requireCancun(reader)
  const newToken = options.protocolToken === undefined ? 1 : 0
  const at = (step: number) =>
    getContractAddress({ from: deployer.address, nonce: BigInt(nonce + newToken + step) })
  const protocolToken =
    options.protocolToken ?? getContractAddress({ from: deployer.address, nonce: BigInt(nonce) })
  const [nodeRegistry, tokenDeployer, governorDeployer, timelockDeployer] = [at(0), at(1), at(2), at(3)]
  const [dataRegistry, contributionBatches, approvals] = [at(4), at(5), at(6)]
  const [permissions, credits, jobBoard, poolFactory] = [at(7), at(8), at(9), at(10)]

  let blockNumber: bigint | undefined
  const create = async (name: string, expected: Address, data: Hex) => {
    const { receipt } = await send(
      wallet,
      `deployAll ${name}`,
      { to: null, data },
      {
        account: chosen,
        ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      },
    )
    blockNumber ??= receipt.blockNumber
    if (!receipt.contractAddress || !isAddressEqual(receipt.contractAddress, expected)) {
      throw new ContractsError(
        'DEPLOYMENT_MISMATCH',
        `deployAll ${name}`,
        'the contract got another address than planned: the deployer sent other transactions meanwhile. Deploy again',
      )
    }
  }
  if (newToken === 1) {
    await create(
      'ProtocolToken',
      protocolToken,
      encodeDeployData({
        abi: protocolTokenAbi,
        bytecode: protocolTokenBytecode,
        args: [
          'Sealpool Protocol',
          'SEAL',
          deployer.address,
          options.protocolSupply ?? parseEther('1000000'),
        ],
      }),
    )
  }
  const bare = (abi: Abi, bytecode: Hex) => encodeDeployData({ abi, bytecode, args: [] })
  await create(
    'NodeRegistry',
    nodeRegistry,
    encodeDeployData({
      abi: nodeRegistryAbi,
      bytecode: nodeRegistryBytecode,
      args: [options.nodeRegistryOwner ?? deployer.address, BigInt(options.objectionWindow ?? 0)],
    }),
  )
  await create('PoolTokenDeployer', tokenDeployer, bare(poolTokenDeployerAbi, poolTokenDeployerBytecode))
  await create('GovernorDeployer', governorDeployer, bare(governorDeployerAbi, governorDeployerBytecode))
  await create('TimelockDeployer', timelockDeployer, bare(timelockDeployerAbi, timelockDeployerBytecode))
  await create(
    'DataRegistry',
    dataRegistry,
    encodeDeployData({
      abi: dataRegistryAbi,
      bytecode: dataRegistryBytecode,
      args: [nodeRegistry, poolFactory],
    }),
  )
  await create(
    'ContributionBatches',
    contributionBatches,
    encodeDeployData({
      abi: contributionBatchesAbi,
      bytecode: contributionBatchesBytecode,
      args: [nodeRegistry, poolFactory],
    }),
  )
  await create(
    'Approvals',
    approvals,
    encodeDeployData({ abi: approvalsAbi, bytecode: approvalsBytecode, args: [poolFactory] }),
  )
  await create(
    'Permissions',
    permissions,
    encodeDeployData({
      abi: permissionsAbi,
      bytecode: permissionsBytecode,
      args: [poolFactory, jobBoard, approvals],
    }),
  )
  await create(
    'Credits',
    credits,
    encodeDeployData({ abi: creditsAbi, bytecode: creditsBytecode, args: [poolFactory, jobBoard] }),
  )
  await create(
    'JobBoard',
    jobBoard,
    encodeDeployData({
      abi: jobBoardAbi,
      bytecode: jobBoardBytecode,
      args: [protocolToken, nodeRegistry, poolFactory, permissions, credits, options.burnShareBps ?? 2_000],
    }),
  )
  await create(
    'PoolFactory',
    poolFactory,
    encodeDeployData({
      abi: poolFactoryAbi,
      bytecode: poolFactoryBytecode,
      args: [
        {
          nodeRegistry,
          dataRegistry,
          contributionBatches,
          jobBoard,
          protocolToken,
          tokenDeployer,
          governorDeployer,
          timelockDeployer,
        },
      ],
    }),
  )
  const chainId = await reading('deployAll', () => getChainId(reader))
  const deployment: Deployment = {
    chainId,
    protocolToken,
    nodeRegistry,
    dataRegistry,
    contributionBatches,
    jobBoard,
    permissions,
    approvals,
    poolFactory,
    blockNumber: blockNumber ?? 0n,
  }
  await checkDeployment(reader, deployment)
  return deployment
}

/**
 * Checks that the contracts of a deployment are on this chain, that their code is what this release of the package compiled,
 * and that they know each other. Call it on addresses that came from a file or another party. What it does not look at: who
 * owns the node registry, which verifiers and measurements it has, and the protocol token, which may be any.
 *
 * @param client - a viem client on the chain on which the deployment should be
 * @param deployment - the addresses to check
 * @throws {ContractsError} `DEPLOYMENT_MISMATCH` naming the link or the code that is wrong; `REVERTED` when an address has no such
 * contract.
 */
export async function checkDeployment(client: Client, deployment: Deployment): Promise<void> {
  const place = 'checkDeployment'
  const batches = { address: deployment.contributionBatches, abi: contributionBatchesAbi } as const
  const [
    chainId,
    around,
    dataPools,
    boardPools,
    boardPermissions,
    permissionsBoard,
    dataNodes,
    batchPools,
    batchNodes,
    permissionsApprovals,
    approvalsPools,
    boardNodes,
    boardToken,
    permissionsPools,
  ] = await reading(place, () =>
    Promise.all([
      getChainId(client),
      readContract(client, {
        address: deployment.poolFactory,
        abi: poolFactoryAbi,
        functionName: 'surroundings',
      }),
      readContract(client, {
        address: deployment.dataRegistry,
        abi: dataRegistryAbi,
        functionName: 'pools',
      }),
      readContract(client, { address: deployment.jobBoard, abi: jobBoardAbi, functionName: 'pools' }),
      readContract(client, { address: deployment.jobBoard, abi: jobBoardAbi, functionName: 'permissions' }),
      readContract(client, {
        address: deployment.permissions,
        abi: permissionsAbi,
        functionName: 'jobBoard',
      }),
      readContract(client, {
        address: deployment.dataRegistry,
        abi: dataRegistryAbi,
        functionName: 'nodeRegistry',
      }),
      readContract(client, { ...batches, functionName: 'pools' }),
      readContract(client, { ...batches, functionName: 'nodeRegistry' }),
      readContract(client, {
        address: deployment.permissions,
        abi: permissionsAbi,
        functionName: 'approvals',
      }),
      readContract(client, { address: deployment.approvals, abi: approvalsAbi, functionName: 'pools' }),
      readContract(client, { address: deployment.jobBoard, abi: jobBoardAbi, functionName: 'nodeRegistry' }),
      readContract(client, { address: deployment.jobBoard, abi: jobBoardAbi, functionName: 'protocolToken' }),
      readContract(client, { address: deployment.permissions, abi: permissionsAbi, functionName: 'pools' }),
    ]),
  )
  if (chainId !== deployment.chainId) {
    throw new ContractsError(
      'DEPLOYMENT_MISMATCH',
      place,
      `the client is on chain ${chainId}, the deployment on chain ${deployment.chainId}`,
    )
  }
  await checkCode(client, place, [
    ['NodeRegistry', deployment.nodeRegistry],
    ['DataRegistry', deployment.dataRegistry],
    ['ContributionBatches', deployment.contributionBatches],
    ['Approvals', deployment.approvals],
    ['Permissions', deployment.permissions],
    ['JobBoard', deployment.jobBoard],
    ['PoolFactory', deployment.poolFactory],
    ['PoolTokenDeployer', around.tokenDeployer],
    ['GovernorDeployer', around.governorDeployer],
    ['TimelockDeployer', around.timelockDeployer],
  ])
  const links: readonly (readonly [string, Address, Address])[] = [
    ['poolFactory.nodeRegistry', around.nodeRegistry, deployment.nodeRegistry],
    ['poolFactory.dataRegistry', around.dataRegistry, deployment.dataRegistry],
    ['poolFactory.contributionBatches', around.contributionBatches, deployment.contributionBatches],
    ['contributionBatches.pools', batchPools, deployment.poolFactory],
    ['contributionBatches.nodeRegistry', batchNodes, deployment.nodeRegistry],
    ['permissions.approvals', permissionsApprovals, deployment.approvals],
    ['approvals.pools', approvalsPools, deployment.poolFactory],
    ['poolFactory.jobBoard', around.jobBoard, deployment.jobBoard],
    ['poolFactory.protocolToken', around.protocolToken, deployment.protocolToken],
    ['dataRegistry.pools', dataPools, deployment.poolFactory],
    ['dataRegistry.nodeRegistry', dataNodes, deployment.nodeRegistry],
    ['jobBoard.pools', boardPools, deployment.poolFactory],
    ['jobBoard.permissions', boardPermissions, deployment.permissions],
    ['permissions.jobBoard', permissionsBoard, deployment.jobBoard],
    ['jobBoard.nodeRegistry', boardNodes, deployment.nodeRegistry],
    ['jobBoard.protocolToken', boardToken, deployment.protocolToken],
    ['permissions.pools', permissionsPools, deployment.poolFactory],
  ]
  for (const [name, actual, expected] of links) {
    if (!isAddressEqual(actual, expected)) {
      throw new ContractsError('DEPLOYMENT_MISMATCH', place, `${name} is ${actual}, expected ${expected}`)
    }
  }
}

/** Compares the code at addresses with what this package compiled; the words that a deployment fills in are left out. */
async function checkCode(
  client: Client,
  place: string,
  contracts: readonly (readonly [keyof typeof runtimes, Address])[],
): Promise<void> {
  await Promise.all(
    contracts.map(async ([name, address]) => {
      const code = hexToBytes((await reading(place, () => getCode(client, { address }))) ?? '0x')
      for (const [start, length] of runtimes[name].immutables) code.fill(0, start, start + length)
      if (sha256(code) === runtimes[name].digest) return
      throw new ContractsError(
        'DEPLOYMENT_MISMATCH',
        place,
        `the code at ${address} is not that of ${name} in this release of the package`,
      )
    }),
  )
}

/** TSTORE(0, 0), MCOPY(0, 0, 0), RETURN(0, 0): what the compiled contracts use beyond older chains. */
const CANCUN_PROBE: Hex = '0x5f5f5d5f5f5f5e5f5ff3'

async function requireCancun(client: Client): Promise<void> {
  try {
    await call(client, { data: CANCUN_PROBE })
  } catch (cause) {
    const error = toContractsError('deployAll', cause)
    if (error.code === 'CHAIN_UNREACHABLE' || error.code === 'TRANSACTION_TIMEOUT') throw error
    throw new ContractsError(
      'CHAIN_UNSUITABLE',
      'deployAll',
      'the chain does not know transient storage or MCOPY (Cancun, 2024), which these contracts need; nothing was sent',
      { cause },
    )
  }
}
