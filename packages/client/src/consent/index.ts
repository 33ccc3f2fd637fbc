/**
 * What contributors agreed to: a record with a digest, and agreeing again when the text changed.
 *
 * @module
 */
export { type ConsentedAgain, consentAgain } from './consent-again.js'
export {
  type ConsentRecord,
  consentDigest,
  consentRecord,
  isConsentTo,
  parseConsentRecord,
} from './consent-record.js'
