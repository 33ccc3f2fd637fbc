/**
 * Sealing to a pool while its node is not running, by evidence that was kept of an earlier yes.
 *
 * @module
 */
export { type KeepEvidenceOptions, keepEvidence } from './keep-evidence.js'
export { type KeptReadiness, type VerifyKeptOptions, verifyKept } from './verify-kept.js'
