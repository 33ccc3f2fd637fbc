import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { policyPreset, presetNames } from '../preset/policy-preset.js'
import { attacks } from './attacks.js'
import { presetDigest, type RedTeamEvidence, redTeamEvidence, wilson } from './evidence.js'
import type { RedTeamReport } from './red-team.js'

const folder = new URL('../../red-team/', import.meta.url)
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

describe.each(presetNames)('what is shipped beside the preset %s', (preset) => {
  const file = new URL(`${preset}.json`, folder)
  const evidence = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as RedTeamEvidence

  it('is of the rules as they are', () => {
    expect(evidence).toMatchObject({ format: 'sealpool/red-team', version: 1, preset })
    // Run `npm run redteam -- --date TODAY` after a change of a preset.
    expect(evidence.digest).toBe(presetDigest(preset))
    expect(evidence.date).toMatch(/^20[0-9]{2}-[0-9]{2}-[0-9]{2}$/)
  })

  it('has every attack, held, with an interval that follows from its tries', () => {
    expect(evidence.attacks).toHaveLength(attacks.length)
    for (const { attack, tries, rate, interval, advantage, threshold, held } of evidence.attacks) {
      expect([attack, held, rate <= threshold]).toEqual([attack, true, true])
      expect(tries).toBeGreaterThanOrEqual(advantage === null ? 1 : 60)
      const [low, high] = wilson(rate, tries)
      expect(interval[0]).toBeCloseTo(low, 3)
      expect(interval[1]).toBeCloseTo(high, 3)
      if (advantage === null) continue
      expect(advantage.value).toBeCloseTo(2 * rate - 1, 3)
      expect(advantage.interval[0]).toBeCloseTo(2 * low - 1, 3)
      expect(advantage.interval[1]).toBeCloseTo(2 * high - 1, 3)
      // The promise itself must be within what the tries can tell.
      expect(interval[0]).toBeLessThanOrEqual(policyPreset(preset).mostOftenRight)
    }
  })

  it('is what the README says', () => {
    const header = readme.split('\n').find((line) => line.startsWith('| attack | ')) ?? ''
    const position = header.split('|').findIndex((cell) => cell.trim().startsWith(`${preset} (`))
    for (const { attack, rate, advantage } of evidence.attacks) {
      if (advantage === null && attack === 'overflow') continue
      const row = readme.split('\n').find((line) => line.startsWith(`| ${attack} |`)) ?? ''
      expect([attack, row.split('|')[position]?.trim()]).toEqual([attack, rate.toFixed(2)])
    }
  })
})

describe('evidence', () => {
  const report: RedTeamReport = {
    preset: 'open',
    members: 400,
    findings: [
      { attack: 'tracker', rate: 0.5, tries: 100, about: 'a', limit: null, threshold: 0.95, held: true },
      { attack: 'overflow', rate: 0, tries: 10, about: 'b', limit: 0, threshold: 0, held: true },
    ],
  }

  it('has the published interval of 50 of 100 and of 0 of 10 (Wilson 1927; Brown, Cai, DasGupta 2001)', () => {
    const {
      attacks: [tracker, overflow],
    } = redTeamEvidence(report, '2026-01-31')
    expect(tracker).toMatchObject({
      rate: 0.5,
      interval: [0.4038, 0.5962],
      advantage: { value: 0, interval: [-0.1923, 0.1923] },
    })
    expect(overflow).toMatchObject({ rate: 0, interval: [0, 0.2775], advantage: null })
  })

  it('has another digest for every preset, which any change of the rules changes', () => {
    expect(new Set(presetNames.map(presetDigest)).size).toBe(presetNames.length)
    expect(presetDigest('open')).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it('is there for presets only', () => {
    expect(readdirSync(folder).sort()).toEqual(presetNames.map((name) => `${name}.json`).sort())
  })
})
