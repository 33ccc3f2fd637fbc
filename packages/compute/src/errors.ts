/** Stable codes of {@link ComputeError}. */
export type ComputeErrorCode =
  | 'MANIFEST_INVALID'
  | 'COMPUTATION_UNKNOWN'
  | 'PARAMETERS_INVALID'
  | 'NOT_ALLOWED'
  | 'BUDGET_PER_JOB_EXCEEDED'
  | 'PLAN_INVALID'
  | 'ROWS_INVALID'
  | 'TOO_FEW_CONTRIBUTORS'
  | 'SINGULAR'

/**
 * The one error of this package. Up to the plan, its text depends on manifest and policies alone; it never
 * holds a value of a row.
 */
export class ComputeError extends Error {
  override readonly name = 'ComputeError'
  readonly code: ComputeErrorCode
  /** Where the offending value stands, for example `compute.parameters.features[1].equals`. */
  readonly place: string

  /**
   * @param code - Stable code.
   * @param place - Path of the offending value.
   * @param message - What, where and the remedy.
   * @param options - `cause` of the failure.
   */
  constructor(
    code: ComputeErrorCode,
    place: string,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options)
    this.code = code
    this.place = place
  }
}
