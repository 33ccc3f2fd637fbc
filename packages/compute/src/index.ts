/**
 * Job manifests, built-in private computations, and programs of others on one block of contributors at a time.
 *
 * @module
 */
export { computationDigest } from './computation/digest.js'
export { type ComputationPlan, planComputation, planJson, type RegressionPlan } from './computation/plan.js'
export type { PlanHead, PlannedColumn } from './computation/plan-head.js'
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
export type { ProgramMechanism } from './program/mechanism.js'
export { type ProgramParameters, programSchema } from './program/parameters.js'
export type { ProgramColumn, ProgramOutput, ProgramPlan, ProgramSplit } from './program/plan-program.js'
export { type ProgramRuntime, programDigest } from './program/program-digest.js'
export type { ProgramRow, ProgramRows } from './program/program-input.js'
export type { ReleasedNumber, ReleasedOutput } from './program/release.js'
export { type ProgramResult, type ProgramRun, runProgram } from './program/run-program.js'
