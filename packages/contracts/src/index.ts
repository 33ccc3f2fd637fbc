/**
 * Solidity contracts of confidential data pools, as typed ABIs and tree-shakable actions on a viem client.
 *
 * @module
 */
export { approvalsAbi } from './abi/Approvals.js'
export { contributionBatchesAbi } from './abi/ContributionBatches.js'
export { dataRegistryAbi } from './abi/DataRegistry.js'
export { errorsAbi } from './abi/errors.js'
export { jobBoardAbi } from './abi/JobBoard.js'
export { nodeRegistryAbi } from './abi/NodeRegistry.js'
export { permissionsAbi } from './abi/Permissions.js'
export { poolAbi } from './abi/Pool.js'
export { poolFactoryAbi } from './abi/PoolFactory.js'
export { poolGovernorAbi } from './abi/PoolGovernor.js'
export { poolTokenAbi } from './abi/PoolToken.js'
export { protocolTokenAbi } from './abi/ProtocolToken.js'
export { tdxCollateralAbi } from './abi/TdxCollateral.js'
export { tdxVerifierAbi } from './abi/TdxVerifier.js'
export { timelockControllerAbi } from './abi/TimelockController.js'
export * from './action/index.js'
export * from './attestation/index.js'
export * from './deploy/index.js'
export { ContractsError, type ContractsErrorCode, type Revert } from './errors.js'
export { type MerkleTree, merkleTree } from './merkle/tree.js'
export * from './statement/index.js'
