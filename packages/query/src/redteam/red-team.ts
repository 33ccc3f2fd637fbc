import type { Row, SqlEngine } from '../engine/engine.js'
import { type PresetName, policyPreset } from '../preset/policy-preset.js'
import { attacks, type Outcome } from './attacks.js'
import { mockData, mockTable } from './target.js'

/** An attack's outcome against its threshold. */
export interface Finding extends Outcome {
  /** Most that the attack may reach, sampling of the tries included. */
  readonly threshold: number
  readonly held: boolean
}

/** How a preset did. */
export interface RedTeamReport {
  readonly preset: PresetName
  readonly members: number
  readonly findings: readonly Finding[]
}

/**
 * Runs all attacks on a preset's rules, over mock data. An attacker has the whole life of the pool: it asks until the
 * budget is spent, at the largest budget of a job.
 *
 * The threshold of attacks on one bit is the bound that the rules promise, exp(epsilon) / (1 + exp(epsilon)), plus three
 * standard errors of as many tries: a correct implementation passes, and a missing noise (a rate of 1) does not.
 *
 * @param options `engine` starts an empty engine; `random` is a secure source; `clock` gives milliseconds
 * @returns a finding for each attack; `held` is false where its rate is above its threshold
 */
export async function redTeam(options: {
  readonly preset: PresetName
  readonly engine: () => Promise<SqlEngine>
  readonly random: (length: number) => Uint8Array
  readonly clock: () => number
  readonly trials: number
}): Promise<RedTeamReport> {
  const { preset, random, trials, clock } = options
  const { privacy, mostOftenRight } = policyPreset(preset)
  const data = mockData(400, random)
  const engineOf = async (rows: readonly Row[], twin?: readonly Row[]): Promise<SqlEngine> => {
    const engine = await options.engine()
    await engine.load({ name: 'mock.members', columns: mockTable.columns, rows })
    if (twin !== undefined) {
      await engine.load({ name: 'twin.members', columns: mockTable.columns, rows: twin })
    }
    return engine
  }
  const engine = await engineOf(data.rows)
  const findings: Finding[] = []
  try {
    for (const attack of attacks) {
      const outcome = await attack({ privacy, data, engine, engineOf, random, trials, clock })
      const error = 3 * Math.sqrt((mostOftenRight * (1 - mostOftenRight)) / outcome.tries)
      const threshold = outcome.limit ?? Math.min(0.999, mostOftenRight + error)
      findings.push({ ...outcome, threshold, held: outcome.rate <= threshold })
    }
  } finally {
    await engine.close()
  }
  return { preset, members: data.rows.length, findings }
}

/**
 * A bar chart of reports as SVG: one row for each attack and preset, its threshold as a line, a coin at one half.
 *
 * @param reports - from {@link redTeam}, drawn from the top in their order
 * @returns the SVG document
 */
export function plotReports(reports: readonly RedTeamReport[]): string {
  const rows = reports.flatMap(({ preset, findings }) => findings.map((finding) => ({ preset, ...finding })))
  const [left, width, height] = [220, 400, 18]
  const x = (rate: number) => left + Math.round(rate * width)
  const bars = rows.map(({ preset, attack, rate, threshold, held }, index) => {
    const y = 30 + index * height
    return [
      `<text x="8" y="${y + 12}">${preset}: ${attack}</text>`,
      `<rect x="${left}" y="${y + 2}" width="${Math.max(1, x(rate) - left)}" height="${height - 6}" fill="${held ? '#4878a8' : '#b03030'}"/>`,
      `<line x1="${x(threshold)}" x2="${x(threshold)}" y1="${y}" y2="${y + height - 2}" stroke="#000"/>`,
      `<text x="${left + width + 8}" y="${y + 12}">${rate.toFixed(2)} of ${threshold.toFixed(2)}</text>`,
    ].join('')
  })
  const bottom = 40 + rows.length * height
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 120}" height="${bottom}" font-family="sans-serif" font-size="11">`,
    '<text x="8" y="16">How often attacks are right (bar), the most that the rules allow (line), a coin (grey)</text>',
    `<line x1="${x(0.5)}" x2="${x(0.5)}" y1="24" y2="${bottom - 8}" stroke="#bbb"/>`,
    ...bars,
    '</svg>',
  ].join('\n')
}
