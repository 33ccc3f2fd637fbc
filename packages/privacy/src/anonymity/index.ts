/**
 * k-anonymity, l-diversity, t-closeness, and Mondrian generalisation.
 *
 * @module
 */
export {
  type KAnonymity,
  kAnonymity,
  type LDiversity,
  lDiversity,
  recursiveDiversity,
  tCloseness,
} from './anonymity.js'
export {
  type EquivalenceClass,
  equivalenceClasses,
  type MicrodataColumns,
  type MicrodataRow,
} from './equivalence-class.js'
export {
  type Generalised,
  type MondrianColumn,
  type MondrianLimits,
  type MondrianTable,
  mondrian,
} from './mondrian.js'
