import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  equivalenceClasses,
  kAnonymity,
  lDiversity,
  type MondrianColumn,
  mondrian,
  recursiveDiversity,
  tCloseness,
} from './index.js'

// The example tables of Li, Li, Venkatasubramanian 2007 (tables 3 to 5), typed in anew.
const salaries = [
  ['476**', '2*', 3, 'gastric ulcer'],
  ['476**', '2*', 4, 'gastritis'],
  ['476**', '2*', 5, 'stomach cancer'],
  ['4790*', '>=40', 6, 'gastritis'],
  ['4790*', '>=40', 11, 'flu'],
  ['4790*', '>=40', 8, 'bronchitis'],
  ['476**', '3*', 7, 'bronchitis'],
  ['476**', '3*', 9, 'pneumonia'],
  ['476**', '3*', 10, 'stomach cancer'],
].map(([zip, age, salary, disease]) => ({
  zip: String(zip),
  age: String(age),
  salary: Number(salary),
  disease: String(disease),
}))
const quasi = { quasiIdentifiers: ['zip', 'age'] }

describe('published tables', () => {
  test('are 3-anonymous and 3-diverse', () => {
    expect(kAnonymity(salaries, quasi)).toEqual({ k: 3, classes: 3 })
    const { distinct, entropy } = lDiversity(salaries, { ...quasi, sensitive: 'disease' })
    expect(distinct).toBe(3)
    expect(entropy).toBeCloseTo(3, 12)
  })
  test('have the distances that the paper works out: 0.375 and 0.167', () => {
    const at = (age: string) => {
      // The distance of one class to the whole: a table in which only that class is told apart.
      const rows = salaries.map((row) => ({ ...row, class: row.age === age ? 'one' : 'rest' }))
      return equivalenceClasses(rows, { quasiIdentifiers: ['class'] }).length && rows
    }
    expect(tCloseness(salaries, { ...quasi, sensitive: 'salary', distance: 'ordered' })).toBeCloseTo(
      0.375,
      12,
    )
    const second = at('>=40')
    if (second === 0) throw new Error('no rows')
    expect(
      tCloseness(second, { quasiIdentifiers: ['class'], sensitive: 'salary', distance: 'ordered' }),
    ).toBeCloseTo(0.1666667, 6)
  })
})

describe('measures', () => {
  test('count contributors, not rows', () => {
    const rows = [1, 1, 1, 2].map((contributor) => ({ age: 1, contributor }))
    expect(kAnonymity(rows, { quasiIdentifiers: ['age'] }).k).toBe(4)
    expect(kAnonymity(rows, { quasiIdentifiers: ['age'], contributor: 'contributor' }).k).toBe(2)
  })
  test('entropy falls below the count where one value prevails', () => {
    const rows = ['a', 'a', 'a', 'b'].map((illness) => ({ illness }))
    const { distinct, entropy } = lDiversity(rows, { quasiIdentifiers: [], sensitive: 'illness' })
    expect(distinct).toBe(2)
    expect(entropy).toBeCloseTo(1.7548, 4)
    expect(recursiveDiversity(rows, { quasiIdentifiers: [], sensitive: 'illness', l: 2 })).toBe(3)
    expect(recursiveDiversity(rows, { quasiIdentifiers: [], sensitive: 'illness', l: 3 })).toBe(
      Number.POSITIVE_INFINITY,
    )
  })
  test('t is 0 where every class is like the whole, 1 at most', () => {
    const even = ['x', 'y'].flatMap((region) => ['a', 'b'].map((illness) => ({ region, illness })))
    const columns = { quasiIdentifiers: ['region'], sensitive: 'illness', distance: 'equal' } as const
    expect(tCloseness(even, columns)).toBe(0)
    const apart = [
      { region: 'x', illness: 'a' },
      ...Array.from({ length: 99 }, () => ({ region: 'y', illness: 'b' })),
    ]
    expect(tCloseness(apart, columns)).toBeCloseTo(0.99, 12)
  })
  test.each([
    ['rows', () => kAnonymity([], quasi)],
    ['rows[0].zip', () => kAnonymity([{ age: '2*' }], quasi)],
    ['rows[0].toString', () => kAnonymity([{ age: '2*' }], { quasiIdentifiers: ['toString'] })],
    [
      'rows[1].who',
      () =>
        kAnonymity(
          [
            { zip: '', age: '', who: 1 },
            { zip: '', age: '' },
          ],
          { ...quasi, contributor: 'who' },
        ),
    ],
    ['l', () => recursiveDiversity(salaries, { ...quasi, sensitive: 'salary', l: 1 })],
    ['sensitive', () => tCloseness(salaries, { ...quasi, sensitive: 'disease', distance: 'ordered' })],
  ])('refuse a wrong %s', (place, wrong) => {
    expect(wrong).toThrow(expect.objectContaining({ code: 'PARAMETER_INVALID', place }))
  })
})

describe('Mondrian', () => {
  const columns: MondrianColumn[] = [
    { name: 'age', kind: 'integer', min: 18, max: 90 },
    { name: 'region', kind: 'category', values: ['north', 'east', 'south', 'west'] },
  ]
  const table = fc.array(
    fc.record({
      age: fc.integer({ min: 0, max: 120 }),
      region: fc.constantFrom('north', 'east', 'south', 'west'),
      who: fc.integer({ min: 0, max: 30 }),
      illness: fc.constantFrom('a', 'b', 'c'),
    }),
    { minLength: 1, maxLength: 120 },
  )

  test('keeps k by contributors and l in every group, holds every row once, and within its ranges', () => {
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }), (rows, k, l) => {
        const limits = { columns, k, l, sensitive: 'illness', contributor: 'who' }
        const fits =
          new Set(rows.map(({ who }) => who)).size >= k &&
          new Set(rows.map(({ illness }) => illness)).size >= l
        if (!fits) {
          expect(() => mondrian(rows, limits)).toThrow(expect.objectContaining({ place: 'k' }))
          return
        }
        const { groups } = mondrian(rows, limits)
        expect(groups.flatMap((group) => group.rows).sort((a, b) => a - b)).toEqual([...rows.keys()])
        for (const group of groups) {
          const members = group.rows.map((index) => rows[index])
          expect(new Set(members.map((row) => row?.who)).size).toBe(group.contributors)
          expect(group.contributors).toBeGreaterThanOrEqual(k)
          expect(new Set(members.map((row) => row?.illness)).size).toBeGreaterThanOrEqual(l)
          const { age, region } = group.ranges
          for (const row of members) {
            const clamped = Math.min(90, Math.max(18, row?.age ?? 0))
            if (age === undefined || !('min' in age) || region === undefined || !('values' in region))
              throw new Error('shape')
            expect(age.min <= clamped && clamped <= age.max).toBe(true)
            expect(region.values).toContain(row?.region)
          }
        }
        // As a table: every row replaced by its group's ranges is k-anonymous.
        const released = groups.flatMap((group) =>
          group.rows.map((index) => ({ ranges: JSON.stringify(group.ranges), who: rows[index]?.who ?? 0 })),
        )
        expect(
          kAnonymity(released, { quasiIdentifiers: ['ranges'], contributor: 'who' }).k,
        ).toBeGreaterThanOrEqual(k)
      }),
    )
  })

  test('cuts as long as it can, and ranges tile the public range', () => {
    const rows = Array.from({ length: 64 }, (_, index) => ({ age: 18 + index, region: 'north' }))
    const { groups } = mondrian(rows, { columns, k: 8 })
    expect(groups).toHaveLength(8)
    const edges = groups.map(({ ranges }) => ranges['age'])
    expect(edges[0]).toEqual({ min: 18, max: 25 })
    expect(edges.at(-1)).toEqual({ min: 74, max: 90 })
  })

  test('cuts below a median that is the largest value', () => {
    const rows = [20, 50, 50, 50].map((age) => ({ age, region: 'east' }))
    expect(mondrian(rows, { columns, k: 1 }).groups.map((group) => group.rows)).toEqual([[0], [1, 2, 3]])
  })

  test('does not tell the smallest and the largest value', () => {
    const rows = [33, 34, 35, 36].map((age) => ({ age, region: 'east' }))
    const text = JSON.stringify(mondrian(rows, { columns, k: 4 }))
    expect(text).not.toMatch(/33|36/)
  })

  test.each([
    ['k', { k: 0 }],
    ['l', { k: 1, l: 2 }],
    ['columns', { k: 1, columns: [] }],
    ['columns', { k: 1, columns: [columns[0], columns[0]] }],
    ['columns[0]', { k: 1, columns: [{ name: 'age', kind: 'integer', min: 5, max: 4 }] }],
    ['columns[0].values', { k: 1, columns: [{ name: 'region', kind: 'category', values: ['a', 'a'] }] }],
    ['rows[0].region', { k: 1, columns: [{ name: 'region', kind: 'category', values: ['a'] }] }],
    ['rows[0].region', { k: 1, columns: [{ name: 'region', kind: 'integer', min: 1, max: 2 }] }],
  ])('refuses a wrong %s', (place, wrong) => {
    const options = { columns, ...wrong } as Parameters<typeof mondrian>[1]
    expect(() => mondrian([{ age: 20, region: 'east' }], options)).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place }),
    )
  })
})
