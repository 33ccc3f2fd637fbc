import { expect, test } from 'vitest'
import type { NamedTable } from '../schema/table-schema.js'
import { canonicalRows } from './canonical-rows.js'
import { type PackedColumns, readPackedColumns } from './packed-columns.js'

const table: NamedTable = {
  name: 't',
  description: 'd',
  columns: {
    n: { type: 'integer', min: 0, description: 'd' },
    flag: { type: 'boolean', nullable: true, description: 'd' },
    word: { type: 'text', values: ['a', 'b'], nullable: true, description: 'd' },
  },
}
const packed = (lists: unknown, own: Partial<PackedColumns> = {}): PackedColumns => ({
  rows: 2,
  columns: ['n', 'flag', 'word'],
  text: JSON.stringify(lists),
  ...own,
})
const rowsOf = (answers: readonly PackedColumns[]) => {
  const rows: unknown[] = []
  canonicalRows(readPackedColumns(table, answers), 3, new Uint8Array(), (bytes) => {
    rows.push(JSON.parse(new TextDecoder().decode(bytes)))
  })
  return rows
}

test('columns of several answers follow each other; what is not there is null', () => {
  const first = packed([
    [1, 2],
    [true, null],
    ['a', null],
  ])
  const second = packed([[3]], { rows: 1, columns: ['n'] })
  expect(rowsOf([first, second])).toEqual([
    { contributor: 3, n: 1, flag: true, word: 'a' },
    { contributor: 3, n: 2, flag: null, word: null },
    { contributor: 3, n: 3, flag: null, word: null },
  ])
  expect(rowsOf([])).toEqual([])
})

test('a column is the same with its values once and a code for each row', () => {
  const lists = [
    [1, 2, 1, 1],
    [true, null, null, true],
    ['a', null, 'b', 'a'],
  ]
  const coded = [
    { values: [1, 2], codes: '#$##' },
    { values: [null, true], codes: '$##$' },
    { values: ['a', null, 'b'], codes: '#$%#' },
  ]
  for (const mixed of [coded, [coded[0], lists[1], coded[2]]])
    expect(rowsOf([packed(mixed, { rows: 4 })])).toEqual(rowsOf([packed(lists, { rows: 4 })]))
  expect(rowsOf([packed(coded, { rows: 4 }), packed(lists, { rows: 4 })])).toEqual(
    rowsOf([packed(lists, { rows: 4 }), packed(coded, { rows: 4 })]),
  )
})

test.each<[string, unknown, string]>([
  ['a number below its least', { values: [1, -1], codes: '#$' }, 'VALUE_RANGE'],
  ['a list', { values: [1, [2]], codes: '#$' }, 'VALUE_TYPE'],
  ['a fraction', { values: [1, 1.5], codes: '#$' }, 'VALUE_TYPE'],
  ['nothing', { values: [1, null], codes: '#$' }, 'VALUE_MISSING'],
])('%s among coded values is refused at its row', (_, n, code) => {
  const answer = packed([n, [true, false], ['a', 'b']])
  expect(() => readPackedColumns(table, [answer])).toThrow(expect.objectContaining({ code, place: 't[1].n' }))
})

test('what no row has is not looked at', () => {
  const n = { values: [1, {}, -5], codes: '##' }
  expect(rowsOf([packed([n, [true, false], ['a', 'b']])]).length).toBe(2)
})

const two = [
  [1, 2],
  [true, false],
  ['a', 'b'],
]
test.each<[string, PackedColumns]>([
  ['no JSON', packed(two, { text: '[' })],
  ['no list', packed({})],
  ['rows without columns', packed([], { rows: 100_000_000, columns: [] })],
  ['fewer lists than names', packed(two.slice(0, 2))],
  ['a list that is none', packed([[1, 2], null, ['a', 'b']])],
  ['codes without values', packed([{ codes: '##' }, [true, false], ['a', 'b']])],
  ['a code of no value', packed([{ values: [1], codes: '#$' }, [true, false], ['a', 'b']])],
  ['codes of another length', packed([{ values: [1], codes: '###' }, [true, false], ['a', 'b']])],
  ['a list of another length', packed([[1], [true], ['a']])],
  ['more rows than told', packed(two, { rows: 1 })],
  ['a column twice', packed(two, { columns: ['n', 'n', 'word'] })],
  ['a column that is not declared', packed(two, { columns: ['n', 'flag', 'constructor'] })],
])('%s is refused', (_, answer) => {
  expect(() => readPackedColumns(table, [answer])).toThrow(
    expect.objectContaining({ code: 'MAP_OUTPUT_INVALID', place: 't' }),
  )
})

test.each<[string, unknown[], string, string]>([
  [
    'a fraction',
    [
      [1, 0.5],
      [true, true],
      ['a', 'a'],
    ],
    'VALUE_TYPE',
    't[3].n',
  ],
  [
    'a text for an integer',
    [
      ['1', 1],
      [true, true],
      ['a', 'a'],
    ],
    'VALUE_TYPE',
    't[2].n',
  ],
  [
    'out of range',
    [
      [1, -1],
      [true, true],
      ['a', 'a'],
    ],
    'VALUE_RANGE',
    't[3].n',
  ],
  [
    'nothing',
    [
      [1, null],
      [true, true],
      ['a', 'a'],
    ],
    'VALUE_MISSING',
    't[3].n',
  ],
  [
    'a number for a truth value',
    [
      [1, 1],
      [1, true],
      ['a', 'a'],
    ],
    'VALUE_TYPE',
    't[2].flag',
  ],
  [
    'a value that is not allowed',
    [
      [1, 1],
      [true, true],
      ['a', 'c'],
    ],
    'VALUE_NOT_ALLOWED',
    't[3].word',
  ],
  [
    'an object',
    [
      [1, 1],
      [true, true],
      [{}, 'a'],
    ],
    'VALUE_TYPE',
    't[2].word',
  ],
  [
    'the first row before the first column',
    [
      [1, -1],
      [1, true],
      ['a', 'a'],
    ],
    'VALUE_TYPE',
    't[2].flag',
  ],
])('%s is refused with the row of all answers', (_, lists, code, place) => {
  expect(() => readPackedColumns(table, [packed(two), packed(lists)])).toThrow(
    expect.objectContaining({ code, place }),
  )
})

test('columns that are left out make no more room than rows of a table may have', () => {
  const wide: NamedTable = {
    name: 't',
    description: 'd',
    columns: Object.fromEntries(
      Array.from({ length: 2_000 }, (_, at) => [
        `c${at}`,
        { type: 'integer', nullable: true, description: 'd' },
      ]),
    ),
  }
  const rows = 40_000
  const text = `[[${'null,'.repeat(rows - 1)}null]]`
  expect(() => readPackedColumns(wide, [{ rows, columns: ['c0'], text }])).toThrow(
    expect.objectContaining({ code: 'LIMIT_EXCEEDED', place: 't' }),
  )
  // Answers that lie are refused before the room of those behind or before them is taken.
  const honest = { rows: 1, columns: ['n', 'flag', 'word'], text: '[[1],[null],["a"]]' }
  for (const answers of [
    [honest, ...Array.from({ length: 99 }, () => ({ rows: 100_000_000, columns: [], text: '[]' }))],
    [{ rows: 100_000_000, columns: ['n'], text: '[[1]]' }, honest],
  ])
    expect(() => readPackedColumns(table, answers)).toThrow(
      expect.objectContaining({ code: 'MAP_OUTPUT_INVALID', place: 't' }),
    )
})
