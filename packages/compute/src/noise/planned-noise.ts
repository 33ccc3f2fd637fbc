import {
  type Charge,
  gaussianSigmaFor,
  laplaceScaleFor,
  type Noise,
  PrivacyError,
  type Rational,
  toNumber,
} from '@sealpool/privacy'
import { ComputeError } from '../errors.js'

/** A positive fraction as a plan carries it: big integers as decimal text. */
export interface PlannedFraction {
  readonly numerator: string
  readonly denominator: string
}

/** Noise in a plan, in the form that the samplers take. */
export function noiseOf(kind: Noise['kind'], { numerator, denominator }: PlannedFraction): Noise {
  const fraction = { numerator: BigInt(numerator), denominator: BigInt(denominator) }
  return kind === 'gaussian'
    ? { kind: 'gaussian', sigmaSquared: fraction }
    : { kind: 'laplace', scale: fraction }
}

/** sigma squared of Gaussian noise: analytic, or by the slightly costlier zCDP where delta is too small for the grid. */
export function plannedSigmaSquared(options: {
  readonly epsilon: number
  readonly delta: number
  readonly squared: bigint
  readonly coordinates: number
}): Rational {
  const { epsilon, delta, squared, coordinates } = options
  const sensitivity = { squared }
  try {
    return gaussianSigmaFor({ epsilon, delta, sensitivity, coordinates, method: 'analytic' }).sigmaSquared
  } catch (error) {
    if (!(error instanceof PrivacyError && error.place === 'method')) throw error
    return gaussianSigmaFor({ epsilon, delta, sensitivity, method: 'zcdp' }).sigmaSquared
  }
}

/** Scale of Laplace noise for an L1 sensitivity. */
export function plannedScale(epsilon: number, sensitivity: bigint): Rational {
  return laplaceScaleFor({ epsilon, sensitivity }).scale
}

/** zCDP cost of Gaussian noise against a squared L2 sensitivity, for one release. */
export function rhoOf(squared: bigint, sigmaSquared: Rational): number {
  return Number(squared) / (2 * toNumber(sigmaSquared))
}

/** What Gaussian noise costs, rho rounded up to nine significant digits so that the plan's JSON is short and never too cheap. */
export function gaussianCharge(epsilon: number, delta: number, rho: number): Charge {
  return { epsilon, delta, zcdp: { rho: Number((rho * (1 + 2e-9)).toPrecision(9)), delta: 0 } }
}

/** A fraction as plans carry it. */
export function asText(value: Rational): PlannedFraction {
  return { numerator: value.numerator.toString(), denominator: value.denominator.toString() }
}

/**
 * Runs a calibration; that no noise fits is an error about the job's privacy.
 *
 * @param calibrate - What computes scales.
 * @returns What it gives.
 * @throws ComputeError `PARAMETERS_INVALID` in place of a PrivacyError.
 */
export function calibrated<Result>(calibrate: () => Result): Result {
  try {
    return calibrate()
  } catch (cause) {
    if (!(cause instanceof PrivacyError)) throw cause
    throw new ComputeError(
      'PARAMETERS_INVALID',
      'privacy',
      `No noise can be computed for this epsilon and delta: ${cause.message}`,
      { cause },
    )
  }
}
