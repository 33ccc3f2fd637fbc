/**
 * Access conditions: who may use a pool's data, by what stands on the chain.
 * @module
 */
export {
  type AccessCondition,
  type AccessLeaf,
  type AccessRules,
  maximumAccessDepth,
  maximumAccessParts,
  maximumAccessQuestions,
  parseAccessCondition,
  parseAccessRules,
} from './access-condition.js'
export type { AccessAnswer, AccessSubject } from './access-question.js'
export type { AccessVerdict, UnmetLeaf } from './access-verdict.js'
export {
  type AccessDecision,
  type AccessReading,
  accessGasShare,
  decideAccess,
  readAccess,
} from './read-access.js'
