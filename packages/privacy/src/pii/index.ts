/**
 * Detection and redaction of personal data and secrets in text.
 *
 * @module
 */
export { createPiiDetector, type PiiDetector } from './detect.js'
export { type PiiFinding, type PiiRule, type PiiType, piiTypes } from './finding.js'
export {
  dutch,
  english,
  french,
  german,
  italian,
  type PiiLocale,
  piiLocales,
  polish,
  portuguese,
  spanish,
} from './locale/index.js'
export { type Redacted, type RedactionMode, redactPii } from './redact.js'
