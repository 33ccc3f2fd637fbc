/**
 * Access to a node: calls that are sealed from end to end, wallet sign-in, capability tokens.
 *
 * @module
 */
export { type AgentToken, type AgentTokens, agentTokens } from './agent-tokens.js'
export {
  type AccessRole,
  accessRoles,
  attenuateCapability,
  type Capability,
  type CapabilityHead,
  type Caveat,
  maximumCapabilityLength,
  maximumCaveats,
  mintCapability,
  openCapability,
  parseCapability,
} from './capability.js'
export { keySetResource } from './key-set-resource.js'
export { type AccessDoor, type NodeAccess, type NodeAccessOptions, nodeAccess } from './node-access.js'
export {
  credentialAudience,
  type Present,
  type PresentationChallenge,
  type ShownCredential,
} from './present-credential.js'
export {
  openCall,
  type SealedAnswer,
  type SealedCall,
  sealCall,
  sealedAnswerType,
  sealedCallPath,
  sealedCallType,
} from './sealed-call.js'
export { roleResource, type SignIn, signInDomain, signInMessage, signInUri } from './sign-in.js'
