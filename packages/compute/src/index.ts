/**
 * Job manifests and built-in private computations.
 *
 * @module
 */
export { computationDigest } from './computation/digest.js'
export { type ComputationPlan, type PlannedColumn, planComputation, planJson } from './computation/plan.js'
export { type ComputationResult, type JoinedRow, runComputation } from './computation/run.js'
export { ComputeError, type ComputeErrorCode } from './errors.js'
export { type JobManifest, jobManifestSchema, manifestDigest, parseJobManifest } from './job/manifest.js'
export { type QueryScope, scopeDigest } from './job/query-scope.js'
export type { ResultView } from './job/result-view.js'
export type { DesignFeature, DesignTarget } from './linear-regression/design.js'
export type { Coefficient } from './linear-regression/linear-regression.js'
export type { RegressionMechanism, RegressionStage } from './linear-regression/mechanism.js'
export { type FittedCoefficient, ordinaryLeastSquares } from './linear-regression/ordinary-least-squares.js'
export { type LinearRegressionParameters, linearRegressionSchema } from './linear-regression/parameters.js'
