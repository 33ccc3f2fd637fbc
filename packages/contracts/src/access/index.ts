/**
 * Access conditions: who may use a pool's data, by what stands on the chain.
 * @module
 */
export {
  type AccessCondition,
  type AccessLeaf,
  type AccessRules,
  maximumAccessCredentials,
  maximumAccessDepth,
  maximumAccessParts,
  maximumAccessQuestions,
  parseAccessCondition,
  parseAccessRules,
} from './access-condition.js'
export type { AccessAnswer, AccessSubject, IsPresented } from './access-question.js'
export { type AccessVerdict, leavesOf, type PlacedLeaf, type UnmetLeaf } from './access-verdict.js'
export {
  type ClaimCondition,
  type CredentialCondition,
  type CredentialKey,
  claimHolds,
} from './credential-condition.js'
export {
  type AccessDecision,
  type AccessReading,
  accessGasShare,
  decideAccess,
  readAccess,
} from './read-access.js'
