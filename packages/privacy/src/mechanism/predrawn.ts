import { PrivacyError } from '../errors.js'
import type { GaussianCalibration, LaplaceCalibration } from './calibration.js'
import { discreteGaussian, gaussianSampler } from './discrete-gaussian.js'
import { discreteLaplace, laplaceSampler } from './discrete-laplace.js'
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
 * @param options - `whenEmpty`: `sample` (the default) draws a fresh sample when none is left, `refuse` throws, so that a
 *   plan that reserved too little is found out instead of answering in a time that tells its noise.
 * @returns An empty pool.
 */
export function predrawn(
  random: RandomBytes,
  options: { readonly whenEmpty?: 'sample' | 'refuse' } = {},
): NoisePool {
  const bytes = buffered(random)
  const ready = new Map<string, { readonly sample: () => bigint; readonly samples: bigint[] }>()
  const shelf = (noise: Noise) => {
    const { numerator, denominator } = noise.kind === 'laplace' ? noise.scale : noise.sigmaSquared
    const key = `${noise.kind}:${numerator}/${denominator}`
    const known = ready.get(key)
    if (known !== undefined) return known
    const sampler =
      noise.kind === 'laplace' ? laplaceSampler(noise.scale) : gaussianSampler(noise.sigmaSquared)
    const made = { sample: () => sampler(bytes), samples: [] }
    ready.set(key, made)
    return made
  }
  return {
    reserve(noise, count) {
      const { sample, samples } = shelf(noise)
      while (samples.length < count) samples.push(sample())
    },
    draw(noise) {
      const { sample, samples } = shelf(noise)
      const drawn = samples.pop()
      if (drawn !== undefined) return drawn
      if (options.whenEmpty !== 'refuse') return sample()
      throw new PrivacyError(
        'NOISE_NOT_RESERVED',
        'noise',
        'More noise is asked for than was drawn ahead. Reserve as many samples as the plan may need before it looks at data.',
      )
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
