/**
 * Private training: clipped sums on an integer grid, DP-SGD with its accountant, regression by a perturbed objective.
 *
 * @module
 */
export { clippedToGrid, GRID, gridBound, type NoisyVector, noisyVectorSum } from './integer-grid.js'
export {
  type PrivateRegression,
  perturbedRegression,
  type RegressionQuestion,
} from './objective-perturbation.js'
export { type DescentPlan, descentCharge, type PrivateModel, privateDescent } from './private-descent.js'
export { renyiEpsilon, trainingCharge } from './renyi.js'
