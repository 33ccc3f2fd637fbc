import type { Charge } from '@sealpool/privacy'
import {
  asText,
  calibrated,
  gaussianCharge,
  type PlannedFraction,
  plannedScale,
  plannedSigmaSquared,
  rhoOf,
} from '../noise/planned-noise.js'

/** Steps of the integer grid from the middle of an output's range to its end. */
const STEPS = 2 ** 24

/** All noise of a program. Plain JSON. */
export interface ProgramMechanism {
  /** Name and version of the method. */
  readonly method: 'sample-and-aggregate/1'
  readonly kind: 'gaussian' | 'laplace'
  /** Steps of the grid from the middle of an output's range to its end: no run moves an output's sum further from zero. */
  readonly steps: number
  /** What each run that answers adds to the sum that counts answers. */
  readonly answerSteps: number
  /** One contributor moves the released integers by at most this: squared L2 for Gaussian, L1 for Laplace noise. */
  readonly sensitivity: string
  /** sigma squared (Gaussian) or scale (Laplace) of the noise on each integer. */
  readonly noise: PlannedFraction
}

/**
 * Plans the noise of a program with `outputs` numbers.
 *
 * Each run gives an integer vector: for each output a value from `-steps` to `steps`, and `answerSteps` for having answered; a run
 * without an answer gives zeros. Their sum is released. Adding or removing one contributor changes it as follows, whatever the program does
 * with what it is given, since a run is given one block (or one contributor) and nothing else.
 *
 * - Blocks: a contributor's block follows from himself and the key, so one run's vector becomes another: `a` becomes `b`.
 * - Contributors: one vector `b` is added; where as many are run as may be, the last of the order, `a`, goes for it. No other run changes.
 *
 * So the sum moves by `b - a`, where either may be zero. If both answered, the counts cancel and each output moves by at most
 * `2 * steps`: `4 * outputs * steps^2` (squared L2) or `2 * outputs * steps` (L1). If one is zero, it moves by at most
 * `outputs * steps^2 + answerSteps^2` or `outputs * steps + answerSteps`. Counting answers is therefore free up to
 * `answerSteps = sqrt(3 * outputs) * steps` or `outputs * steps`, where the two are equal; that is what is taken.
 *
 * @param options - The job's `epsilon` and `delta`, and the number of `outputs`.
 * @returns The mechanism and what it costs.
 * @throws ComputeError `PARAMETERS_INVALID` when no noise fits (an epsilon far below 1e-6).
 */
export function programMechanism(options: {
  readonly epsilon: number
  readonly delta: number
  readonly outputs: number
}): { readonly mechanism: ProgramMechanism; readonly charge: Charge } {
  const { epsilon, delta, outputs } = options
  const common = { method: 'sample-and-aggregate/1', steps: STEPS } as const
  const [width, one] = [BigInt(outputs), BigInt(STEPS)]
  return calibrated(() => {
    if (delta > 0) {
      const answerSteps = Math.floor(Math.sqrt(3 * outputs) * STEPS)
      const squared = larger(4n * width * one ** 2n, width * one ** 2n + BigInt(answerSteps) ** 2n)
      const sigmaSquared = plannedSigmaSquared({ epsilon, delta, squared, coordinates: outputs + 1 })
      return {
        mechanism: {
          ...common,
          kind: 'gaussian',
          answerSteps,
          sensitivity: squared.toString(),
          noise: asText(sigmaSquared),
        },
        charge: gaussianCharge(epsilon, delta, rhoOf(squared, sigmaSquared)),
      }
    }
    const answerSteps = outputs * STEPS
    const sensitivity = larger(2n * width * one, width * one + BigInt(answerSteps))
    return {
      mechanism: {
        ...common,
        kind: 'laplace',
        answerSteps,
        sensitivity: sensitivity.toString(),
        noise: asText(plannedScale(epsilon, sensitivity)),
      },
      charge: { epsilon, delta },
    }
  })
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
