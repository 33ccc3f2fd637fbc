import { type Digest, digestOf, type JsonValue } from '@sealpool/crypto'
import { type PresetName, policyPreset } from '../preset/policy-preset.js'
import type { RedTeamReport } from './red-team.js'

/** One attack as it is kept beside its preset. */
export interface AttackEvidence {
  readonly attack: string
  /** What the rate is, in a few words. */
  readonly about: string
  readonly tries: number
  /** How often the attacker was right (for `overflow`: how often data showed in an error or a missing answer). */
  readonly rate: number
  /** Wilson's 95 % interval of the rate. */
  readonly interval: readonly [number, number]
  /**
   * How much better than a coin: 2 rate - 1, with its interval; null for attacks that are no guess of one bit. Below zero is
   * chance.
   */
  readonly advantage: { readonly value: number; readonly interval: readonly [number, number] } | null
  /** Most that the rules allow, sampling of the tries included. */
  readonly threshold: number
  readonly held: boolean
}

/** Attack results of a preset: plain JSON that is shipped beside it. */
export interface RedTeamEvidence {
  readonly format: 'sealpool/red-team'
  readonly version: 1
  readonly preset: PresetName
  /** {@link presetDigest} of the rules that were attacked: results of other rules say nothing. */
  readonly digest: Digest
  /** Day of the run, `2026-01-31`, as whoever ran it says. */
  readonly date: string
  /** Made-up people in the attacked pool. */
  readonly members: number
  readonly attacks: readonly AttackEvidence[]
}

/**
 * The digest of a preset's rules: SHA-256 of their canonical JSON (RFC 8785).
 *
 * @param name - a preset
 * @returns `sha256:` and 64 lower-case hexadecimal digits
 */
export function presetDigest(name: PresetName): Digest {
  const { privacy, joins } = policyPreset(name)
  return digestOf({ privacy, joins } as unknown as JsonValue)
}

/**
 * What is kept of a report beside its preset.
 *
 * @param report - from `redTeam`
 * @param date - day of the run, `2026-01-31`
 * @returns plain JSON; numbers have four digits after the point
 */
export function redTeamEvidence(report: RedTeamReport, date: string): RedTeamEvidence {
  return {
    format: 'sealpool/red-team',
    version: 1,
    preset: report.preset,
    digest: presetDigest(report.preset),
    date,
    members: report.members,
    attacks: report.findings.map(({ attack, about, tries, rate, threshold, held, limit }) => {
      const [low, high] = wilson(rate, tries)
      const advantage = (of: number) => rounded(2 * of - 1)
      return {
        attack,
        about,
        tries,
        rate: rounded(rate),
        interval: [rounded(low), rounded(high)],
        advantage:
          limit === null ? { value: advantage(rate), interval: [advantage(low), advantage(high)] } : null,
        threshold: rounded(threshold),
        held,
      }
    }),
  }
}

/** 95 % of a normal distribution, on both sides. */
const deviations = 1.959963984540054

/** The score interval of a binomial share (Wilson 1927): it holds for few tries and for shares near 0 and 1 as well. */
export function wilson(rate: number, tries: number): readonly [number, number] {
  const square = deviations ** 2
  const middle = rate + square / (2 * tries)
  const reach = deviations * Math.sqrt((rate * (1 - rate)) / tries + square / (4 * tries ** 2))
  const whole = 1 + square / tries
  return [Math.max(0, (middle - reach) / whole), Math.min(1, (middle + reach) / whole)]
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
