import { describe, expect, test } from 'vitest'
import { definePoc, MOST_SCREEN_LOSS, refuse, type Screen } from '../define/index.js'
import { measureScreens, referenceOf } from '../testing/measure-screens.js'
import {
  drawsOf,
  honestLabels,
  honestNumbers,
  madeUpSeries,
  poisonedLabels,
} from '../testing/screen-fixtures.js'
import { writtenByAModel } from '../testing/written-by-a-model.js'
import { parseJudgedPart } from '../verdict/verdict.js'
import { labelFlips } from './label-flips.js'
import { labelReference } from './label-reference.js'
import { machineText } from './machine-text.js'
import { madeUpNumbers } from './made-up-numbers.js'

const owner = `0x${'0'.repeat(40)}`
const facts = { uniqueness: { duplicate: false }, owner }
const context = { facts, mediaType: 'application/json' }
const file = { mediaType: 'application/json', text: '{}' }
const proof = (screens: Readonly<Record<string, Screen<unknown>>>, own: object = {}) =>
  definePoc({
    id: 'a/b',
    version: '1.0.0',
    input: (raw) => raw,
    checks: { fine: () => ({ passed: true, degree: 0.8 }) },
    score: { quality: 1 },
    screens,
    ...own,
  }).evaluate({ file, facts })
const says = (suspicion: number) => () => ({ suspicion })

describe('a screen', () => {
  test('costs nothing unless the definition says so, and is told as a heuristic', () => {
    const part = proof({ odd: says(1), even: says(0.4), blind: () => null })
    expect(part).toMatchObject({ valid: true, score: 0.8, quality: 0.8 })
    expect(part.evidence.slice(-3)).toEqual([
      { check: 'odd', result: 'review', place: 'odd', heuristic: true, degree: 0 },
      { check: 'even', result: 'pass', place: 'even', heuristic: true, degree: 0.6 },
      { check: 'blind', result: 'not-checked', place: 'blind', heuristic: true },
    ])
  })

  test('costs a fifth of quality at most, however many say so', () => {
    const all = { one: says(1), two: says(7), three: says(Infinity) }
    expect(proof(all, { screenLoss: MOST_SCREEN_LOSS })).toMatchObject({
      valid: true,
      score: 0.64,
      quality: 0.64,
    })
    expect(proof({ half: says(0.5) }, { screenLoss: 0.1 }).score).toBe(0.76)
    // What asks for no review costs nothing.
    expect(proof({ less: says(0.49) }, { screenLoss: 0.2 }).score).toBe(0.8)
    for (const screenLoss of [0.21, -0.1, Number.NaN])
      expect(() => proof({}, { screenLoss })).toThrow(/screenLoss/)
  })

  test('is never why a contribution is refused: not by the least score, not by throwing, not by leaving nothing', () => {
    const strict = { screenLoss: 0.2, minimumScore: 0.8 }
    expect(proof({ odd: says(1) }, strict)).toMatchObject({ valid: true, score: 0.64 })
    // The same least score refuses what is below it without a screen.
    expect(proof({}, { minimumScore: 0.81 })).toMatchObject({ refusal: { code: 'SCORE_TOO_LOW' } })
    const throwing = {
      refuses: () => refuse('WRONG_SHAPE', 'file'),
      breaks: () => {
        throw new RangeError('x')
      },
      deep: () => {
        const deeper = (): never => deeper()
        return deeper()
      },
      nothing: says(Number.NaN),
      less: says(-1),
    }
    const part = proof(throwing, strict)
    expect(part).toMatchObject({ valid: true, score: 0.8 })
    const results = part.evidence.filter(({ heuristic }) => heuristic).map(({ result }) => result)
    expect(results).toEqual(['not-checked', 'not-checked', 'not-checked', 'pass', 'pass'])
    const least = { fine: () => ({ passed: false, degree: 0.0001 }) }
    expect(proof({ odd: says(1) }, { checks: least, screenLoss: 0.2 }).score).toBe(0.0001)
  })

  test('has no name of a check', () => {
    expect(() => proof({ fine: says(0) })).toThrow(/one name/)
  })

  test('stands in a verdict as what it is, and a verdict in which one fails is none', () => {
    const part = proof({ odd: says(1) })
    expect(parseJudgedPart(JSON.parse(JSON.stringify(part)))).toEqual(part)
    const other = (line: object) => ({ ...part, evidence: [{ check: 'odd', place: 'odd', ...line }] })
    for (const line of [
      { result: 'fail', heuristic: true },
      { result: 'partial', heuristic: true },
      { result: 'review' },
    ])
      expect(() => parseJudgedPart(other(line) as never)).toThrow(
        expect.objectContaining({ code: 'VERDICT_INVALID' }),
      )
  })
})

test('precision and recall on simulated contributions are those of the README', () => {
  const figures = measureScreens(10_000, 40)
  expect(figures).toMatchInlineSnapshot(`
    {
      "labels": {
        "honest": {
          "people": 0,
        },
        "madeUp": {
          "each yes": 1,
          "half": 1,
          "one kind": 0,
          "one of ten": 0.175,
          "three of ten": 0.95,
        },
        "precision": 1,
        "recall": 0.625,
      },
      "numbers": {
        "honest": {
          "commute": 0,
          "hours": 0,
          "pulse": 0,
          "receipts": 0,
          "steps": 0,
          "weight": 0,
        },
        "madeUp": {
          "bell": 0,
          "copied": 1,
          "even": 1,
          "interpolated": 1,
          "uniform": 0.95,
        },
        "precision": 1,
        "recall": 0.79,
      },
      "text": {
        "honest": {
          "people": 0,
        },
        "madeUp": {
          "one prompt": 1,
          "one template": 1,
          "prompts of any length": 0.35,
          "three templates": 1,
        },
        "precision": 1,
        "recall": 0.838,
      },
    }
  `)
})

describe('each screen is blind where there is too little', () => {
  test('to few texts, and to texts without words', () => {
    const ask = machineText<readonly string[]>({ texts: (texts) => texts })
    expect(ask(writtenByAModel.slice(0, 7), context)).toBeNull()
    expect(ask(writtenByAModel.slice(0, 8), context)).not.toBeNull()
    expect(
      ask(
        Array.from({ length: 50 }, () => 'so so'),
        context,
      ),
    ).toBeNull()
    expect(ask([], context)).toBeNull()
  })

  test('to short and to constant series, and to what is no number', () => {
    const ask = madeUpNumbers<readonly number[]>({ series: (values) => ({ values }) })
    const even = madeUpSeries['even']?.(drawsOf(1)) ?? []
    expect(ask(even.slice(0, 39), context)).toBeNull()
    expect(ask(even.slice(0, 40), context)?.suspicion).toBeGreaterThan(0.9)
    expect(
      ask(
        even.map(() => 7),
        context,
      ),
    ).toBeNull()
    expect(ask([...even.slice(0, 39), Number.NaN, Infinity], context)).toBeNull()
    expect(ask([-Number.MAX_VALUE, Number.MAX_VALUE, ...even], context)).toBeNull()
  })

  test('and tells the worst of several series by name', () => {
    const [steps = [], even = []] = [honestNumbers['steps']?.(drawsOf(1)), madeUpSeries['even']?.(drawsOf(1))]
    const ask = madeUpNumbers<null>({ series: () => ({ steps, climbed: even, short: [1] }) })
    expect(ask(null, context)).toEqual({ suspicion: 1, place: 'climbed' })
  })

  test('without a reference, with one from the host, and for rows that it does not know', () => {
    const rows = poisonedLabels['half']?.(drawsOf(1), 60) ?? []
    const ask = labelFlips<null>({ rows: () => rows })
    expect(ask(null, context)).toBeNull()
    const labels = referenceOf(1)
    expect(ask(null, { ...context, facts: { ...facts, labels } })?.suspicion).toBeGreaterThan(0.5)
    const strange = labelFlips<null>({
      rows: () => rows.map((row) => ({ ...row, kind: 'toString' })),
      reference: labels,
    })
    expect(strange(null, context)).toBeNull()
  })
})

test('in a reference nobody counts more than once for a kind, and what few say is left out', () => {
  const rows = [
    ...honestLabels(drawsOf(1), 1).flatMap((row) =>
      Array.from({ length: 900 }, () => ({ ...row, kind: 'a', label: 'no', contributor: 'mill' })),
    ),
    ...['p', 'q', 'r', 's'].flatMap((contributor) => [
      { contributor, kind: 'a', label: 'yes' },
      { contributor, kind: 'b', label: 'yes' },
    ]),
  ]
  expect(labelReference(rows)).toEqual({ a: { no: 1, yes: 4 } })
  expect(labelReference(rows, { least: 4 })).toEqual({ a: { no: 1, yes: 4 }, b: { yes: 4 } })
})

test('a reference holds no text that has no bytes: one contributor’s would be in the inputs of every verdict', () => {
  const rows = Array.from({ length: 6 }, (_, at) => ({ contributor: `${at}`, kind: 'a', label: 'yes' }))
  const odd = [
    { contributor: '0', kind: 'a', label: 'n\ud800' },
    ...rows.map((row) => ({ ...row, kind: '\udfff' })),
  ]
  expect(labelReference([...rows, ...odd, { contributor: '1', kind: 'a', label: '😀' }])).toEqual({
    a: { yes: 5.5, '😀': 0.5 },
  })
})

test('a reference does not grow with how many labels one contributor makes up', () => {
  const rows = Array.from({ length: 5 }, (_, at) => ({ contributor: `${at}`, kind: 'a', label: 'yes' }))
  const many = Array.from({ length: 1000 }, (_, at) => ({ contributor: 'm', kind: 'a', label: `${at}` }))
  expect(labelReference([...rows, ...many])).toEqual({ a: { yes: 5 } })
  expect(Object.keys(labelReference([...rows, ...many.slice(0, 100)])['a'] ?? {})).toHaveLength(101)
})
