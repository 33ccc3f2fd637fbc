/**
 * Rules on what may be shown: minimum contributors, dominance, p-percent, suppression, bounds of results.
 *
 * @module
 */
export {
  type ConcentrationBreach,
  type ConcentrationRules,
  concentrationBreaches,
  type MagnitudeCell,
  type SuppressedTable,
  suppressTable,
} from './concentration.js'
export { boundOutput, type OutputBound, type OutputColumn, type OutputRow } from './output-bound.js'
