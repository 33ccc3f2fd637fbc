import type { JsonValue } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { programPlan } from '../testing/program-job.js'
import type { ProgramPlan } from './plan-program.js'
import { type ProgramRow, type ProgramRows, programBlocks, programInput } from './program-input.js'

const split = 'compute.parameters.split'
const blocks = programPlan({
  manifest: { [split]: { kind: 'blocks', blocks: 7 } },
  policy: { 'privacy.minimumContributors': 1 },
})
const single = programPlan({ manifest: { [split]: { kind: 'contributors', atMost: 500 } } })
const order = new Uint8Array(32).fill(9)

/** Each contributor has a wage of his own, and visits that say whose they are and which. */
function rowsOf(count: number): ProgramRows {
  const ids = Array.from({ length: count }, (_, index) => index)
  return {
    workers: ids.map(
      (id): ProgramRow => ({
        contributor: `wallet-${id}`,
        rank: 1,
        values: { wage: id, union_member: false },
      }),
    ),
    visits: ids.flatMap((id) =>
      [1, 2, 3, 4, 5].map(
        (rank): ProgramRow => ({
          contributor: `wallet-${id}`,
          rank,
          values: { length: id * 10 + rank, day: '2024-05-06', secret: 'not asked for' },
        }),
      ),
    ),
  }
}

interface Input {
  readonly argument: JsonValue
  readonly contributors: readonly {
    readonly tables: {
      readonly workers: readonly { readonly wage: number }[]
      readonly visits: readonly { readonly length: number; readonly day: string }[]
    }
  }[]
}
const inputs = (plan: ProgramPlan, rows: ProgramRows, key: Uint8Array = order): Input[] =>
  programBlocks(plan, rows, key).map(
    (block) => JSON.parse(JSON.stringify(programInput(plan, block))) as Input,
  )
const wages = (input: Input | undefined): number[] =>
  (input?.contributors ?? []).map(({ tables }) => tables.workers[0]?.wage ?? -1)

describe.each([
  ['blocks', blocks],
  ['contributors', single],
])('split into %s', (_, plan) => {
  const rows = rowsOf(60)

  test('everybody is in one run, with all that is his', () => {
    const seen = inputs(plan, rows)
    expect(seen.flatMap(wages).sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (__, id) => id))
    for (const { contributors } of seen) {
      for (const { tables } of contributors) {
        const id = tables.workers[0]?.wage ?? -1
        expect(tables.visits.map(({ length }) => length)).toEqual([id * 10 + 1, id * 10 + 2])
      }
    }
  })

  test('a run is given argument and asked columns, no name and no other row', () => {
    for (const input of inputs(plan, rows)) {
      expect(Object.keys(input)).toEqual(['argument', 'contributors'])
      expect(input.argument).toEqual({ quantile: 0.5 })
      const text = JSON.stringify(input)
      expect(text).not.toMatch(/wallet|secret|rank|not asked/)
      for (const one of input.contributors) {
        expect(Object.keys(one)).toEqual(['tables'])
        expect(Object.keys(one.tables)).toEqual(['workers', 'visits'])
        for (const visit of one.tables.visits) expect(Object.keys(visit)).toEqual(['length', 'day'])
      }
    }
  })

  test('the order of the data does not show', () => {
    const turned = {
      workers: [...(rows['workers'] ?? [])].reverse(),
      visits: [...(rows['visits'] ?? [])].reverse(),
    }
    expect(inputs(plan, turned)).toEqual(inputs(plan, rows))
    const doubled = inputs(plan, rows).flatMap(wages)
    expect(doubled).not.toEqual([...doubled].sort((a, b) => a - b))
    expect(inputs(plan, rows, new Uint8Array(32).fill(8)).flatMap(wages)).not.toEqual(doubled)
  })

  test('a contributor falls where he falls whoever else is there', () => {
    const [fewer, more] = [inputs(plan, rowsOf(59)), inputs(plan, rows)]
    const changedRuns = more.filter((input) => wages(input).includes(59))
    expect(changedRuns).toHaveLength(1)
    const untouched = more.filter((input) => !wages(input).includes(59)).map((input) => JSON.stringify(input))
    const before = fewer.map((input) => JSON.stringify(input))
    expect(before.filter((input) => !untouched.includes(input)).length).toBeLessThanOrEqual(1)
  })
})

test('at most so many contributors are run, and who they are follows from the key', () => {
  const few = programPlan({ manifest: { [split]: { kind: 'contributors', atMost: 10 } } })
  const chosen = inputs(few, rowsOf(60)).flatMap(wages)
  expect(chosen).toHaveLength(10)
  const others = inputs(few, rowsOf(60), new Uint8Array(32).fill(1)).flatMap(wages)
  expect(others).not.toEqual(chosen)
})

test('a block of too few contributors is not run', () => {
  const strict = programPlan({
    manifest: { [split]: { kind: 'blocks', blocks: 7 } },
    policy: { 'privacy.minimumContributors': 30 },
  })
  expect(strict.split).toMatchObject({ least: 9 })
  const all = programBlocks(blocks, rowsOf(60), order).map((block) => block.length)
  const run = programBlocks(strict, rowsOf(60), order).map((block) => block.length)
  expect(run).toEqual(all.filter((length) => length >= 9))
  expect(run.length).toBeLessThan(all.length)
})

test('rows of one rank are no more than the plan allows either', () => {
  const [worker] = rowsOf(1)['workers'] ?? []
  if (worker === undefined) throw new Error('there is one')
  const rows = {
    workers: [worker],
    visits: [4, 2, 3, 1].map((length): ProgramRow => ({ ...worker, values: { length } })),
  }
  const [input] = inputs(single, rows)
  expect(input?.contributors[0]?.tables.visits.map(({ length }) => length)).toEqual([1, 2])
  const turned = inputs(single, { ...rows, visits: [...rows.visits].reverse() })
  expect(turned).toEqual([input])
})

test('somebody without rows in some table is run with none of it, and nobody without rows at all', () => {
  const visits = [{ contributor: 5n, rank: '2', values: { length: '7', day: '19723' } }]
  expect(inputs(single, { workers: [], visits })).toEqual([
    {
      argument: { quantile: 0.5 },
      contributors: [{ tables: { workers: [], visits: [{ length: 7, day: '2024-01-01' }] } }],
    },
  ])
  const past = [{ contributor: 5, rank: 3, values: { length: 7, day: null } }]
  expect(inputs(single, { workers: [], visits: past })).toEqual([])
})

test.each<[unknown, unknown, unknown]>([
  ['12.50', true, 12.5],
  [12n, false, 12],
  [' ', 'true', null],
  ['many', 1, null],
  [Number.NaN, null, null],
  [Number.POSITIVE_INFINITY, undefined, null],
  [{}, {}, null],
  [undefined, [], null],
])('a wage of %s and a membership of %s are values or missing', (wage, member, expected) => {
  const workers = [{ contributor: 1, rank: 1, values: { wage, union_member: member } }]
  const [input] = inputs(single, { workers, visits: [] })
  const union = typeof member === 'boolean' ? member : null
  expect(input?.contributors[0]?.tables.workers).toEqual([{ wage: expected, union_member: union }])
})

test.each([
  ['clerk', 'clerk'],
  ['', ''],
  [7, null],
  [true, null],
  [{ toJSON: () => 'x' }, null],
  [undefined, null],
])('words of %s are text or missing', (given, expected) => {
  const columns = single.columns.map((column) =>
    column.column === 'union_member' ? { ...column, type: 'text' as const } : column,
  )
  const workers = [{ contributor: 1, rank: 1, values: { wage: 1, union_member: given } }]
  const [input] = inputs({ ...single, columns }, { workers, visits: [] })
  expect(input?.contributors[0]?.tables.workers).toEqual([{ wage: 1, union_member: expected }])
})

test.each<[string, Record<string, unknown>, string]>([
  ['a missing table', { visits: undefined }, 'rows.visits'],
  ['a row of nobody', { workers: [{ rank: 1, values: {} }] }, 'rows.workers[0].contributor'],
  [
    'a row of no whole number',
    { workers: [{ contributor: 1.5, rank: 1, values: {} }] },
    'rows.workers[0].contributor',
  ],
  ['no rank', { workers: [{ contributor: 1, values: {} }] }, 'rows.workers[0].rank'],
  ['rank zero', { workers: [{ contributor: 1, rank: 0, values: {} }] }, 'rows.workers[0].rank'],
  ['rank in words', { workers: [{ contributor: 1, rank: '1e0', values: {} }] }, 'rows.workers[0].rank'],
])('%s is refused', (_, change, place) => {
  const rows = Object.fromEntries(
    Object.entries({ ...rowsOf(2), ...change }).filter(([, value]) => value !== undefined),
  ) as ProgramRows
  expect(() => programBlocks(single, rows, order)).toThrow(
    expect.objectContaining({ code: 'ROWS_INVALID', place }),
  )
})

test('a key of another length is refused', () => {
  for (const length of [0, 31, 33]) {
    expect(() => programBlocks(single, rowsOf(0), new Uint8Array(length))).toThrow(
      expect.objectContaining({ code: 'ROWS_INVALID', place: 'order' }),
    )
  }
})
