export * from './ballot.js'
export {
  type BatchEntry,
  type BatchHeader,
  type BatchPlace,
  type BatchVerdict,
  batchEntryLeaf,
  batchedContributionTypedData,
  batchHash,
  batchVerdictLeaf,
  signBatchedContribution,
} from './batched-contribution.js'
export * from './contribution.js'
export * from './job-statement.js'
export {
  type NodeRegistration,
  nodeApprovalTypedData,
  nodeApprovalTypes,
  signNodeApproval,
} from './node-approval.js'
export * from './node-statement.js'
export { type Offer, offerTypedData, offerTypes, signOffer } from './offer.js'
export { factsHash, type NodeStatementContext, type StatementFact } from './statement-context.js'
