import { type Abi, type Address, type Client, encodeDeployData, type Hex } from 'viem'
import { anchorsAbi, anchorsBytecode } from '../abi/Anchors.js'
import { directPaymentsAbi, directPaymentsBytecode } from '../abi/DirectPayments.js'
import { disputesAbi, disputesBytecode } from '../abi/Disputes.js'
import { livenessRewardsAbi, livenessRewardsBytecode } from '../abi/LivenessRewards.js'
import { nodeStakesAbi, nodeStakesBytecode } from '../abi/NodeStakes.js'
import { rewardEpochsAbi, rewardEpochsBytecode } from '../abi/RewardEpochs.js'
import { getCreditLedger } from '../action/credit.js'
import { send, type WriteOptions } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import type { Deployment } from './deployment.js'

/** The contracts around a deployment: none of them has an owner, none is needed to run pools and jobs. */
export interface MarketDeployment {
  readonly anchors: Address
  readonly nodeStakes: Address
  readonly rewardEpochs: Address
  readonly directPayments: Address
  readonly disputes: Address
  /** The ledger of the deployment's job board. */
  readonly credits: Address
  readonly livenessRewards: Address
}

/**
 * Deploys anchors, stakes, reward epochs, direct payments, a court and liveness rewards beside a deployment.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`, whose protocol token, node registry and pool factory the
 * contracts use
 * @param args.arbiter Who rules in the court, for ever: a timelock or a multisignature in earnest.
 * @param args.minimumStake Smallest stake of a dispute, protocol tokens, smallest unit.
 * @returns the addresses of the six contracts, and of the deployment's ledger of credits
 * @throws {ContractsError} `REVERTED`, `NO_ACCOUNT`, `TRANSACTION_TIMEOUT`.
 */
export async function deployMarket(
  client: Client,
  args: WriteOptions & {
    readonly deployment: Deployment
    readonly arbiter: Address
    readonly minimumStake: bigint
  },
): Promise<MarketDeployment> {
  const { protocolToken, nodeRegistry, poolFactory } = args.deployment
  const create = async (name: string, abi: Abi, bytecode: Hex, parameters: readonly unknown[]) => {
    const place = `deployMarket ${name}`
    const data = encodeDeployData({ abi, bytecode, args: parameters })
    const { receipt } = await send(client, place, { to: null, data }, args)
    if (!receipt.contractAddress) throw new ContractsError('NOT_FOUND', place, 'no contract was created')
    return receipt.contractAddress
  }
  return {
    anchors: await create('Anchors', anchorsAbi, anchorsBytecode, [nodeRegistry, poolFactory]),
    nodeStakes: await create('NodeStakes', nodeStakesAbi, nodeStakesBytecode, [protocolToken, nodeRegistry]),
    rewardEpochs: await create('RewardEpochs', rewardEpochsAbi, rewardEpochsBytecode, []),
    directPayments: await create('DirectPayments', directPaymentsAbi, directPaymentsBytecode, []),
    disputes: await create('Disputes', disputesAbi, disputesBytecode, [
      protocolToken,
      args.arbiter,
      args.minimumStake,
    ]),
    credits: await getCreditLedger(client, args),
    livenessRewards: await create('LivenessRewards', livenessRewardsAbi, livenessRewardsBytecode, []),
  }
}
