import { gaussianInterval, type Interval, laplaceInterval, type Noise } from '@sealpool/privacy'
import { roundReleased } from '../computation/round-released.js'
import { ComputeError } from '../errors.js'
import { noiseOf } from '../noise/planned-noise.js'
import { scaleOf } from './answer.js'
import { meanHalfWidth } from './mean-half-width.js'
import type { ProgramPlan } from './plan-program.js'

/** A released number with its interval. */
export interface ReleasedNumber extends Interval {
  readonly value: number
}

/** A released output with its interval. */
export interface ReleasedOutput extends ReleasedNumber {
  readonly name: string
}

/**
 * Reads means and the number of answers out of noisy sums. Nothing here looks at data.
 *
 * @param plan - Of the program.
 * @param noisy - Sums with noise: one for each output, the count of answers last.
 * @returns What is released.
 * @throws ComputeError `TOO_FEW_CONTRIBUTORS` when, by the noisy count, too few runs answered.
 */
export function releasedNumbers(
  plan: ProgramPlan,
  noisy: readonly bigint[],
): { readonly outputs: readonly ReleasedOutput[]; readonly answered: ReleasedNumber } {
  const { mechanism, outputs, split, significantDigits: digits } = plan
  const { steps, answerSteps } = mechanism
  const count = Number(noisy[outputs.length] ?? 0n) / answerSteps
  requireEnough(plan, count)
  const noise = noiseOf(mechanism.kind, mechanism.noise)
  const each = meanHalfWidth(noise, steps / answerSteps) / steps
  const means = outputs.map(({ name, min, max }, index): ReleasedOutput => {
    const { middle, half } = scaleOf({ min, max })
    const sum = Number(noisy[index] ?? 0n) / steps
    const mean = (noisySum: number): number => within(middle + (half * noisySum) / count, min, max)
    return {
      name,
      ...roundReleased({ value: mean(sum), low: mean(sum - each), high: mean(sum + each) }, digits),
    }
  })
  const most = split.kind === 'contributors' ? split.atMost : split.blocks
  const width = countHalfWidth(noise) / answerSteps
  const answered = {
    value: within(count, 0, most),
    low: within(count - width, 0, most),
    high: within(count + width, 0, most),
  }
  return { outputs: means, answered: roundReleased(answered, digits) }
}

function requireEnough({ split, minimumContributors }: ProgramPlan, count: number): void {
  if (split.kind === 'contributors' && count < minimumContributors) {
    throw new ComputeError(
      'TOO_FEW_CONTRIBUTORS',
      'rows',
      `The program answered for fewer than ${minimumContributors} contributors. Wait for more contributions, or see whether it fails.`,
    )
  }
  if (split.kind === 'blocks' && count < split.blocks / 2) {
    throw new ComputeError(
      'TOO_FEW_CONTRIBUTORS',
      'rows',
      `The program answered for fewer than half of its ${split.blocks} blocks. Ask for fewer blocks, or see whether it fails.`,
    )
  }
}

/** Half-width of the noise on one integer, at 95 %. */
function countHalfWidth(noise: Noise): number {
  return noise.kind === 'gaussian'
    ? gaussianInterval({ sigmaSquared: noise.sigmaSquared }).halfWidth
    : laplaceInterval({ scale: noise.scale }).halfWidth
}

function within(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}
