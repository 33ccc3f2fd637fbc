import { type Charge, type Noise, toNumber } from '@sealpool/privacy'
import {
  asText,
  calibrated,
  gaussianCharge,
  noiseOf,
  type PlannedFraction,
  plannedScale,
  plannedSigmaSquared,
  rhoOf,
} from '../noise/planned-noise.js'
import { GRID, gridBound } from './bounded-sum.js'

/** One noisy release inside the regression. Plain JSON; big integers as decimal text. */
export interface RegressionStage {
  readonly name: 'spread' | 'moments' | 'products' | 'correction-1' | 'correction-2'
  /** Percent of the job's privacy that it takes. */
  readonly share: number
  /** Number of released integers. */
  readonly coordinates: number
  /** No row's vector is longer than this (L2, in public coordinates); longer ones are scaled down. */
  readonly clip: number
  /** Residuals are clipped to this part of the target's half-range; null where there are none. */
  readonly residualClip: number | null
  /** One contributor moves the released integers by at most this: squared L2 for Gaussian, L1 for Laplace noise. */
  readonly sensitivity: string
  /** sigma squared (Gaussian) or scale (Laplace) of the noise on each integer. */
  readonly noise: PlannedFraction
}

/** All noise of a regression. Plain JSON. */
export interface RegressionMechanism {
  readonly kind: 'gaussian' | 'laplace'
  /** Squared length to which a row's public coordinates are scaled down. */
  readonly rowClipSquared: number
  readonly stages: readonly RegressionStage[]
}

/** Share of the statistics on residual spread in a correction, relative to the scores. */
export const SPREAD_WEIGHT = 0.2

/** Share of the count of rows in the second moments. */
export const COUNT_WEIGHT = 0.3

/**
 * Shares and clips were tuned once, on the public-domain wages of 1985, and hold for every job: a job that
 * chose them after looking at its own data would have to pay for looking.
 */
const STAGES = [
  { name: 'spread', share: 15, residualClip: null },
  { name: 'moments', share: 15, residualClip: null },
  { name: 'products', share: 10, residualClip: null },
  { name: 'correction-1', share: 20, residualClip: 0.6 },
  { name: 'correction-2', share: 40, residualClip: 0.5 },
] as const

/**
 * Plans the noise of a regression with `width` coefficients (the intercept counts).
 *
 * With delta above zero all stages are discrete Gaussian. Seen together they are one Gaussian release whose
 * stages are scaled by the root of their share, each chosen with knowledge of the earlier ones (Gaussian
 * mechanisms compose adaptively without loss: Dong, Roth, Su 2022, corollary 3.3), so sigma is calibrated once, analytically.
 * With delta zero they are discrete Laplace and epsilon is split by share.
 *
 * @param options - The job's `epsilon` and `delta`, and `width`.
 * @returns The mechanism and what it costs.
 * @throws ComputeError `PARAMETERS_INVALID` when no noise fits (an epsilon far below 1e-6).
 */
export function regressionMechanism(options: {
  readonly epsilon: number
  readonly delta: number
  readonly width: number
}): { readonly mechanism: RegressionMechanism; readonly charge: Charge } {
  const { epsilon, delta, width } = options
  // White coordinates give a row a squared length of `width` on average, so about half of all rows are scaled
  // down: the longest rows are the ones that the noise would have to hide.
  const rowClipSquared = width
  const rowClip = Math.sqrt(rowClipSquared)
  const shapes = STAGES.map((stage) => {
    const triangle = (width * (width + 1)) / 2
    if (stage.name === 'spread') return { ...stage, coordinates: triangle, clip: rowClipSquared }
    if (stage.name === 'moments') {
      return { ...stage, coordinates: triangle + 1, clip: rowClipSquared * Math.hypot(1, COUNT_WEIGHT) }
    }
    if (stage.name === 'products') return { ...stage, coordinates: width, clip: rowClip }
    const spread = Math.sqrt(1 + 2 * SPREAD_WEIGHT * SPREAD_WEIGHT)
    return { ...stage, coordinates: width + 2, clip: rowClip * stage.residualClip * spread }
  })
  const all = shapes.reduce((sum, { coordinates }) => sum + coordinates, 0)
  const kind = delta > 0 ? 'gaussian' : 'laplace'
  return calibrated(() => {
    let rho = 0
    const stages = shapes.map((shape): RegressionStage => {
      const squared = gridBound(shape.coordinates)
      if (kind === 'gaussian') {
        const scaled = (squared * 100n + BigInt(shape.share) - 1n) / BigInt(shape.share)
        const sigmaSquared = plannedSigmaSquared({ epsilon, delta, squared: scaled, coordinates: all })
        rho += rhoOf(squared, sigmaSquared)
        return { ...shape, sensitivity: squared.toString(), noise: asText(sigmaSquared) }
      }
      // |v|_1 <= sqrt(coordinates) |v|_2.
      const sensitivity = BigInt(Math.ceil(Math.sqrt(shape.coordinates * Number(squared)) * (1 + 1e-12)))
      const scale = plannedScale((epsilon * shape.share) / 100, sensitivity)
      return { ...shape, sensitivity: sensitivity.toString(), noise: asText(scale) }
    })
    const charge = kind === 'gaussian' ? gaussianCharge(epsilon, delta, rho) : { epsilon, delta }
    return { mechanism: { kind, rowClipSquared, stages }, charge }
  })
}

/** The noise of a stage in the form that the samplers take. */
export function stageNoise(mechanism: RegressionMechanism, stage: RegressionStage): Noise {
  return noiseOf(mechanism.kind, stage.noise)
}

/** Scale of a stage's noise in public coordinates: sigma (Gaussian) or the Laplace scale. */
export function realScale(mechanism: RegressionMechanism, stage: RegressionStage): number {
  const noise = stageNoise(mechanism, stage)
  const scale = noise.kind === 'gaussian' ? Math.sqrt(toNumber(noise.sigmaSquared)) : toNumber(noise.scale)
  return (scale * stage.clip) / GRID
}
