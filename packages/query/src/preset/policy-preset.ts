import type { PoolPolicy } from '@sealpool/privacy'

/** Names of the presets, from the most to the least that is told. */
export const presetNames = ['open', 'research', 'commercial', 'medical'] as const
/** Name of a preset. */
export type PresetName = (typeof presetNames)[number]

/** Rules for a pool, with what they mean in plain words. */
export interface PolicyPreset {
  readonly name: PresetName
  readonly privacy: PoolPolicy['privacy']
  readonly joins: PoolPolicy['joins']
  /** What an owner should know before choosing it. */
  readonly meaning: readonly string[]
  /**
   * The most often that somebody who sees every answer that the pool will ever give can be right about one bit of one
   * contributor that would otherwise be a coin toss: exp(epsilon) / (1 + exp(epsilon)) for the lifetime epsilon. The red
   * team's attacks must stay below it.
   */
  readonly mostOftenRight: number
}

const settings: Readonly<
  Record<
    PresetName,
    {
      readonly epsilon: number
      readonly job: number
      readonly minimum: number
      readonly groups: number
      readonly why: string
    }
  >
> = {
  open: {
    epsilon: 3,
    job: 1,
    minimum: 5,
    groups: 1000,
    why: 'For data that people would show to many, such as opinions on films: fine tables, few secrets kept.',
  },
  research: {
    epsilon: 2,
    job: 0.5,
    minimum: 10,
    groups: 500,
    why: 'For surveys and wages: good averages of some hundred people, one person is hard to find.',
  },
  commercial: {
    epsilon: 1,
    job: 0.25,
    minimum: 20,
    groups: 200,
    why: 'For purchases and mobility that are sold to strangers: averages of thousands, small groups do not appear.',
  },
  medical: {
    epsilon: 0.5,
    job: 0.1,
    minimum: 25,
    groups: 100,
    why: 'For diagnoses and genomes: only large groups, and an attacker is little better than a coin.',
  },
}

/**
 * A preset of privacy rules. It fixes the lifetime budget, the budget of one job, the smallest group and the number of
 * groups; tables, columns and purposes are the pool's own.
 *
 * @param name `open`, `research`, `commercial` or `medical`
 * @returns rules to put into a pool policy
 * @example
 * ```ts
 * import { policyPreset } from '@sealpool/query'
 * const { privacy, meaning } = policyPreset('medical')
 * console.assert(privacy.epsilon === 0.5 && meaning.length > 0)
 * ```
 */
export function policyPreset(name: PresetName): PolicyPreset {
  const { epsilon, job, minimum, groups, why } = settings[name]
  const right = Math.exp(epsilon) / (1 + Math.exp(epsilon))
  const answers = Math.floor(epsilon / job + 1e-9)
  return {
    name,
    privacy: {
      accounting: 'basic',
      epsilon,
      delta: 1e-6,
      perJob: { epsilon: job, delta: 1e-7 },
      minimumContributors: minimum,
      maximumGroups: groups,
    },
    joins: { allowed: false, with: [] },
    mostOftenRight: right,
    meaning: [
      why,
      `The pool answers at least ${answers} questions of the largest kind in its life, more of smaller ones, and then none.`,
      `Whoever sees all answers is right about a coin-toss fact of one contributor at most ${Math.round(right * 100)} times of 100.`,
      `Groups below about ${minimum} contributors are left out. A contributor is a wallet: one person with many wallets is many contributors.`,
    ],
  }
}
