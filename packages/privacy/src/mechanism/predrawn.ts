import type { GaussianCalibration, LaplaceCalibration } from './calibration.js'
import { discreteGaussian } from './discrete-gaussian.js'
import { discreteLaplace } from './discrete-laplace.js'
import { buffered, type RandomBytes } from './random.js'

/** Which noise to draw. */
export type Noise =
  | Pick<LaplaceCalibration, 'kind' | 'scale'>
  | Pick<GaussianCalibration, 'kind' | 'sigmaSquared'>

/** Noise drawn before the data is looked at. */
export interface NoisePool {
  /**
   * Draws ahead. Call it with public numbers only (a plan's columns times the policy's maximum of groups).
   * @param noise - Kind and scale.
   * @param count - How many samples to have ready for it.
   */
  reserve(noise: Noise, count: number): void
  /**
   * Hands out one sample, once.
   * @param noise - Kind and scale.
   * @returns A reserved sample, or a fresh one when none is left.
   */
  draw(noise: Noise): bigint
}

/**
 * A pool of noise. Rejection sampling takes a time that depends on the value drawn; drawing everything before
 * the query runs keeps that time apart from the answer's.
 *
 * @param random - Randomness port.
 * @returns An empty pool.
 */
export function predrawn(random: RandomBytes): NoisePool {
  const bytes = buffered(random)
  const ready = new Map<string, bigint[]>()
  const keyOf = (noise: Noise): string => {
    const { numerator, denominator } = noise.kind === 'laplace' ? noise.scale : noise.sigmaSquared
    return `${noise.kind}:${numerator}/${denominator}`
  }
  return {
    reserve(noise, count) {
      const key = keyOf(noise)
      const samples = ready.get(key) ?? []
      while (samples.length < count) samples.push(sampleNoise(noise, bytes))
      ready.set(key, samples)
    },
    draw(noise) {
      return ready.get(keyOf(noise))?.pop() ?? sampleNoise(noise, bytes)
    },
  }
}

/**
 * One exact sample of either kind.
 *
 * @param noise - Kind and scale.
 * @param random - Randomness port.
 * @returns Integer noise.
 * @throws PrivacyError `PARAMETER_INVALID` when the scale is not positive.
 */
export function sampleNoise(noise: Noise, random: RandomBytes): bigint {
  return noise.kind === 'laplace'
    ? discreteLaplace({ scale: noise.scale, random })
    : discreteGaussian({ sigmaSquared: noise.sigmaSquared, random })
}
