import type { Charge } from '../accountant/filter.js'
import { PrivacyError } from '../errors.js'

/** Largest order that is tried. */
const LARGEST_ORDER = 512

/**
 * Price of repeated noisy sums over random samples of contributors (DP-SGD): Renyi differential privacy of the Poisson-sampled
 * Gaussian at whole orders (Mironov, Talwar, Zhang 2019, section 3.3), composed over steps, converted to (epsilon, delta) as in
 * Canonne, Kamath, Steinke 2020, proposition 12.
 *
 * It holds for the discrete Gaussian on integer vectors as well: for a whole-number shift v and a whole k, the sum over x of
 * P[x - v]^k P[x]^(1-k) is exactly exp(k (k-1) |v|^2 / (2 sigma^2)), because shifting the lattice by k v changes nothing, and
 * reflection at v swaps the two distributions, which is all that the derivation uses. The neighbouring relation is: one
 * contributor joins or leaves.
 *
 * @param options - `noiseMultiplier`: sigma over sensitivity, from 0.01 to 1e6; `samplingRate` from above 0 to 1; `steps`, at least
 *   1; `delta` in (0, 1).
 * @returns A charge for the whole training. Without sampling it also states zCDP.
 * @throws PrivacyError `PARAMETER_INVALID`.
 * @example
 * ```ts
 * import { trainingCharge } from '@sealpool/privacy/training'
 * const { epsilon } = trainingCharge({ noiseMultiplier: 1.1, samplingRate: 0.01, steps: 1000, delta: 1e-5 })
 * console.assert(epsilon > 1 && epsilon < 2)
 * ```
 */
export function trainingCharge(options: {
  readonly noiseMultiplier: number
  readonly samplingRate: number
  readonly steps: number
  readonly delta: number
}): Charge {
  const { noiseMultiplier, samplingRate, steps, delta } = options
  const refuse = (place: string, message: string): never => {
    throw new PrivacyError('PARAMETER_INVALID', place, message)
  }
  if (!(noiseMultiplier >= 0.01 && noiseMultiplier <= 1e6)) {
    refuse('noiseMultiplier', 'The noise multiplier must lie between 0.01 and 1e6.')
  }
  if (!(samplingRate > 0 && samplingRate <= 1))
    refuse('samplingRate', 'The sampling rate lies above 0 and is at most 1.')
  if (!Number.isSafeInteger(steps) || steps < 1)
    refuse('steps', 'steps must be a whole number of at least 1.')
  if (!(delta > 0 && delta < 1)) refuse('delta', 'delta must lie strictly between 0 and 1.')
  let epsilon = Number.POSITIVE_INFINITY
  for (let order = 2; order <= LARGEST_ORDER; order++) {
    const divergence = steps * sampledDivergence(order, noiseMultiplier, samplingRate)
    epsilon = Math.min(epsilon, renyiEpsilon(order, divergence, delta))
  }
  const charge = { epsilon: Math.max(0, epsilon) * (1 + 1e-9), delta }
  if (samplingRate < 1) return charge
  const rho = (steps / (2 * noiseMultiplier ** 2)) * (1 + 1e-9)
  return { ...charge, zcdp: { rho, delta: 0 } }
}

/**
 * Epsilon that a Renyi divergence implies at a delta (Canonne, Kamath, Steinke 2020, proposition 12).
 *
 * @param order - alpha above 1.
 * @param divergence - Renyi divergence of that order.
 * @param delta - In (0, 1).
 * @returns Epsilon; may be negative, which stands for 0.
 */
export function renyiEpsilon(order: number, divergence: number, delta: number): number {
  return divergence + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1)
}

/** log(sum over k of C(order, k) (1-q)^(order-k) q^k exp(k (k-1) / (2 sigma^2))) / (order - 1). */
function sampledDivergence(order: number, sigma: number, rate: number): number {
  if (rate === 1) return order / (2 * sigma * sigma)
  const logRate = Math.log(rate)
  const logRest = Math.log1p(-rate)
  let logChoose = 0
  let largest = Number.NEGATIVE_INFINITY
  const terms: number[] = []
  for (let k = 0; k <= order; k++) {
    const term = logChoose + k * logRate + (order - k) * logRest + (k * (k - 1)) / (2 * sigma * sigma)
    terms.push(term)
    largest = Math.max(largest, term)
    logChoose += Math.log(order - k) - Math.log(k + 1)
  }
  const sum = terms.reduce((total, term) => total + Math.exp(term - largest), 0)
  return (largest + Math.log(sum)) / (order - 1)
}
