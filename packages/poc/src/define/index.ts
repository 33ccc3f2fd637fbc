/**
 * What a builder's module imports: small, pure, without a dependency, so that a bundle stays a few kilobytes.
 *
 * @module
 */
export type { AuthenticitySource } from '../authenticity/source.js'
export { type CsvTable, readCsv } from '../csv/read-csv.js'
export { type LabelledRow, labelFlips } from '../screens/label-flips.js'
export { type LabelReference, labelReference } from '../screens/label-reference.js'
export { machineText } from '../screens/machine-text.js'
export { madeUpNumbers } from '../screens/made-up-numbers.js'
export type {
  AccountFact,
  AuthenticityFact,
  Check,
  CheckContext,
  CheckResult,
  Dimension,
  Facts,
  Issuer,
  IssuerFact,
} from './check.js'
export {
  definePoc,
  type EvaluateInput,
  type Evidence,
  type Poc,
  type PocDefinition,
  type PocDescription,
  type PocExamination,
  type VerdictPart,
} from './define-poc.js'
export { inSteps } from './in-steps.js'
export { type QualityRow, type QualityRule, qualityRules, type ScriptName } from './quality-rules.js'
export { authenticMail, headerOf, type Mail, readMail } from './read-mail.js'
export { Refusal, refuse } from './refusal.js'
export { MOST_SCREEN_LOSS, REVIEW_FROM, type Screen, type ScreenFinding } from './screen.js'
