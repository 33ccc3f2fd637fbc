import { describe, expect, it } from 'vitest'
import { breachesOf, knownBreachesOf, type RunReport, spreadOf, tableOf } from './report.js'
import { memoryCurve } from './soak.js'

const report: RunReport = {
  date: '2026-01-01T00:00:00.000Z',
  commit: 'abc1234',
  seed: 5,
  machine: { cores: 2, loadBefore: 0.5, loadAfter: 1.5 },
  seconds: 61,
  scenes: [
    {
      state: 'embedded',
      contributions: 10,
      jobs: 3,
      faults: [{ fault: 'kill -9', injected: 4, notes: ['after a time: 4'], breaches: [] }],
      invariants: [{ name: 'no contribution lost', checked: 10, breaches: [] }],
      recovery: { listens: spreadOf([300, 100, 200]), ready: null },
      soak: null,
    },
  ],
  notDone: [],
  known: ['a fault that is open'],
}

describe('the report', () => {
  it('names seed, load, faults, invariants and what is known', () => {
    const text = tableOf(report).join('\n')
    for (const part of [
      'seed 5',
      'load 0.5 before',
      'kill -9',
      'no contribution lost',
      'a fault that is open',
    ]) {
      expect(text).toContain(part)
    }
    expect(text).toContain('min 100 ms, median 200 ms, max 300 ms (3 starts)')
    expect(text).toContain('nothing was lost, doubled or told')
    expect(breachesOf(report)).toEqual([])
  })

  it('has every breach, of a fault as of an invariant, and says so at the end', () => {
    const [scene] = report.scenes
    if (scene === undefined) throw new Error('there is a scene')
    const broken = {
      ...report,
      scenes: [
        {
          ...scene,
          faults: [{ fault: 'kill -9', injected: 4, notes: [], breaches: ['it stayed dead'] }],
          invariants: [{ name: 'no contribution lost', checked: 10, breaches: ['number 4 is gone'] }],
        },
      ],
    }
    expect(breachesOf(broken)).toEqual([
      'embedded, kill -9: it stayed dead',
      'embedded, no contribution lost: number 4 is gone',
    ])
    expect(tableOf(broken).join('\n')).toMatch(/2 BREACHES[\s\S]*number 4 is gone/)
  })

  it('names what a known fault makes apart from the rest, and only where that fault makes it', () => {
    const [scene] = report.scenes
    if (scene === undefined) throw new Error('there is a scene')
    const of = (state: 'embedded' | 'reorganised') => ({
      ...report,
      scenes: [
        {
          ...scene,
          state,
          invariants: [
            {
              name: 'no contribution lost',
              checked: 10,
              breaches: ['contribution 12 is still Offered', 'contribution 13 is unknown to the node'],
            },
          ],
        },
      ],
    })
    const faults = [
      {
        text: 'some are not judged',
        makes: { state: 'reorganised', breach: /^contribution \d+ is still Offered$/ },
      },
    ]
    expect(breachesOf(of('embedded'), faults)).toHaveLength(2)
    expect(knownBreachesOf(of('embedded'), faults)).toEqual([])
    expect(breachesOf(of('reorganised'), faults)).toEqual([
      'reorganised, no contribution lost: contribution 13 is unknown to the node',
    ])
    expect(knownBreachesOf(of('reorganised'), faults)).toEqual([
      'reorganised, no contribution lost: contribution 12 is still Offered',
    ])
    expect(tableOf(of('reorganised'), faults).join('\n')).toMatch(
      /1 breaches by faults that are known[\s\S]*1 BREACHES/,
    )
    // Nothing that the node does today is forgiven.
    expect(breachesOf(of('reorganised'))).toHaveLength(2)
  })

  it('gives no spread of nothing, and the middle of an even number', () => {
    expect(spreadOf([])).toBeNull()
    expect(spreadOf([4, 1, 3, 2])).toEqual({ count: 4, minimum: 1, median: 3, maximum: 4 })
  })
})

describe('the memory curve', () => {
  const samples = (megabytesAt: (minute: number) => number) =>
    Array.from({ length: 121 }, (_, index) => ({
      at: 1_000 + index * 15_000,
      process: 1,
      bytes: megabytesAt(index / 4) * 1_000_000,
    }))

  it('finds a leak, and none where memory is flat after its first growth', () => {
    expect(memoryCurve(samples((minute) => 200 + 3 * minute)).megabytesPerMinute).toBeCloseTo(3)
    expect(memoryCurve(samples((minute) => Math.min(400, 200 + 50 * minute))).megabytesPerMinute).toBeCloseTo(
      0,
    )
    expect(memoryCurve(samples((minute) => 300 - minute)).curve.at(-1)).toEqual({
      minute: 30,
      megabytes: 270,
    })
    expect(memoryCurve([])).toEqual({ curve: [], megabytesPerMinute: 0 })
  })
})
