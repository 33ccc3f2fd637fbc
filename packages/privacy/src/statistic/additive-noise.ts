import type { Charge } from '../accountant/filter.js'
import { PrivacyError } from '../errors.js'
import { gaussianSigmaFor, laplaceScaleFor, type Sensitivity } from '../mechanism/calibration.js'
import { gaussianInterval, laplaceInterval } from '../mechanism/interval.js'
import type { Noise } from '../mechanism/predrawn.js'

/** Price of a released number. Without delta (or with 0) the noise is discrete Laplace, otherwise discrete Gaussian. */
export interface ReleaseCost {
  readonly epsilon: number
  readonly delta?: number
}

/** A released integer and what may be said about it. */
export interface ReleasedNumber {
  /** The exact number plus noise. */
  readonly value: bigint
  /** With the given confidence the exact number is within value +- halfWidth. */
  readonly halfWidth: number
  /** How far one contributor can move the exact number, in its units. */
  readonly sensitivity: bigint
}

/** Noise of known size, with its price. */
export interface AdditiveNoise {
  readonly noise: Noise
  readonly halfWidth: number
  readonly charge: Charge
}

/**
 * Noise for integers of which one contributor moves the sum of absolute values by `l1` and the length by `l2`.
 *
 * @param options - Cost; `l1` and `l2` sensitivity; `confidence` of the half-width, default 0.95.
 * @returns Noise, half-width and charge.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function additiveNoise(
  options: ReleaseCost & { readonly l1: bigint; readonly l2: Sensitivity; readonly confidence?: number },
): AdditiveNoise {
  const { epsilon, delta = 0 } = options
  const confidence = options.confidence === undefined ? {} : { confidence: options.confidence }
  if (delta === 0) {
    const noise = laplaceScaleFor({ epsilon, sensitivity: options.l1 })
    return {
      noise,
      halfWidth: laplaceInterval({ scale: noise.scale, ...confidence }).halfWidth,
      charge: { epsilon, delta },
    }
  }
  const noise = gaussianSigmaFor({ epsilon, delta, sensitivity: options.l2 })
  return {
    noise,
    halfWidth: gaussianInterval({ sigmaSquared: noise.sigmaSquared, ...confidence }).halfWidth,
    charge: { epsilon, delta, zcdp: { rho: noise.rho, delta: 0 } },
  }
}

/** A public range of values. */
export interface ValueRange {
  readonly min: bigint
  readonly max: bigint
}

/**
 * A value moved to the nearest end of a range.
 *
 * @param value - Any integer.
 * @param range - Range with min <= max.
 * @returns Integer within the range.
 */
export function clamp(value: bigint, { min, max }: ValueRange): bigint {
  return value < min ? min : value > max ? max : value
}

/**
 * Insists on a range that is not empty.
 *
 * @param range - Range to check.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function checkRange({ min, max }: ValueRange): void {
  if (min < max) return
  throw new PrivacyError(
    'PARAMETER_INVALID',
    'max',
    'A public range needs min below max; it is what bounds one row.',
  )
}
