// A column whose values come again is the same column as one that writes each of them: nothing a script can see may differ.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBatchHost } from './batch-host.js'
import { encodeCodes } from './coded-text.js'

type Cell = string | number | null

const cell: fc.Arbitrary<Cell> = fc.constantFrom('a', 'b', '', '7', ' 7 ', '1e3', '-0', 'Ä', 7, -1.5, 0, null)
const expressions: readonly unknown[] = [
  ['column', 'x'],
  ['number', ['column', 'x']],
  ['=', ['number', ['column', 'x']], 7],
  ['concat', ['column', 'x'], ['text', '!']],
  ['if', ['missing', ['column', 'x']], ['text', 'none'], ['column', 'x']],
  ['in', ['column', 'x'], ['a', 7, 'column', ['column', 'y']]],
  ['matches', ['column', 'x'], '^[a-z]$', ''],
  ['length', ['column', 'x']],
  ['concat', ['column', 'x'], ['column', 'y']],
  ['+', ['number', ['column', 'x']], ['number', ['column', 'y']]],
  ['text', 'same'],
  5,
  null,
]

function codedOf(list: readonly Cell[], unused: readonly Cell[] = []) {
  const values = [...new Set(list), ...unused]
  return {
    values,
    codes: encodeCodes(
      Uint16Array.from(list, (value) => values.indexOf(value)),
      values.length,
    ),
  }
}

/** Everything that a script can learn of a table. */
function seen(columns: Readonly<Record<string, unknown>>, expression: unknown, coded: boolean): unknown[] {
  const host = createBatchHost({
    memoryBytes: 2 ** 26,
    outputBytes: 2 ** 24,
    attachments: [],
    expired: () => false,
  })
  const call = (name: string, args: readonly unknown[], text = ''): unknown =>
    JSON.parse(host.call(name, JSON.stringify(args), text))
  const text = JSON.stringify({ names: Object.keys(columns), columns: Object.values(columns) })
  const out: unknown[] = [call('table', ['columns'], text)]
  out.push(call('map', [0, 'z', expression]))
  out.push(call('filter', [0, expression]))
  for (let table = 0; table < 3; table += 1) {
    out.push(call('rows', [table, 0, 1000, null]))
    for (const operation of ['present', 'distinct', 'min', 'max', 'sum']) {
      out.push(call('aggregate', [table, { figure: { operation, of: 'x' } }, 'y']))
      out.push(call('aggregate', [table, { figure: { operation, of: 'z' } }, null]))
    }
    out.push(call('attachColumns', [table, ['x'], [], coded]))
  }
  return [...out, ...host.attached.map((attached) => plain(attached))]
}

function plain(attached: string): unknown {
  return (JSON.parse(attached) as unknown[]).map((column) => {
    if (Array.isArray(column)) return column
    const { values, codes } = column as { readonly values: readonly Cell[]; readonly codes: string }
    return Array.from({ length: values.length <= 91 ? codes.length : codes.length / 2 }, (_, at) => {
      const text = values.length <= 91 ? codes.slice(at, at + 1) : codes.slice(2 * at, 2 * at + 2)
      return values[
        values.findIndex((_value, code) => encodeCodes(Uint16Array.of(code), values.length) === text)
      ]
    })
  })
}

describe('a coded column', () => {
  it('is to a script what its list is', () => {
    const rows = fc.array(fc.tuple(cell, cell), { maxLength: 40 })
    fc.assert(
      fc.property(rows, fc.constantFrom(...expressions), (given, expression) => {
        const x = given.map(([value]) => value)
        const y = given.map(([, value]) => value)
        const listed = seen({ x, y }, expression, false)
        expect(seen({ x: codedOf(x), y }, expression, false)).toEqual(listed)
        expect(seen({ x: codedOf(x), y: codedOf(y) }, expression, true)).toEqual(listed)
      }),
    )
  })

  it('is without the values of rows that were left out', () => {
    const x = ['0', '5', '1', 'text', '0']
    const filter = ['in', ['column', 'x'], ['0', '1']]
    const number = ['if', filter, ['number', ['column', 'x']], ['column', 'x']]
    const figures = { sum: { operation: 'sum', of: 'y' } }
    for (const column of [x, codedOf(x), codedOf(x, ['unused'])]) {
      const host = createBatchHost({
        memoryBytes: 2 ** 26,
        outputBytes: 2 ** 24,
        attachments: [],
        expired: () => false,
      })
      const call = (name: string, args: readonly unknown[], text = ''): unknown =>
        JSON.parse(host.call(name, JSON.stringify(args), text))
      call('table', ['columns'], JSON.stringify({ names: ['x'], columns: [column] }))
      call('filter', [0, filter])
      call('map', [1, 'y', number])
      expect(call('aggregate', [2, figures, null])).toEqual({ ok: [{ group: null, figures: { sum: 1 } }] })
      expect(call('attachColumns', [2, ['y'], ['y'], true])).toEqual({ ok: 0 })
      expect(host.attached.map(plain)).toEqual([[[false, true, false]]])
      expect(call('attachColumns', [2, ['x'], [], true])).toEqual({ ok: 1 })
      expect(host.attached[1]).not.toContain('text')
    }
  })

  it('may have thousands of values', () => {
    const x = Array.from({ length: 9000 }, (_, row) => `v${row % 4500}`)
    const expression = ['length', ['column', 'x']]
    expect(seen({ x: codedOf(x), y: x }, expression, true)).toEqual(seen({ x, y: x }, expression, false))
  })

  it('is computed once for each value', () => {
    let ticks = 0
    const host = createBatchHost({
      memoryBytes: 2 ** 26,
      outputBytes: 2 ** 24,
      attachments: [],
      expired: () => {
        ticks += 1
        return false
      },
    })
    const x = new Array<string>(1_000_000).fill('a')
    host.call('table', '["columns"]', JSON.stringify({ names: ['x'], columns: [codedOf(x)] }))
    ticks = 0
    host.call('map', JSON.stringify([0, 'y', ['length', ['column', 'x']]]), '')
    // A row by row map asks for the time every 65,536 rows.
    expect(ticks).toBe(1)
  })

  it.each([
    ['no values', { codes: '#' }],
    ['no codes', { values: ['a'] }],
    ['codes that are no text', { values: ['a'], codes: [0] }],
    ['a code of no value', { values: ['a'], codes: '$' }],
    ['another length than its neighbour', { values: ['a'], codes: '##' }],
    ['a text', 'abc'],
    ['nothing', null],
  ])('is refused with %s', (_, column) => {
    const host = createBatchHost({
      memoryBytes: 2 ** 26,
      outputBytes: 2 ** 24,
      attachments: [],
      expired: () => false,
    })
    const text = JSON.stringify({ names: ['a', 'b'], columns: [[1], column] })
    expect(JSON.parse(host.call('table', '["columns"]', text))).toEqual({
      no: 'expected lists of one length',
    })
  })
})
