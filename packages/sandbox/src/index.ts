/**
 * Run approved code without ambient authority: the port and what every adapter shares.
 *
 * @module
 */
export type { Batch, BatchTable } from './batch/batch.js'
export { decodeCodes, encodeCodes, MOST_CODED } from './batch/coded-text.js'
export { type CallErrorCode, type RunErrorCode, SandboxError, type SandboxErrorCode } from './errors.js'
export { type CheckedLimits, DEFAULT_LIMITS, type Limits, validateLimits } from './limits.js'
export type { Isolation, Job, JobRuntime, JsonValue, RunResult } from './runtime.js'
