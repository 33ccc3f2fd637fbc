/**
 * What two parties of a computation check by hand, as code: six steps before and after it, and the short proof that names what ran,
 * when, on which data sets and on which machine.
 *
 * @module
 */
export { type ComputationProof, computationProof } from './computation-proof.js'
export {
  type PartnerReceipt,
  type VerificationStep,
  type VerificationStepId,
  verificationSteps,
} from './verification-steps.js'
