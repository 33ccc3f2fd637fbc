/**
 * The `sealpool-verify` command as functions, for programs and tests (Node only).
 *
 * @module
 */
export { UnreadableError } from './read-file.js'
export { readReceiptBundle } from './read-receipt-bundle.js'
export { runVerifyCli, type VerifyCliIo, type VerifyExitCode } from './run.js'
