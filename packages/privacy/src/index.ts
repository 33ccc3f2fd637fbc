/**
 * Pool policy as data, exact differential-privacy mechanisms, budget accounting and keyed sketches.
 *
 * @module
 */

export { fromUnits, type Quantity, toUnits } from './accountant/amount.js'
export { chargeByLeaf, type DataFlow, sumOfCharges } from './accountant/charge-by-leaf.js'
export { zcdpEpsilon, zcdpRho } from './accountant/conversion.js'
export {
  affordable,
  applyCharge,
  type BudgetTotals,
  type Charge,
  createFilter,
  type FilterState,
  remainingBudget,
  type SpentBudget,
  spentBudget,
} from './accountant/filter.js'
export {
  admitLeaves,
  chargeLeaves,
  createLeafBudget,
  type LeafBudget,
  type LeafRange,
  leafSpent,
} from './accountant/leaf-budget.js'
export type { BudgetLedger, ChargeReceipt, LedgerHead } from './accountant/ledger.js'
export { anchorDigest, assertAnchored, type LedgerAnchor } from './accountant/ledger-anchor.js'
export { assertSameTotals } from './accountant/ledger-book.js'
export { verifyLedgerChain } from './accountant/ledger-chain.js'
export {
  assertSameCharge,
  type BudgetState,
  budgetAfter,
  type ChargeRequest,
  hashLedgerEntry,
  type LedgerEntry,
  nextEntry,
  openingEntry,
} from './accountant/ledger-entry.js'
export { createMemoryLedger } from './accountant/memory-ledger.js'
export { createMemoryStorage } from './accountant/memory-storage.js'
export { type OdometerReading, odometer } from './accountant/odometer.js'
export { openRecordLog, type RecordLog } from './accountant/record-log.js'
export {
  openStoredLeafBudget,
  type StoredLeafBudget,
} from './accountant/stored-leaf-budget.js'
export { type LedgerStorage, openStoredLedger, type StoredLedger } from './accountant/stored-ledger.js'
export { PrivacyError, type PrivacyErrorCode, type RemainingBudget } from './errors.js'
export {
  analyticGaussianSigma,
  type GaussianCalibration,
  gaussianSigmaFor,
  type LaplaceCalibration,
  laplaceScaleFor,
  type Sensitivity,
} from './mechanism/calibration.js'
export { discreteGaussian } from './mechanism/discrete-gaussian.js'
export { discreteLaplace } from './mechanism/discrete-laplace.js'
export { gaussianInterval, type Interval, laplaceInterval, ratioInterval } from './mechanism/interval.js'
export { keepProbability, type PartitionSelection, selectPartition } from './mechanism/partition-selection.js'
export { type Noise, type NoisePool, predrawn, sampleNoise } from './mechanism/predrawn.js'
export { buffered, type RandomBytes } from './mechanism/random.js'
export { type Rational, rational, rationalAtLeast, toNumber } from './mechanism/rational.js'
export {
  type PreparedSelection,
  permuteAndFlip,
  prepareSelection,
  reportNoisyMax,
  type SelectionCost,
} from './mechanism/selection.js'
export { platformRandom } from './platform.js'
export {
  calendarDays,
  dayMicroseconds,
  formatDay,
  formatInstant,
  parseDay,
  parseInstant,
} from './policy/calendar.js'
export type { PolicyColumn } from './policy/column.js'
export { type OutputRule, outputRuleOf } from './policy/output-rule.js'
export { type PolicyTable, type PoolPolicy, parsePoolPolicy, poolPolicySchema } from './policy/policy.js'
export { roundOutwards } from './policy/round-outwards.js'
export type { RowRule } from './policy/row-rule.js'
export {
  isViewWithin,
  mostOfView,
  narrowViewLimits,
  type ViewCaps,
  type ViewExtent,
  type ViewLimits,
  type ViewRecipient,
  viewCapsSchema,
} from './policy/view-limit.js'
export { contributorPseudonym } from './sketch/contributor-pseudonym.js'
export {
  createKeyedFingerprint,
  type FingerprintDomain,
  keyedFingerprint,
} from './sketch/keyed-fingerprint.js'
