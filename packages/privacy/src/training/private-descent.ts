import { toUnits } from '../accountant/amount.js'
import type { Charge } from '../accountant/filter.js'
import { PrivacyError } from '../errors.js'
import { bernoulli } from '../mechanism/bernoulli.js'
import { buffered, type RandomBytes } from '../mechanism/random.js'
import { noisyVectorSum } from './integer-grid.js'
import { trainingCharge } from './renyi.js'

/** What a private training does. All of it is public. */
export interface DescentPlan {
  /** Number of parameters of the model. */
  readonly coordinates: number
  /** Longest gradient of one contributor; longer ones are scaled down. */
  readonly clip: number
  /** sigma over sensitivity of each step. */
  readonly noiseMultiplier: number
  /** Chance of each contributor to take part in a step, rounded down to 1e-9. */
  readonly samplingRate: number
  readonly steps: number
  /** Step length at step `step`, from 0. */
  readonly learningRate: (step: number) => number
  readonly delta: number
  /** A public guess of the number of contributors, by which sums are divided. */
  readonly expectedContributors: number
}

/** A trained model and its price. */
export interface PrivateModel {
  readonly parameters: readonly number[]
  readonly charge: Charge
}

/**
 * What a training will cost; ask before it runs.
 *
 * @param plan - The plan.
 * @returns The charge.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function descentCharge(plan: DescentPlan): Charge {
  return trainingCharge(plan)
}

/**
 * Trains by differentially private stochastic gradient descent (Abadi et al. 2016): in each step every contributor takes part by an
 * exact coin, its gradient is clipped and put on an integer grid, the sum gets discrete Gaussian noise.
 *
 * The gradient is computed in floating point from one contributor's data only; sums and noise are exact. The time of a step tells
 * how many took part.
 *
 * @param options - {@link DescentPlan}; `contributors`: each one's data as a whole, one entry for each contributor;
 *   `gradient`: of the loss of one contributor; `start`: parameters to start from; `random`.
 * @returns Parameters and the charge, which must be booked before they leave.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function privateDescent<Data>(
  options: DescentPlan & {
    readonly contributors: readonly Data[]
    readonly gradient: (parameters: readonly number[], data: Data) => readonly number[]
    readonly start?: readonly number[]
    readonly random: RandomBytes
  },
): PrivateModel {
  const { coordinates, contributors, gradient, samplingRate, expectedContributors } = options
  const charge = descentCharge(options)
  if (!(expectedContributors >= 1 && Number.isFinite(expectedContributors))) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'expectedContributors',
      'expectedContributors must be a finite number of at least 1.',
    )
  }
  let parameters = [...(options.start ?? new Array<number>(coordinates).fill(0))]
  if (parameters.length !== coordinates) {
    throw new PrivacyError('PARAMETER_INVALID', 'start', 'start needs one number for each coordinate.')
  }
  const random = buffered(options.random)
  // Epsilon's grid of 1e-9 serves for the rate as well.
  const chance = { numerator: toUnits(samplingRate, 'epsilon', 'down'), denominator: 1_000_000_000n }
  const batch = Math.max(1, expectedContributors * samplingRate)
  for (let step = 0; step < options.steps; step++) {
    const at = parameters
    const vectors = contributors.filter(() => bernoulli(chance, random)).map((data) => gradient(at, data))
    const { sum } = noisyVectorSum({ ...options, vectors, random })
    const rate = options.learningRate(step)
    parameters = at.map((value, index) => value - (rate * (sum[index] ?? 0)) / batch)
  }
  return { parameters, charge }
}
