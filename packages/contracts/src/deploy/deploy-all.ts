import {
  type Abi,
  type Account,
  type Address,
  type Client,
  encodeDeployData,
  getContractAddress,
  type Hex,
  isAddressEqual,
  parseEther,
} from 'viem'
import { call, getChainId, getTransactionCount } from 'viem/actions'
import { parseAccount } from 'viem/utils'
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
import { protocolTokenAbi, protocolTokenBytecode } from '../abi/ProtocolToken.js'
import { timelockDeployerAbi, timelockDeployerBytecode } from '../abi/TimelockDeployer.js'
import { reading, send, toContractsError } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import { checkDeployment } from './check-deployment.js'
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
