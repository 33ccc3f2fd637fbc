export * from './ballot.js'
export * from './contribution.js'
export {
  type NodeRegistration,
  nodeApprovalTypedData,
  nodeApprovalTypes,
  signNodeApproval,
} from './node-approval.js'
export * from './node-statement.js'
