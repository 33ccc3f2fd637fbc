import type { RandomBytes } from '@sealpool/privacy'
import { type Estimate, estimate } from './estimate.js'
import { addDiagonal, cholesky, dot, times } from './matrix.js'
import {
  COUNT_WEIGHT,
  type RegressionMechanism,
  type RegressionStage,
  realScale,
  SPREAD_WEIGHT,
} from './mechanism.js'

/**
 * Half-widths of intervals, by parametric simulation from the released estimate alone.
 *
 * Each replicate pretends that the released moments, coefficients and residual spread are the truth, draws new
 * sampling error (variance of a score: mean squared clipped residual times the moments, which bounds the
 * weighted form from above) and new privacy noise for every stage, and runs the same estimator. The half-width
 * is the `confidence` quantile of the absolute error, so ridge shrinkage widens the interval as well.
 *
 * @param options - The `estimated` fit, its `mechanism`, linear `forms` of the coefficients to judge,
 *   `confidence`, number of `replicates`, `random` port (its bytes only steer the simulation).
 * @returns One half-width per form.
 */
export function simulatedHalfWidths(options: {
  readonly estimated: Estimate
  readonly mechanism: RegressionMechanism
  readonly forms: readonly (readonly number[])[]
  readonly confidence: number
  readonly replicates: number
  readonly random: RandomBytes
}): number[] {
  const { estimated, mechanism, forms, confidence, replicates, random } = options
  const { coefficients, moments, inside, meanSquare } = estimated
  const count = Math.max(1, estimated.count)
  const draw = floatNoise(random)
  const root =
    cholesky(moments) ??
    addDiagonal(
      moments.map((row) => row.map(() => 0)),
      1,
    )
  const clean = [...packed(moments), COUNT_WEIGHT * mechanism.rowClipSquared * count]
  const errors = forms.map(() => [] as number[])
  for (let replicate = 0; replicate < replicates; replicate++) {
    const standard = coefficients.map(() => draw('gaussian', Math.sqrt(meanSquare)))
    const sampling = root.map((row) => dot(row, standard))
    const noisy = (values: readonly number[], stage: RegressionStage | undefined): number[] =>
      stage === undefined
        ? [...values]
        : values.map((value) => value + draw(mechanism.kind, realScale(mechanism, stage)))
    const again = estimate(mechanism, {
      moments: () => noisy(clean, mechanism.stages[1]),
      // The clipped score's error over its slope is the coefficient's; the unclipped products carry the same.
      products: () =>
        noisy(
          times(moments, coefficients).map((value, i) => value + (sampling[i] ?? 0) / inside),
          mechanism.stages[2],
        ),
      correction: (stage, current) => {
        const gap = coefficients.map((value, i) => value - (current[i] ?? 0))
        const score = times(moments, gap).map((value, i) => inside * value + (sampling[i] ?? 0))
        const clip = stage.residualClip ?? 1
        // Both are read as shares of the count; scaled as `correctionVector` scales them.
        return noisy(
          [...score, ...spreadStatistics({ stage, mechanism, clip, count, inside, meanSquare })],
          stage,
        )
      },
    })
    forms.forEach((form, index) => {
      errors[index]?.push(Math.abs(dot(form, again.coefficients) - dot(form, coefficients)))
    })
  }
  return errors.map((values) => {
    values.sort((a, b) => a - b)
    return values[Math.min(values.length - 1, Math.ceil(confidence * (values.length + 1)) - 1)] ?? 0
  })
}

function spreadStatistics(options: {
  readonly stage: RegressionStage
  readonly mechanism: RegressionMechanism
  readonly clip: number
  readonly count: number
  readonly inside: number
  readonly meanSquare: number
}): number[] {
  const { mechanism, clip, count, inside, meanSquare } = options
  const unit = SPREAD_WEIGHT * Math.sqrt(mechanism.rowClipSquared) * clip * count
  return [unit * Math.min(1, meanSquare / (clip * clip)), unit * inside]
}

function packed(moments: readonly (readonly number[])[]): number[] {
  return moments.flatMap((row, i) => row.slice(i).map((value, k) => value * (k === 0 ? 1 : Math.SQRT2)))
}

/** Approximate noise in doubles: only for simulating, never for releasing. */
function floatNoise(random: RandomBytes): (kind: 'gaussian' | 'laplace', scale: number) => number {
  const uniform = (): number => {
    const bytes = random(7)
    // 53 random bits, moved off zero.
    let value = (bytes[0] ?? 0) & 0x1f
    for (let index = 1; index < 7; index++) value = value * 256 + (bytes[index] ?? 0)
    return (value + 0.5) / 2 ** 53
  }
  return (kind, scale) => {
    if (kind === 'gaussian')
      return scale * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
    return scale * (Math.log(uniform()) - Math.log(uniform()))
  }
}
