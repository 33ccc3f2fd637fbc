import { platformRandom } from '@sealpool/privacy'
import { describe, expect, it } from 'vitest'
import { executePlan } from '../execute/execute-plan.js'
import { planQuery } from '../plan/plan-query.js'
import { policyPreset, presetNames } from '../preset/policy-preset.js'
import { memoryEngine } from '../testing/memory-engine.js'
import { plotReports, redTeam } from './red-team.js'
import { mockData, mockPool, mockTable } from './target.js'

const options = { engine: memoryEngine, random: platformRandom, clock: () => performance.now() }

describe('the red team, short form', () => {
  it.each(presetNames)(
    'stays below what the preset %s promises',
    async (preset) => {
      const report = await redTeam({ ...options, preset, trials: 25 })
      expect(report.findings.map(({ attack }) => attack)).toEqual([
        'reconstruction',
        'membership',
        'differencing',
        'tracker',
        'sybil padding',
        'averaging',
        'overflow',
        'timing',
      ])
      expect(report.findings.filter(({ held }) => !held)).toEqual([])
      expect(plotReports([report])).toContain('</svg>')
    },
    60_000,
  )

  it('is right nearly always when there is next to no noise, so the attacks are worth something', async () => {
    const { attacks } = await import('./attacks.js')
    const data = mockData(400, platformRandom)
    const engineOf = async (rows: typeof data.rows) => {
      const engine = await memoryEngine()
      await engine.load({ name: 'mock.members', columns: mockTable.columns, rows })
      return engine
    }
    const engine = await engineOf(data.rows)
    const privacy = {
      ...policyPreset('open').privacy,
      epsilon: 400,
      perJob: { epsilon: 40, delta: 0 },
      minimumContributors: 1,
    }
    for (const attack of attacks.slice(1, 6)) {
      const outcome = await attack({ ...options, privacy, data, engine, engineOf, trials: 20 })
      expect(outcome.rate, outcome.attack).toBeGreaterThan(0.9)
    }
    await engine.close()
  }, 60_000)

  it('gives presets that plan and run, stricter from open to medical', async () => {
    const engine = await memoryEngine()
    const data = mockData(400, platformRandom)
    await engine.load({ name: 'mock.members', columns: mockTable.columns, rows: data.rows })
    const rights = []
    for (const name of presetNames) {
      const { privacy, mostOftenRight, meaning } = policyPreset(name)
      rights.push(mostOftenRight)
      expect(meaning.join(' ').length).toBeGreaterThan(100)
      const plan = await planQuery({
        sql: 'SELECT count(*) FROM mock.members',
        pools: [mockPool(privacy)],
        budget: { epsilon: privacy.perJob.epsilon, delta: 0 },
      })
      await executePlan({ plan, engine, random: platformRandom })
    }
    await engine.close()
    expect([...rights].sort((left, right) => right - left)).toEqual(rights)
  })
})
