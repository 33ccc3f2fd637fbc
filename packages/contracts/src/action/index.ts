export * from './anchor.js'
export * from './batch.js'
export {
  type AwaitedPlace,
  cancelBatchEntry,
  forfeitBatchEntry,
  isBatchEntryCancelled,
  recordBatchErasure,
  supersedeBatchEntry,
  withdrawBatchEntry,
} from './batch-entry.js'
export {
  type ContributionEvent,
  type ContributionRecord,
  type ContributionState,
  contribute,
  contributeBatch,
  contributeSigned,
  type EventQuery,
  getContribution,
  getContributions,
  getVerdict,
  getVerdicts,
  type VerdictRecord,
} from './contribution.js'
export * from './credit.js'
export { type Finality, finalBlock, requireFinality } from './finality.js'
export * from './governance.js'
export * from './invoke.js'
export * from './job.js'
export * from './job-funding.js'
export * from './job-read.js'
export * from './node.js'
export * from './node-stake.js'
export * from './pool.js'
export * from './reward-epoch.js'
export * from './stop-right.js'
export * from './token.js'
export type { Sent, WriteOptions } from './transaction.js'
export * from './verdict.js'
export * from './vesting.js'
