/**
 * What an app calls: verify before sending, contribute, follow, fetch results, verify receipts.
 *
 * @module
 */
export {
  type ContributionInput,
  type PreparedContribution,
  prepareContribution,
} from './contribute/prepare-contribution.js'
export { ClientError, type ClientErrorCode } from './errors.js'
export * from './node-api/messages.js'
export { type NodeApi, type NodeApiOptions, nodeApi } from './node-api/node-api.js'
export { createPoolClient, type PoolClient, type PoolClientOptions } from './pool-client.js'
export { type JobOutcome, readJobOutcome } from './result/job-outcome.js'
export { type OpenedResult, openResult } from './result/open-result.js'
export { verifyJobReceipt } from './result/verify-job-receipt.js'
export * from './store/index.js'
export { type ChainFacts, readChainFacts } from './verify/chain-facts.js'
export {
  type KeyedPoolAnswer,
  type Readiness,
  type VerifiedPool,
  verifyPool,
} from './verify/verified-pool.js'
