import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundOutput, concentrationBreaches, suppressTable } from './index.js'

const share = (numerator: bigint, denominator: bigint) => ({ numerator, denominator })

describe('concentration', () => {
  const dominance = { minimumContributors: 1, dominance: { largest: 2, share: share(85n, 100n) } }
  test.each([
    [[50n, 35n, 15n], []],
    [[51n, 35n, 14n], ['dominance']],
    [[-51n, 35n, 14n], ['dominance']],
    [[0n, 0n], []],
  ])('of %s by (2, 85)-dominance', (amounts, breaches) => {
    expect(concentrationBreaches(amounts, dominance)).toEqual(breaches)
  })

  test.each([
    // The second knows 100 and 40: it estimates the largest as total - 40, off by the rest.
    [[100n, 40n, 10n], []],
    [[100n, 40n, 9n], ['p-percent']],
    [[100n, 0n], ['p-percent']],
    [[0n], []],
    [[7n], ['p-percent']],
  ])('of %s by 10 percent', (amounts, breaches) => {
    expect(concentrationBreaches(amounts, { minimumContributors: 1, percent: share(1n, 10n) })).toEqual(
      breaches,
    )
  })

  test('five owners of whom one holds nine tenths, and two owners, are not shown', () => {
    const rules = { minimumContributors: 3, dominance: { largest: 1, share: share(3n, 4n) } }
    expect(concentrationBreaches([900n, 40n, 30n, 20n, 10n], rules)).toEqual(['dominance'])
    expect(concentrationBreaches([1n, 1n], rules)).toEqual(['too-few-contributors'])
    expect(concentrationBreaches([], rules)).toEqual(['too-few-contributors'])
  })

  test('p-percent holds exactly when the second largest misses the largest by that share', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 1000n }), { minLength: 2, maxLength: 6 }), (amounts) => {
        const sorted = [...amounts].sort((a, b) => Number(b - a))
        const total = amounts.reduce((sum, amount) => sum + amount, 0n)
        const [first = 0n, second = 0n] = sorted
        const estimateError = total - second - first
        const safe = first === 0n || 5n * estimateError >= first
        const breaches = concentrationBreaches(amounts, { minimumContributors: 1, percent: share(1n, 5n) })
        expect(breaches.length === 0).toBe(safe)
      }),
    )
  })

  test.each([
    ['minimumContributors', { minimumContributors: 0 }],
    ['dominance.largest', { minimumContributors: 1, dominance: { largest: 0, share: share(1n, 2n) } }],
    ['dominance.share', { minimumContributors: 1, dominance: { largest: 1, share: share(1n, 1n) } }],
    ['percent', { minimumContributors: 1, percent: share(0n, 1n) }],
  ])('refuses a wrong %s', (place, rules) => {
    expect(() => concentrationBreaches([], rules)).toThrow(expect.objectContaining({ place }))
    expect(() => suppressTable([], rules)).toThrow(expect.objectContaining({ place }))
  })
})

describe('suppression', () => {
  const rules = { minimumContributors: 3 }
  const cell = (group: string, people: readonly string[], amount = 10n) => ({
    group,
    amounts: people.map((contributor) => ({ contributor, amount })),
  })

  test('one small cell takes the smallest other one with it, or the total would tell it', () => {
    const cells = [cell('a', ['1', '2', '3', '4']), cell('b', ['5', '6', '7']), cell('c', ['8'])]
    expect(suppressTable(cells, rules)).toEqual({
      cells: [{ group: 'a', total: 40n }],
      remainder: 40n,
      suppressed: 2,
    })
  })
  test('two small cells that are enough together need no third', () => {
    const cells = [cell('a', ['1', '2', '3']), cell('b', ['4', '5']), cell('c', ['6'])]
    expect(suppressTable(cells, rules)).toEqual({
      cells: [{ group: 'a', total: 30n }],
      remainder: 30n,
      suppressed: 2,
    })
  })
  test('the same people in two small cells are not more people', () => {
    const cells = [cell('b', ['4', '5']), cell('c', ['4', '5'])]
    expect(suppressTable(cells, rules)).toEqual({ cells: [], remainder: null, suppressed: 2 })
  })
  test('nothing is hidden where nothing must be', () => {
    expect(suppressTable([cell('a', ['1', '2', '3'])], rules)).toEqual({
      cells: [{ group: 'a', total: 30n }],
      remainder: null,
      suppressed: 0,
    })
  })
  test('what is shown keeps the rules, cell by cell and together, for any table', () => {
    const table = fc.array(
      fc.array(
        fc.record({
          contributor: fc.constantFrom('1', '2', '3', '4', '5', '6'),
          amount: fc.bigInt({ min: 0n, max: 100n }),
        }),
        { maxLength: 6 },
      ),
      { maxLength: 6 },
    )
    const strict = { minimumContributors: 2, percent: share(1n, 10n) }
    fc.assert(
      fc.property(table, (groups) => {
        const cells = groups.map((amounts, index) => ({
          group: String(index),
          amounts: [...new Map(amounts.map((entry) => [entry.contributor, entry])).values()],
        }))
        const { cells: shown, remainder, suppressed } = suppressTable(cells, strict)
        expect(shown.length + suppressed).toBe(cells.length)
        for (const { group } of shown) {
          const amounts = cells[Number(group)]?.amounts.map(({ amount }) => amount) ?? []
          expect(concentrationBreaches(amounts, strict)).toEqual([])
        }
        if (remainder === null) expect(suppressed === 0 || shown.length === 0).toBe(true)
      }),
    )
  })
  test('refuses a contributor who is listed twice', () => {
    expect(() => suppressTable([cell('a', ['1', '1', '2'])], rules)).toThrow(
      expect.objectContaining({ place: 'cells[0].amounts' }),
    )
  })
})

describe('output bounds', () => {
  const columns = [
    { name: 'share', kind: 'number', min: 0, max: 1, step: 0.1 },
    { name: 'region', kind: 'category', values: ['north', 'south'] },
  ] as const
  const bound = { columns, maximumRows: 3, maximumBytes: 200, maximumBits: 100 }

  test('clamp, round and sort', () => {
    const { rows, bits } = boundOutput(
      [
        { share: 7, region: 'south' },
        { share: 0.333_333_3, region: 'north' },
        { share: -1, region: null },
      ],
      bound,
    )
    expect(rows).toEqual([
      { share: 0, region: null },
      { share: 0.3, region: 'north' },
      { share: 1, region: 'south' },
    ])
    // Eleven shares and null, two regions and null, and the number of rows.
    expect(bits).toBeCloseTo(3 * Math.log2(12 * 3) + 2, 10)
  })

  test('the lower digits of a number cannot carry a message', () => {
    fc.assert(
      fc.property(fc.double({ min: -2, max: 3, noNaN: true }), (share) => {
        const [row] = boundOutput([{ share, region: 'north' }], bound).rows
        expect([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]).toContain(row?.['share'])
      }),
    )
  })

  test.each([
    ['too many rows', [{}, {}, {}, {}], {}],
    ['a column that was not declared', [{ share: 1, region: 'north', secret: 1 }], {}],
    ['a column that is missing', [{ share: 1 }], {}],
    ['a value that was not declared', [{ share: 1, region: 'west' }], {}],
    ['text for a number', [{ share: '1', region: 'north' }], {}],
    ['no finite number', [{ share: Number.NaN, region: 'north' }], {}],
    ['too many bytes', [{ share: 1, region: 'north' }], { maximumBytes: 10 }],
    ['too many bits', [{ share: 1, region: 'north' }], { maximumBits: 6 }],
    ['a number for a name', [{ share: 1, region: 1 }], {}],
    [
      'an inherited column',
      [{ share: 1, region: 'north' }],
      { columns: [{ name: 'toString', kind: 'number', min: 0, max: 1, step: 1 }] },
    ],
  ])('refuse %s, without a value', (_, rows, wrong) => {
    const call = () => boundOutput(rows as never, { ...bound, ...wrong } as never)
    expect(call).toThrow(expect.objectContaining({ code: 'OUTPUT_REFUSED' }))
    expect(call).not.toThrow(/west|secret/)
  })

  test.each([
    ['maximumRows', { maximumRows: -1 }],
    ['maximumBits', { maximumBits: Number.POSITIVE_INFINITY }],
    ['columns', { columns: [columns[0], columns[0]] }],
    ['columns[0]', { columns: [{ ...columns[0], step: 0 }] }],
    ['columns[0]', { columns: [{ ...columns[0], max: 0 }] }],
    ['columns[0]', { columns: [{ ...columns[1], values: ['a', 'a'] }] }],
  ])('refuse a malformed %s', (place, wrong) => {
    expect(() => boundOutput([], { ...bound, ...wrong } as never)).toThrow(
      expect.objectContaining({ code: 'PARAMETER_INVALID', place }),
    )
  })
})
