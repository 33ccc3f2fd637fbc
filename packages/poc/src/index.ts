/**
 * Define and run a proof of contribution: what a contribution is worth, judged by approved code without any authority.
 *
 * @module
 */
export { verifyIssuerSignature } from './authenticity/issuer-signature.js'
export * from './define/index.js'
export { PocError, type PocErrorCode } from './errors.js'
export { describePoc, type PocCode } from './run/describe-poc.js'
export { type RunPocOptions, runPoc } from './run/run-poc.js'
export { contentFingerprint } from './uniqueness/content-fingerprint.js'
export { type JudgedPart, type PocVerdict, parsePocVerdict, verdictDigest } from './verdict/verdict.js'
