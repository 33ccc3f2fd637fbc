import { gaussianInterval, type Noise, toNumber } from '@sealpool/privacy'

/** No true answer leaves a tail of more than this outside of an interval. */
const TAIL = 0.05

/**
 * Half-width of the interval for a mean that is read from a noisy sum and a noisy count, in steps of the sum: the mean lies within this over
 * the noisy count, on both sides, in at least 95 of 100 releases.
 *
 * The true sum is the true mean `m` times the true count. So noisy sum less `m` times noisy count (in steps of the sum) is
 * nothing but noise, `e1 - m * ratio * e2`, whatever the data is (Fieller 1954). No answer leaves its range, so `m` lies from -1 to 1, and the
 * noise is largest where it is 1.
 *
 * @param noise - On each integer.
 * @param ratio - Steps of the sum over those of the count: 0 to 1.
 * @returns Half-width in steps of the sum.
 */
export function meanHalfWidth(noise: Noise, ratio: number): number {
  if (noise.kind === 'gaussian') {
    const { sigmaSquared } = noise
    return gaussianInterval({ sigmaSquared, confidence: 1 - TAIL }).halfWidth * Math.hypot(1, ratio)
  }
  let [low, high] = [0, 100]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (tailOfTwo(middle, ratio) > TAIL) low = middle
    else high = middle
  }
  return Math.ceil(high * toNumber(noise.scale)) + 1
}

/** Chance that the sum of Laplace noise of scale 1 and of scale `ratio` lies further from zero than `distance`. */
function tailOfTwo(distance: number, ratio: number): number {
  if (ratio === 1) return (1 + distance / 2) * Math.exp(-distance)
  const squared = ratio * ratio
  return (Math.exp(-distance) - squared * Math.exp(-distance / ratio)) / (1 - squared)
}
