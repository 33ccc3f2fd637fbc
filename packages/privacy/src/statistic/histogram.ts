import type { Charge } from '../accountant/filter.js'
import { PrivacyError } from '../errors.js'
import { laplaceScaleFor } from '../mechanism/calibration.js'
import { selectPartition } from '../mechanism/partition-selection.js'
import { predrawn } from '../mechanism/predrawn.js'
import { buffered, type RandomBytes } from '../mechanism/random.js'
import { toNumber } from '../mechanism/rational.js'
import { additiveNoise, type ReleaseCost } from './additive-noise.js'
import { boundContributions, type ContributedRow, checkWhole } from './contribution-bound.js'

/** What every histogram is told. */
interface HistogramQuestion {
  readonly rows: Iterable<ContributedRow>
  /** Groups in which one contributor counts. */
  readonly groupsPerContributor: number
  readonly random: RandomBytes
}

/** A released histogram of contributors by group. */
export interface NoisyHistogram {
  /** Sorted by group, so that the order tells nothing about the data. */
  readonly groups: readonly { readonly group: string; readonly contributors: bigint }[]
  /** Half-width of each count at 95 %. */
  readonly halfWidth: number
  readonly charge: Charge
}

/**
 * Contributors in each of some public groups. Every public group is answered, also an empty one; others are ignored.
 *
 * @param options - Rows, `groups`: public names, `groupsPerContributor`, cost and randomness port.
 * @returns The histogram.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function histogramOfPublicGroups(
  options: HistogramQuestion & ReleaseCost & { readonly groups: readonly string[] },
): NoisyHistogram {
  checkWhole(options.groupsPerContributor, 'groupsPerContributor')
  const names = [...new Set(options.groups)].sort()
  const l1 = BigInt(options.groupsPerContributor)
  const { noise, halfWidth, charge } = additiveNoise({ ...options, l1, l2: { squared: l1 } })
  const pool = predrawn(options.random, { whenEmpty: 'refuse' })
  pool.reserve(noise, names.length)
  const known = new Set(names)
  const counts = contributorsByGroup(options, (group) => known.has(group))
  return {
    groups: names.map((group) => ({
      group,
      contributors: BigInt(counts.get(group) ?? 0) + pool.draw(noise),
    })),
    halfWidth,
    charge,
  }
}

/**
 * Contributors by group where the groups' names are private themselves: a group is shown by optimal partition selection behind
 * a minimum, then its count gets noise of its own.
 *
 * @param options - Rows; `groupsPerContributor`; `selection`: epsilon and delta for deciding which groups appear; `count`:
 *   epsilon for the noise of counts; `minimumContributors` (default 1); `maximumGroups`: for so many groups noise is drawn
 *   ahead; the randomness port.
 * @returns The histogram; its charge is both costs together.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function histogramOfPrivateGroups(
  options: HistogramQuestion & {
    readonly selection: { readonly epsilon: number; readonly delta: number }
    readonly count: { readonly epsilon: number }
    readonly minimumContributors?: number
    readonly maximumGroups: number
  },
): NoisyHistogram {
  checkWhole(options.groupsPerContributor, 'groupsPerContributor')
  checkWhole(options.maximumGroups, 'maximumGroups')
  const share = options.groupsPerContributor
  const l1 = BigInt(share)
  const { noise, halfWidth } = additiveNoise({ ...options.count, l1, l2: { squared: l1 } })
  const pool = predrawn(options.random)
  pool.reserve(noise, options.maximumGroups)
  const random = buffered(options.random)
  const { epsilon, delta } = options.selection
  const groups = [...contributorsByGroup(options, () => true)]
    .sort(byName)
    .flatMap(([group, contributors]) => {
      const kept = selectPartition({
        epsilon: epsilon / share,
        delta: delta / share,
        minimumContributors: options.minimumContributors ?? 1,
        contributors,
        random,
      })
      return kept ? [{ group, contributors: BigInt(contributors) + pool.draw(noise) }] : []
    })
  return { groups, halfWidth, charge: { epsilon: epsilon + options.count.epsilon, delta } }
}

/**
 * The same with one noise for both ends: a group is shown when its noisy count reaches a threshold (Korolova et al. 2009; the
 * form that SQL systems call tau-thresholding). Cheaper where counts are wanted anyway, worse for small groups.
 *
 * @param options - Rows; `groupsPerContributor`; epsilon and delta; `minimumContributors` (default 1); `maximumGroups`; the
 *   randomness port.
 * @returns The histogram.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function histogramAboveThreshold(
  options: HistogramQuestion & {
    readonly epsilon: number
    readonly delta: number
    readonly minimumContributors?: number
    readonly maximumGroups: number
  },
): NoisyHistogram {
  checkWhole(options.maximumGroups, 'maximumGroups')
  const threshold = BigInt(laplaceThreshold(options))
  const { epsilon, delta, groupsPerContributor } = options
  const minimum = options.minimumContributors ?? 1
  checkWhole(minimum, 'minimumContributors')
  const l1 = BigInt(groupsPerContributor)
  const { noise, halfWidth } = additiveNoise({ epsilon, l1, l2: { squared: l1 } })
  const pool = predrawn(options.random)
  pool.reserve(noise, options.maximumGroups)
  const groups = [...contributorsByGroup(options, () => true)].sort(byName).flatMap(([group, exact]) => {
    if (exact < minimum) return []
    const contributors = BigInt(exact) + pool.draw(noise)
    return contributors - BigInt(minimum - 1) >= threshold ? [{ group, contributors }] : []
  })
  return { groups, halfWidth, charge: { epsilon, delta } }
}

/**
 * Least noisy count at which a group may be shown, so that a group of one contributor appears with probability of at most
 * delta, over all groups of that contributor together: P[1 + noise >= threshold] <= delta / groups for discrete Laplace noise
 * of scale groups / epsilon.
 *
 * @param options - `epsilon`, `delta` between 1e-18 and 1/2, `groupsPerContributor`.
 * @returns Whole number; the real one, rounded up.
 * @throws PrivacyError `PARAMETER_INVALID`.
 */
export function laplaceThreshold(options: {
  readonly epsilon: number
  readonly delta: number
  readonly groupsPerContributor: number
}): number {
  const { delta, groupsPerContributor } = options
  checkWhole(groupsPerContributor, 'groupsPerContributor')
  if (!(delta >= 1e-18 && delta < 0.5)) {
    throw new PrivacyError(
      'PARAMETER_INVALID',
      'delta',
      'A threshold needs a delta of at least 1e-18 and below 1/2: it is the chance that a group of one shows.',
    )
  }
  const { scale } = laplaceScaleFor({ epsilon: options.epsilon, sensitivity: BigInt(groupsPerContributor) })
  const width = toNumber(scale)
  // P[noise >= t] = q^t / (1 + q) for t >= 1, with q = exp(-1 / scale).
  const steps = width * -Math.log((delta / groupsPerContributor) * (1 + Math.exp(-1 / width)))
  return 1 + Math.max(1, Math.ceil(steps * (1 + 1e-12)))
}

/** Distinct contributors of each group. A contributor counts once in a group, however many rows it has there. */
function contributorsByGroup(
  { rows, groupsPerContributor }: Pick<HistogramQuestion, 'rows' | 'groupsPerContributor'>,
  wanted: (group: string) => boolean,
): Map<string, number> {
  const once = new Map<string, Set<string>>()
  const distinct: ContributedRow[] = []
  for (const { contributor, group } of rows) {
    if (group === undefined || !wanted(group)) continue
    const own = once.get(contributor) ?? new Set<string>()
    once.set(contributor, own)
    if (own.has(group)) continue
    own.add(group)
    distinct.push({ contributor, group })
  }
  const counts = new Map<string, number>()
  for (const { group } of boundContributions(distinct, { rowsPerContributor: groupsPerContributor })) {
    if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1)
  }
  return counts
}

function byName([left]: readonly [string, number], [right]: readonly [string, number]): number {
  return left < right ? -1 : 1
}
