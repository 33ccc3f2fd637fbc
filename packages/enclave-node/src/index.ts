/**
 * The program in the confidential VM: it follows the chain, judges and refines contributions, runs approved jobs under
 * the pools' privacy budgets, and signs for everything it does.
 *
 * @module
 */
export {
  configDigest,
  measuredConfig,
  type NodeConfig,
  nodeConfigSchema,
  parseNodeConfig,
} from './config/node-config.js'
export { type NodeSecrets, parseSecrets } from './config/secrets.js'
export { NodeError, type NodeErrorCode } from './errors.js'
export {
  openSimulator,
  type SimulatedPlatform,
  simulatedPlatform,
} from './evidence/simulator-quote-provider.js'
export { encodeRestriction } from './policy/narrowed-pools.js'
export {
  narrowPolicy,
  type PolicyRestriction,
  policyRestrictionSchema,
} from './policy/restriction.js'
export { resultMediaType } from './release/seal-result.js'
export { type NodeLogger, nodeLogger } from './runtime/logger.js'
export { type RunningNode, type StartOptions, startNode } from './runtime/start-node.js'
export { batchedContributionId } from './state/batched-contribution.js'
export {
  type ContributionState,
  contributionStateText,
  type IngestRefusal,
  ingestRefusalText,
} from './state/contribution-state.js'
export { type JobState, jobStateNumber, jobStateText } from './state/job-state.js'
