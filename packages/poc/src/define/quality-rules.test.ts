import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type QualityRow, type QualityRule, qualityRules } from './quality-rules.js'

const context = { facts: { uniqueness: { duplicate: false }, owner: '0x00' }, mediaType: 'text/csv' }
const judge = (rule: QualityRule, rows: readonly QualityRow[], at?: number) =>
  qualityRules((value: readonly QualityRow[]) => value, { rule })['rule']?.(rows, {
    ...context,
    facts: { ...context.facts, ...(at === undefined ? {} : { at }) },
  })
const a = (...values: unknown[]): QualityRow[] => values.map((value) => ({ a: value, b: 5 }))

test.each<[QualityRule, QualityRow[], number]>([
  [{ rule: 'complete', columns: ['a', 'b'] }, a(1, '', null, 0), 0.75],
  [{ rule: 'complete', columns: ['a'] }, a(' ', '\t\u00a0', [], 'x'), 0.25],
  [{ rule: 'complete', columns: ['c'] }, a(1), 0],
  [{ rule: 'complete', columns: [] }, a(1), 0],
  [{ rule: 'agreement', columns: ['a', 'b'] }, a(5, '5', 6, null), 0.5],
  [
    { rule: 'agreement', columns: ['a', 'b', 'c'] },
    [
      { a: 'x', b: 'x', c: 'y' },
      { a: 'x', b: 'x', c: 'x' },
    ],
    2 / 3,
  ],
  [{ rule: 'agreement', columns: ['a', 'b', 'c'] }, [{ a: 'x', b: 'x' }, { c: 'x' }, {}], 1 / 9],
  [{ rule: 'agreement', columns: ['a'] }, a(5), 0],
  [{ rule: 'agreement', columns: ['a', 'a'] }, a(5), 0],
  [{ rule: 'agreement', columns: [] }, a(5), 0],
  [{ rule: 'agreement', columns: ['toString', 'valueOf'] }, a(5), 0],
  [{ rule: 'range', column: 'a', low: 1, high: 2 }, a(1, '2', 3, '', 'x'), 0.4],
  [
    { rule: 'range', column: 'a', low: 0, high: 99 },
    a(' ', [], [5], '0x10', true, '0b1', ' 5', '+.5e1', '5.', 5),
    0.4,
  ],
  [{ rule: 'range', column: 'a', low: 0, high: Infinity }, a('Infinity', 1), 0.5],
  [{ rule: 'compare', left: 'a', relation: '<=', right: 'b' }, a(' ', [], false), 0],
  [{ rule: 'variety', column: 'a', least: 4 }, a(' ', '  ', '\t', 'x'), 0.25],
  [
    { rule: 'fresh', column: 'a', from: '2026-01-01', until: '2026-12-31' },
    a('2026-01-01', '2026-12-31T23:00', '2025-12-31', 'x'),
    0.5,
  ],
  [{ rule: 'script', column: 'a', script: 'Latin' }, a('abЖ1', '!!'), 2 / 3],
  [{ rule: 'script', column: 'a', script: 'Latin' }, a('a', ...Array(9).fill('ก')), 0.1],
  [
    { rule: 'fresh', column: 'a', from: '2026-01-01', until: '2026-12-31' },
    a('2026-02-99', '2026-02-29', '2026-02-28', '2026-02-281'),
    0.25,
  ],
  [{ rule: 'count', least: 8 }, a(...Array(1000).fill(1), 2), 0.25],
  [{ rule: 'spread', column: 'a', most: 0.5 }, a(1, 1, '', ''), 0],
  [{ rule: 'spread', column: 'a', most: 0.5 }, a(1, 2, null, ''), 0.5],
  [{ rule: 'script', column: 'a', script: 'Han' }, a('看護'), 1],
  [{ rule: 'script', column: 'a', script: 'Greek' }, a('123'), 0],
  [{ rule: 'length', column: 'a', least: 2, most: 3 }, a('a', 'ab', 'abc', 'abcd'), 0.5],
  [{ rule: 'one-of', column: 'a', values: ['x', '1'] }, a('x', 1, 'y', null), 0.5],
  [{ rule: 'variety', column: 'a', least: 4 }, a(1, 1, 2, null), 0.5],
  [{ rule: 'count', least: 8 }, a(1, 2), 0.25],
  [{ rule: 'count', least: 8 }, [], 0],
  [{ rule: 'spread', column: 'a', most: 0.5 }, a(1, 1, 2, 3), 1],
  [{ rule: 'spread', column: 'a', most: 0.5 }, a(1, 1, 1, 2), 0.5],
  [{ rule: 'spread', column: 'c', most: 0.5 }, a(1), 0],
  [{ rule: 'compare', left: 'a', relation: '<', right: 'b' }, a(4, 5, 6, 'x'), 0.25],
  [{ rule: 'compare', left: 'a', relation: '<=', right: 'b' }, a(4, 5, 6, 7), 0.5],
  [{ rule: 'compare', left: 'a', relation: '=', right: 'b', tolerance: 1 }, a(4, 5, 6, 7), 0.75],
  [{ rule: 'compare', left: 'a', relation: '>=', right: 'b' }, a(4, 5, 6, 7), 0.75],
  [{ rule: 'compare', left: 'a', relation: '>', right: 'b' }, a(4, 5, 6, 7), 0.5],
  [{ rule: 'range', column: 'a', low: 0, high: 9 }, [], 0],
  [{ rule: 'complete', columns: ['toString'] }, a(1), 0],
])('%j of %j comes to %s', (rule, rows, degree) => {
  expect(judge(rule, rows)?.degree).toBeCloseTo(degree, 9)
})
test('a rule passes from its share on, and names its column', () => {
  const rows = a(1, 2, 3, 40)
  expect(judge({ rule: 'range', column: 'a', low: 0, high: 10, pass: 0.75 }, rows)).toMatchObject({
    passed: true,
    place: 'a',
  })
  expect(
    judge({ rule: 'range', column: 'a', low: 0, high: 10, pass: 0.8, refusal: 'X', weight: 3 }, rows),
  ).toMatchObject({
    passed: false,
    refusal: 'X',
    weight: 3,
  })
  expect(judge({ rule: 'compare', left: 'b', relation: '=', right: 'a' }, rows)?.place).toBe('b')
})
test('making a row better never lowers a degree', () => {
  const rules: QualityRule[] = [
    { rule: 'complete', columns: ['a'] },
    { rule: 'range', column: 'a', low: 0, high: 9 },
    { rule: 'one-of', column: 'a', values: ['5'] },
    { rule: 'length', column: 'a', least: 1, most: 1 },
    { rule: 'compare', left: 'a', relation: '=', right: 'b' },
  ]
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('', 'xx', '50', '5'), { minLength: 1, maxLength: 9 }),
      fc.nat(8),
      (values, at) => {
        const better = values.map((value, index) => (index === at % values.length ? '5' : value))
        for (const rule of rules) {
          expect(judge(rule, a(...better))?.degree).toBeGreaterThanOrEqual(
            judge(rule, a(...values))?.degree ?? 2,
          )
        }
      },
    ),
  )
})
test('rules over many columns pass where all of them are as they should be', () => {
  for (let count = 2; count < 12; count++) {
    const columns = Array.from({ length: count }, (_, column) => `c${column}`)
    const rows = [Object.fromEntries(columns.map((column) => [column, 'x']))]
    expect(judge({ rule: 'agreement', columns }, rows)).toMatchObject({ passed: true, degree: 1 })
    expect(judge({ rule: 'complete', columns }, rows)).toMatchObject({ passed: true, degree: 1 })
  }
})
test('completeness is the same in whatever order columns are named, at its threshold too', () => {
  // 9 of 12 cells: a mean of shares was a little less than 0.75 for one order, and refused.
  const rows = [{ a: 1, b: 1, c: 1 }, { a: 1, b: 1, c: 1 }, { a: 1, b: 1, c: null }, { a: 1 }]
  for (const columns of [
    ['a', 'b', 'c'],
    ['c', 'b', 'a'],
    ['b', 'c', 'a'],
    ['b', 'a', 'c'],
  ]) {
    expect(judge({ rule: 'complete', columns, pass: 0.75 }, rows)).toMatchObject({
      passed: true,
      degree: 0.75,
    })
  }
  const cells = fc.array(fc.array(fc.constantFrom(1, null), { minLength: 4, maxLength: 4 }), {
    minLength: 1,
    maxLength: 20,
  })
  fc.assert(
    fc.property(cells, fc.shuffledSubarray(['0', '1', '2', '3'], { minLength: 4 }), (table, columns) => {
      const all = table.map((row) => Object.fromEntries(row.map((value, index) => [String(index), value])))
      const present = table.flat().filter((value) => value !== null).length
      expect(judge({ rule: 'complete', columns }, all)?.degree).toBe(present / (4 * table.length))
    }),
  )
})

test('a label that joins the most common one of its row never lowers agreement, one that goes never raises it', () => {
  const label = fc.constantFrom('x', 'y', 'z', '')
  const rule = { rule: 'agreement', columns: ['0', '1', '2', '3'] } as const
  const degree = (rows: readonly string[][]) =>
    judge(
      rule,
      rows.map((row) => ({ ...row })),
    )?.degree ?? 2
  fc.assert(
    fc.property(
      fc.array(fc.tuple(label, label, label, label), { minLength: 1, maxLength: 6 }),
      fc.nat(5),
      fc.nat(3),
      (rows, at, column) => {
        const place = at % rows.length
        const row: string[] = rows[place] ?? []
        const count = (text: string) => row.filter((one) => one === text).length
        const [most = ''] = ['x', 'y', 'z'].sort((one, other) => count(other) - count(one))
        const put = (text: string) =>
          degree(
            rows.map((own, index) =>
              index === place ? own.map((old, i) => (i === column ? text : old)) : own,
            ),
          )
        expect(put(most)).toBeGreaterThanOrEqual(degree(rows) - 1e-12)
        expect(put('')).toBeLessThanOrEqual(degree(rows) + 1e-12)
      },
    ),
  )
})
test('recent days are counted back from the time that the host gives', () => {
  const at = Date.UTC(2026, 10, 21, 15) / 1000
  const rule = { rule: 'recent', column: 'a', days: 1 } as const
  const rows = a('2026-11-21', '2026-11-20T23:59', '2026-11-19', '2026-11-22', 'x')
  expect(judge(rule, rows, at)?.degree).toBe(0.4)
  expect(judge(rule, rows)?.degree).toBe(0)
})
test('taking values away never raises spread, and repeating rows never raises count', () => {
  const value = fc.constantFrom('', 'x', 'y', 'z')
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 12 }),
      fc.nat(11),
      fc.constantFrom(0.3, 0.5, 0.9),
      (list, at, most) => {
        const fewer = list.map((one, index) => (index === at % list.length ? '' : one))
        const spread = (own: string[]) => judge({ rule: 'spread', column: 'a', most }, a(...own))?.degree ?? 0
        expect(spread(fewer)).toBeLessThanOrEqual(spread(list) + 1e-9)
        const count = (own: string[]) => judge({ rule: 'count', least: 5 }, a(...own))?.degree
        expect(count([...list, ...list])).toBe(count(list))
      },
    ),
  )
})
