import { toUnits } from '../accountant/amount.js'
import { PrivacyError } from '../errors.js'
import { bernoulliExp } from './bernoulli.js'
import { geometricSampler } from './discrete-laplace.js'
import { buffered, type RandomBytes, uniformBelow } from './random.js'
import { type Rational, rational } from './rational.js'

/** Most candidates of one selection. */
const MOST_CANDIDATES = 1_000_000

/** What a private selection among public candidates costs. */
export interface SelectionCost {
  /** Pure epsilon of the selection, at least 1e-9; rounded down to that grid. */
  readonly epsilon: number
  /** One contributor moves no score by more than this many units; at least 1. */
  readonly sensitivity: bigint
  /**
   * Whether one contributor's data can only raise all scores or only lower all of them (counts, for example). Then half of
   * the noise suffices. Default false.
   */
  readonly monotone?: boolean
}

/**
 * Chooses among public candidates one with a high score, by permute-and-flip (McKenna, Sheldon 2020): candidates are
 * visited in random order and taken with probability exp(-(best - score) / scale). Pure epsilon-DP, never worse than the
 * exponential mechanism, exact on integers.
 *
 * The number of coins depends on the scores, and with it the time. Where an adversary measures time, use
 * {@link prepareSelection}, which has the same distribution up to ties.
 *
 * @param options - {@link SelectionCost}, `scores`: one for each candidate, from 1 to 1,000,000 of them, and the
 *   randomness port.
 * @returns Index of the chosen candidate.
 * @throws PrivacyError `PARAMETER_INVALID`.
 * @example
 * ```ts
 * import { permuteAndFlip, platformRandom } from '@sealpool/privacy'
 * const scores = [3n, 90n, 5n]
 * const index = permuteAndFlip({ scores, epsilon: 1, sensitivity: 1n, random: platformRandom })
 * console.assert(index === 1)
 * ```
 */
export function permuteAndFlip(
  options: SelectionCost & { readonly scores: readonly bigint[]; readonly random: RandomBytes },
): number {
  const { scores } = options
  checkCandidates(scores.length)
  const { numerator, denominator } = selectionScale(options)
  const random = buffered(options.random)
  const best = scores.reduce((high, score) => (score > high ? score : high), scores[0] ?? 0n)
  const order = Array.from(scores.keys())
  for (let left = order.length; left > 0; left--) {
    const at = Number(uniformBelow(BigInt(left), random))
    const candidate = order[at] ?? 0
    order[at] = order[left - 1] ?? 0
    const gap = (best - (scores[candidate] ?? best)) * denominator
    if (bernoulliExp({ numerator: gap, denominator: numerator }, random)) return candidate
  }
  throw new PrivacyError(
    'PARAMETER_INVALID',
    'random',
    'No candidate was taken although the best one always is: the randomness port is broken.',
  )
}

/** A selection whose noise is drawn already; it serves once. */
export interface PreparedSelection {
  /**
   * Takes the candidate whose score plus noise is highest; of equal ones the first.
   * @param scores - One for each candidate, as many as were announced.
   * @returns Index of the chosen candidate.
   * @throws PrivacyError `PARAMETER_INVALID` for another number of scores; `NOISE_NOT_RESERVED` at the second call.
   */
  choose(scores: readonly bigint[]): number
}

/**
 * Report-noisy-max with one-sided geometric noise, all of it drawn before a score is looked at and all of it used, so that
 * neither the time nor the use of randomness tells anything. Pure epsilon-DP.
 *
 * Why: fix the noise of all candidates but i. Candidate i wins exactly when its noise reaches some least integer r, and on
 * neighbouring data when it reaches at most r + 2 * sensitivity (r + sensitivity for monotone scores); the tail
 * P[noise >= r] shrinks by at most exp(-1 / scale) per step. Ties go to the lower index, which keeps "some least integer"
 * true. The distribution is permute-and-flip's up to ties (Ding, Kifer, Steinke et al. 2021).
 *
 * @param options - {@link SelectionCost}, `candidates`: their number, from 1 to 1,000,000, and the randomness port.
 * @returns The prepared selection.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function prepareSelection(
  options: SelectionCost & { readonly candidates: number; readonly random: RandomBytes },
): PreparedSelection {
  checkCandidates(options.candidates)
  const random = buffered(options.random)
  const sample = geometricSampler(selectionScale(options))
  let noise: bigint[] | undefined = Array.from({ length: options.candidates }, () => sample(random))
  return {
    choose(scores) {
      if (noise === undefined) {
        throw new PrivacyError(
          'NOISE_NOT_RESERVED',
          'choose',
          'This selection was made already. Each selection needs noise of its own: prepare another and charge it.',
        )
      }
      if (scores.length !== noise.length) {
        throw new PrivacyError(
          'PARAMETER_INVALID',
          'scores',
          `The selection was prepared for ${noise.length} candidates; give one score for each.`,
        )
      }
      let chosen = 0
      let high = (scores[0] ?? 0n) + (noise[0] ?? 0n)
      for (let index = 1; index < noise.length; index++) {
        const noisy = (scores[index] ?? 0n) + (noise[index] ?? 0n)
        if (noisy > high) [chosen, high] = [index, noisy]
      }
      noise = undefined
      return chosen
    },
  }
}

/**
 * {@link prepareSelection} and its choice in one call.
 *
 * @param options - {@link SelectionCost}, `scores` and the randomness port.
 * @returns Index of the chosen candidate.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function reportNoisyMax(
  options: SelectionCost & { readonly scores: readonly bigint[]; readonly random: RandomBytes },
): number {
  return prepareSelection({ ...options, candidates: options.scores.length }).choose(options.scores)
}

/** 2 * sensitivity / epsilon, or half of that for monotone scores. */
function selectionScale({ epsilon, sensitivity, monotone }: SelectionCost): Rational {
  const units = toUnits(epsilon, 'epsilon', 'down')
  if (units < 1n) {
    throw new PrivacyError('PARAMETER_INVALID', 'epsilon', 'A selection needs an epsilon of at least 1e-9.')
  }
  if (sensitivity < 1n) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'sensitivity',
      'The sensitivity of a score must be at least 1.',
    )
  }
  return rational((monotone === true ? 1n : 2n) * sensitivity * 1_000_000_000n, units)
}

function checkCandidates(count: number): void {
  if (Number.isSafeInteger(count) && count >= 1 && count <= MOST_CANDIDATES) return
  throw new PrivacyError(
    'PARAMETER_INVALID',
    'candidates',
    `A selection needs between 1 and ${MOST_CANDIDATES} candidates.`,
  )
}
