/**
 * Solidity contracts of confidential data pools, as typed ABIs and tree-shakable actions on a viem client.
 *
 * @module
 */

export { anchorsAbi } from './abi/Anchors.js'
export { approvalsAbi } from './abi/Approvals.js'
export { contributionBatchesAbi } from './abi/ContributionBatches.js'
export { creditsAbi } from './abi/Credits.js'
export { dataRegistryAbi } from './abi/DataRegistry.js'
export { directPaymentsAbi } from './abi/DirectPayments.js'
export { disputesAbi } from './abi/Disputes.js'
export { errorsAbi } from './abi/errors.js'
export { jobBoardAbi } from './abi/JobBoard.js'
export { livenessRewardsAbi } from './abi/LivenessRewards.js'
export { nodeRegistryAbi } from './abi/NodeRegistry.js'
export { nodeStakesAbi } from './abi/NodeStakes.js'
export { permissionsAbi } from './abi/Permissions.js'
export { poolAbi } from './abi/Pool.js'
export { poolFactoryAbi } from './abi/PoolFactory.js'
export { poolGovernorAbi } from './abi/PoolGovernor.js'
export { poolTokenAbi } from './abi/PoolToken.js'
export { poolTokenDeployerAbi } from './abi/PoolTokenDeployer.js'
export { protocolTokenAbi } from './abi/ProtocolToken.js'
export { revenueSplitAbi, revenueSplitBytecode } from './abi/RevenueSplit.js'
export { rewardEpochsAbi } from './abi/RewardEpochs.js'
export { tdxCollateralAbi } from './abi/TdxCollateral.js'
export { tdxVerifierAbi } from './abi/TdxVerifier.js'
export { timelockControllerAbi } from './abi/TimelockController.js'
export { vestingScheduleAbi } from './abi/VestingSchedule.js'
export * from './access/index.js'
export * from './action/index.js'
export * from './attestation/index.js'
export * from './deploy/index.js'
export { ContractsError, type ContractsErrorCode, type Revert } from './errors.js'
export { type MerkleTree, merkleTree } from './merkle/tree.js'
export * from './permit/index.js'
export * from './statement/index.js'
export {
  type CheckTokenOptions,
  checkToken,
  type TokenFinding,
  type TokenReport,
  type TokenRule,
} from './token-conformance/check-token.js'
export { type AgreedHead, type ChainView, type ChainViewOptions, createChainView } from './view/chain-view.js'
export * from './watch/index.js'
