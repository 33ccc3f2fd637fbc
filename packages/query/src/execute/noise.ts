import { type Noise, type NoisePool, selectPartition } from '@sealpool/privacy'
import { nanoEpsilon } from '../enforce/budget.js'
import type { ReleasePlan } from '../plan/plan.js'
import { releaseNumber } from './cell.js'
import type { ReleasedGroup } from './released-value.js'
import { type ExactGroup, publicGroups } from './statistics.js'

/** Groups of unknown number for which noise is drawn ahead. */
const groupsAhead = 64

/**
 * Draws the noise of a release before the engine is asked, so that its sampling time cannot depend on the data, and
 * gives what turns exact groups into released ones.
 */
export function prepareNoise(
  release: ReleasePlan,
  pool: NoisePool,
  random: (length: number) => Uint8Array,
): (groups: readonly ExactGroup[]) => readonly ReleasedGroup[] {
  const kinds = release.statistics.map(({ mechanism, scale }): Noise => {
    const fraction = { numerator: BigInt(scale.numerator), denominator: BigInt(scale.denominator) }
    return mechanism === 'discrete-gaussian'
      ? { kind: 'gaussian', sigmaSquared: fraction }
      : { kind: 'laplace', scale: fraction }
  })
  const samples = release.program.statistics.map((statistic) =>
    statistic.kind === 'bins' ? statistic.bins : 1,
  )
  const draw = (): readonly (readonly bigint[])[] =>
    kinds.map((kind, position) => {
      if (release.statistics[position]?.mechanism === 'partition-selection') return []
      return Array.from({ length: samples[position] ?? 1 }, () => pool.draw(kind))
    })
  const known = release.sets.reduce((sum, set) => sum + publicGroups(release, set), 0)
  const open = release.keys.some(({ values }) => values === null)
  const ahead = Array.from({ length: open ? groupsAhead : known }, draw)
  const selected = (exact: ExactGroup): boolean => {
    const statistic = release.statistics[release.minimumContributors.statistic]
    if (statistic?.mechanism !== 'partition-selection' || statistic.delta === undefined) return true
    return selectPartition({
      // A contributor may be in several groups: each decision gets its part.
      epsilon: statistic.epsilonNano / nanoEpsilon / Number(statistic.sensitivity),
      delta: statistic.delta,
      minimumContributors: release.minimumContributors.minimum,
      contributors: Number(exact.statistics[release.minimumContributors.statistic] ?? 0n),
      random,
    })
  }
  return (groups) => {
    const shown = open ? groups.filter(selected).slice(0, release.groups) : groups
    return shown.flatMap((exact, index): readonly ReleasedGroup[] => {
      const noise = ahead[index] ?? draw()
      const noisy = exact.statistics.map((value, position) => {
        const { mechanism } = release.statistics[position] ?? {}
        const noised = mechanism === 'discrete-laplace' || mechanism === 'discrete-gaussian'
        return noised ? value + (noise[position]?.[0] ?? 0n) : 0n
      })
      const { statistic, minimum } = release.minimumContributors
      if (!open && (noisy[statistic] ?? 0n) < BigInt(minimum)) return []
      const bins = (position: number) => ({
        counts: exact.bins.get(position) ?? Array.from({ length: samples[position] ?? 0 }, () => 0n),
        noise: noise[position] ?? [],
      })
      return [
        {
          keys: exact.keys,
          set: release.sets[exact.set] ?? [],
          aggregates: release.aggregates.map((entry) => releaseNumber(release, entry, { noisy, bins })),
        },
      ]
    })
  }
}
