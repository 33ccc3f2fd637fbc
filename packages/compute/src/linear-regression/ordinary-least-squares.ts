import { ComputeError } from '../errors.js'
import { cholesky, dot, solve } from './matrix.js'

/** A fitted coefficient with its classical standard error. */
export interface FittedCoefficient {
  readonly value: number
  readonly standardError: number
}

/**
 * Ordinary least squares without any privacy: for data that the caller holds anyway, to compare with.
 *
 * @param options - `rows`: feature values of each observation, without the intercept; `target`: as many values.
 * @returns `coefficients` (intercept first, then the features in order) and the residual variance.
 * @throws ComputeError `ROWS_INVALID` when the shapes do not fit or there are too few rows; `SINGULAR` when
 *   features are collinear.
 * @example
 * ```ts
 * import { ordinaryLeastSquares } from '@sealpool/compute'
 * const { coefficients } = ordinaryLeastSquares({ rows: [[0], [1], [2]], target: [1, 3, 5] })
 * console.assert(Math.abs((coefficients[1]?.value ?? 0) - 2) < 1e-9)
 * ```
 */
export function ordinaryLeastSquares(options: {
  readonly rows: readonly (readonly number[])[]
  readonly target: readonly number[]
}): { readonly coefficients: FittedCoefficient[]; readonly residualVariance: number } {
  const { rows, target } = options
  const width = rows[0]?.length ?? 0
  if (rows.length !== target.length || rows.some((row) => row.length !== width)) {
    throw new ComputeError(
      'ROWS_INVALID',
      'rows',
      'Every row needs the same number of features and one target value.',
    )
  }
  if (rows.length < width + 2) {
    throw new ComputeError(
      'ROWS_INVALID',
      'rows',
      `Least squares with ${width} features needs at least ${width + 2} rows.`,
    )
  }
  // Centring and scaling make the normal equations as well conditioned as the data allow.
  const mean = column(width, (j) => rows.reduce((sum, row) => sum + (row[j] ?? 0), 0) / rows.length)
  const spread = column(width, (j) =>
    Math.sqrt(rows.reduce((sum, row) => sum + ((row[j] ?? 0) - (mean[j] ?? 0)) ** 2, 0) / rows.length),
  )
  const design = rows.map((row) => [1, ...row.map((value, j) => (value - (mean[j] ?? 0)) / (spread[j] || 1))])
  const moments = column(width + 1, (i) =>
    column(width + 1, (j) => design.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0)),
  )
  const lower = cholesky(moments)
  if (lower === null) {
    throw new ComputeError('SINGULAR', 'rows', 'The features are collinear or constant. Remove one of them.')
  }
  const scaled = solve(
    lower,
    column(width + 1, (i) => design.reduce((sum, row, k) => sum + (row[i] ?? 0) * (target[k] ?? 0), 0)),
  )
  const residuals = design.map((row, k) => (target[k] ?? 0) - dot(row, scaled))
  const residualVariance = dot(residuals, residuals) / (rows.length - width - 1)
  // Each original coefficient is a linear form of the scaled ones; its variance follows from that form.
  const forms = [
    [1, ...mean.map((value, j) => -value / (spread[j] || 1))],
    ...column(width, (j) => column(width + 1, (i) => (i === j + 1 ? 1 / (spread[j] || 1) : 0))),
  ]
  const coefficients = forms.map((form) => ({
    value: dot(form, scaled),
    standardError: Math.sqrt(residualVariance * dot(form, solve(lower, form))),
  }))
  return { coefficients, residualVariance }
}

function column<T>(length: number, value: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => value(index))
}
