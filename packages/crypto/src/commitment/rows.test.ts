import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../canonical-json/canonicalize.js'
import {
  commitRows,
  type DisclosedField,
  type DisclosedRow,
  openRows,
  type RowsOpening,
  verifyRowsOpening,
} from './rows.js'

const salt = new Uint8Array(32).fill(3)
const rows: readonly JsonObject[] = [
  { name: 'Ada', wage: 9.5, union: true },
  { name: 'Ben', wage: 9.5, union: false },
  { wage: null },
  { é: 1, a: [1, { b: 2 }], Z: 'x' },
]
const { root } = commitRows(rows, { salt })
const disclose = [
  { row: 3, fields: ['a'] },
  { row: 0, fields: ['wage', 'name'] },
]
const opening = openRows(rows, { salt, disclose })

describe('rows', () => {
  test('disclose the fields that were asked for and no others', () => {
    expect(verifyRowsOpening(root, opening)).toBe(true)
    expect(
      opening.rows.map(({ row, fields }) => [row, fields.map(({ name, value }) => [name, value])]),
    ).toEqual([
      [
        0,
        [
          ['name', 'Ada'],
          ['wage', 9.5],
        ],
      ],
      [3, [['a', [1, { b: 2 }]]]],
    ])
    const shown = JSON.stringify(opening)
    for (const hidden of ['Ben', 'union', 'é', '"Z"']) expect(shown).not.toContain(hidden)
  })

  test('of any shape verify for any choice of fields', () => {
    const value = fc.jsonValue({ maxDepth: 2 }).map((each) => each as JsonValue)
    const row = fc.dictionary(fc.string({ maxLength: 5 }), value, {
      minKeys: 1,
      maxKeys: 6,
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), fc.nat(), fc.nat(), (list, one, two) => {
        const chosen = one % list.length
        const names = Object.keys(list[chosen] ?? {})
        const fields = names.filter((_, index) => index % 2 === two % 2 || names.length === 1)
        fc.pre(fields.length > 0)
        const own = commitRows(list, { salt })
        const shown = openRows(list, { salt, disclose: [{ row: chosen, fields }] })
        expect(verifyRowsOpening(own.root, shown)).toBe(true)
        expect(verifyRowsOpening(commitRows([...list, { a: 1 }], { salt }).root, shown)).toBe(false)
      }),
      { numRuns: 60 },
    )
  })

  test('survive structured cloning, as between a worker and a page', () => {
    expect(verifyRowsOpening(root, structuredClone(opening))).toBe(true)
  })

  test('with equal values have different leaves, and another salt another root', () => {
    const equal = commitRows([{ a: 1 }, { a: 1 }], { salt })
    const [one, two] = [0, 1].map((row) =>
      openRows([{ a: 1 }, { a: 1 }], { salt, disclose: [{ row, fields: ['a'] }] }),
    )
    expect(one?.rows[0]?.fields[0]?.salt).not.toEqual(two?.rows[0]?.fields[0]?.salt)
    expect(commitRows([{ a: 1 }, { a: 1 }], { salt: new Uint8Array(32) }).root).not.toBe(equal.root)
  })

  test('do not depend on the order in which a row’s fields were written', () => {
    expect(commitRows([{ b: 1, a: 2 }], { salt })).toEqual(commitRows([{ a: 2, b: 1 }], { salt }))
  })

  const withRow = (change: Partial<DisclosedRow>, at = 0): RowsOpening => ({
    ...opening,
    rows: opening.rows.map((row, index) => (index === at ? { ...row, ...change } : row)),
  })
  const withField = (change: Partial<DisclosedField>): RowsOpening => ({
    ...opening,
    rows: opening.rows.map((row, index) =>
      index === 0
        ? { ...row, fields: row.fields.map((field, at) => (at === 0 ? { ...field, ...change } : field)) }
        : row,
    ),
  })
  const [first, second] = opening.rows
  test.each<readonly [string, unknown]>([
    ['another value', withField({ value: 'Eve' })],
    ['another name', withField({ name: 'nick' })],
    ['another salt', withField({ salt: new Uint8Array(32) })],
    ['a short salt', withField({ salt: new Uint8Array(31) })],
    ['a salt that is text', withField({ salt: 'salt' as unknown as Uint8Array })],
    ['another place', withField({ index: 1 })],
    ['a value that is no JSON', withField({ value: undefined as unknown as JsonValue })],
    ['another row', withRow({ row: 1 })],
    ['another number of fields', withRow({ fieldCount: 4 })],
    ['fewer fields than shown', withRow({ fieldCount: 1 })],
    ['a field left out', withRow({ fields: first?.fields.slice(1) ?? [] })],
    ['no fields', withRow({ fields: [] })],
    ['a field twice', withRow({ fields: [...(first?.fields ?? []), ...(first?.fields ?? [])] })],
    ['a proof too long', withRow({ proof: [...(first?.proof ?? []), new Uint8Array(32)] })],
    ['no proof of a row', withRow({ proof: undefined as unknown as [] })],
    ['another number of rows', { ...opening, count: 5 }],
    ['rows swapped', { ...opening, rows: [second, first] }],
    ['a row left out', { ...opening, rows: [first] }],
    ['a proof too short', { ...opening, proof: opening.proof.slice(1) }],
    ['rows that are null', { ...opening, rows: null }],
    ['nothing', {}],
    ['null', null],
  ])('with %s are refused', (_name, claim) => {
    expect(verifyRowsOpening(root, claim as RowsOpening)).toBe(false)
  })

  test('are refused under another root', () => {
    expect(verifyRowsOpening(`sha256:${'00'.repeat(32)}`, opening)).toBe(false)
  })

  test.each<readonly [string, () => unknown]>([
    ['a salt of 31 bytes', () => commitRows(rows, { salt: salt.slice(1) })],
    ['a row without fields', () => commitRows([{}], { salt })],
    ['a row that is an array', () => commitRows([[1] as unknown as JsonObject], { salt })],
    ['a row that is not there', () => openRows(rows, { salt, disclose: [{ row: 4, fields: ['a'] }] })],
    [
      'a row twice',
      () =>
        openRows(rows, {
          salt,
          disclose: [
            { row: 0, fields: ['name'] },
            { row: 0, fields: ['wage'] },
          ],
        }),
    ],
    ['a field that is not there', () => openRows(rows, { salt, disclose: [{ row: 0, fields: ['age'] }] })],
    ['a field twice', () => openRows(rows, { salt, disclose: [{ row: 0, fields: ['wage', 'wage'] }] })],
    ['no field', () => openRows(rows, { salt, disclose: [{ row: 0, fields: [] }] })],
    ['nothing', () => openRows(rows, { salt, disclose: [] })],
  ])('%s is an error', (_name, work) => {
    expect(work).toThrow(expect.objectContaining({ code: 'COMMITMENT_INVALID' }))
  })

  test('has a root that the format’s text gives, computed by hand', () => {
    // SHA-256("sealpool/rows/1" || u64be 1 || MTH({u32be 1 || MTH({s || JCS(["a",1])})})), by OpenSSL below.
    const one = commitRows([{ a: 1 }], { salt })
    expect(one).toEqual({ root: `sha256:${byHand()}`, count: 1 })
  })
})

test('a name that stands twice in a row is not shown twice, even if the one who committed put it there', () => {
  const values = [1, 2]
  const salts = values.map((value) => new Uint8Array(32).fill(value))
  const hashes = values.map((value, index) => fieldOf(salts[index] ?? salt, 'a', value))
  const field = (index: number) => ({
    index,
    name: 'a',
    value: values[index] ?? 0,
    salt: salts[index] ?? salt,
  })
  const forged = `sha256:${rootOf(node(...hashes), 2)}` as const
  const shown = (fields: readonly DisclosedField[], proof: readonly Uint8Array[]) =>
    verifyRowsOpening(forged, { count: 1, rows: [{ row: 0, fieldCount: 2, fields, proof }], proof: [] })
  const [first = salt, second = salt] = hashes
  expect(shown([field(0)], [second])).toBe(true)
  expect(shown([field(1)], [first])).toBe(true)
  expect(shown([field(0), field(1)], [])).toBe(false)
  // In an opening of its own each of the two is right, unless the reader knows the columns.
  const withNames = (fields: readonly DisclosedField[], proof: readonly Uint8Array[], names: string[]) =>
    verifyRowsOpening(
      forged,
      { count: 1, rows: [{ row: 0, fieldCount: 2, fields, proof }], proof: [] },
      { names },
    )
  for (const names of [['a'], ['a', 'b'], ['b', 'a'], ['0', 'a'], ['a', 'a'], ['a', 'a', 'b']]) {
    const answers = [withNames([field(0)], [second], names), withNames([field(1)], [first], names)]
    expect(answers.filter(Boolean).length).toBeLessThan(2)
    if (names.length !== 2 || names[0] === names[1]) expect(answers).toEqual([false, false])
  }
  expect(withNames([field(0)], [second], ['b', 'a'])).toBe(true)
  expect(withNames([field(1)], [first], ['b', 'a'])).toBe(false)
})

describe('whoever knows the columns', () => {
  const table: readonly JsonObject[] = [
    { wage: 9, age: 41, Zip: 'x' },
    { age: 33, Zip: 'y', wage: 12 },
  ]
  const own = commitRows(table, { salt })
  const shown = openRows(table, {
    salt,
    disclose: [
      { row: 0, fields: ['wage'] },
      { row: 1, fields: ['Zip', 'age'] },
    ],
  })
  const verify = (options: unknown) => verifyRowsOpening(own.root, shown, options as object)

  test('has them asked for, in any order', () => {
    expect(verify({})).toBe(true)
    expect(verify({ names: ['age', 'wage', 'Zip'] })).toBe(true)
    expect(verify({ names: ['wage', 'Zip', 'age'] })).toBe(true)
    const names = Object.freeze(['wage', 'Zip', 'age'])
    expect(verify({ names })).toBe(true)
  })

  test.each<readonly [string, unknown]>([
    ['a column less', ['age', 'wage']],
    ['a column more', ['age', 'wage', 'Zip', 'more']],
    ['another column', ['age', 'wage', 'zip']],
    ['another column that is not shown in the first row', ['Age', 'wage', 'Zip']],
    ['a column twice', ['age', 'wage', 'Zip', 'Zip']],
    ['none', []],
    ['a hole', Object.assign(new Array(3), ['age', 'wage'])],
    ['numbers', [1, 2, 3]],
    ['undefined', undefined],
    ['null', null],
    ['a text', 'age'],
    ['a set', new Set(['age', 'wage', 'Zip'])],
  ])('refuses %s', (_name, names) => {
    expect(verify({ names })).toBe(false)
  })

  test.each<readonly [string, unknown]>([
    ['a misspelt option', { nmaes: ['age', 'wage', 'Zip'] }],
    ['another option beside', { names: ['age', 'wage', 'Zip'], strict: true }],
    ['a map', new Map([['names', ['a']]])],
    ['inherited names', Object.create({ names: ['a'] })],
    ['a list', ['age', 'wage', 'Zip']],
    ['null', null],
  ])('is not answered with true for %s', (_name, options) => {
    expect(verify(options)).toBe(false)
  })
})

describe('what stands beside an opening, or is computed,', () => {
  const inside = <Part extends object>(part: Part, change: (copy: Part) => object) => change({ ...part })
  const [row] = opening.rows
  const [field] = row?.fields ?? []
  if (row === undefined || field === undefined) throw new Error('there is a row')
  const others = opening.rows.slice(1)
  const withFirst = (first: unknown) => ({ ...opening, rows: [first, ...others] })
  const withFirstField = (first: unknown) => withFirst({ ...row, fields: [first, ...row.fields.slice(1)] })
  const note = { note: 'also proven?' }
  let read = 0
  const counting = {
    get value() {
      return read++ < 1 ? field.value : 'Eve'
    },
  }
  const computed = (copy: object) => Object.defineProperties(copy, Object.getOwnPropertyDescriptors(counting))
  test.each<readonly [string, unknown]>([
    ['at the top', { ...opening, ...note }],
    ['in a row', withFirst({ ...row, ...note })],
    ['in a field', withFirstField({ ...field, ...note })],
    ['in a field, by a symbol', withFirstField({ ...field, [Symbol('note')]: 1 })],
    ['in a field, by a getter', withFirstField(inside(field, computed))],
    ['in a field, hidden', withFirstField(Object.defineProperty({ ...field }, 'note', { value: 1 }))],
    ['in a row, inherited', withFirst(Object.assign(Object.create({ note: 1 }), row))],
  ])('is not taken for proven %s', (_name, claim) => {
    expect(verifyRowsOpening(root, claim as RowsOpening)).toBe(false)
  })
})

describe('rows that are read otherwise than they look', () => {
  class Row {
    a = 1
    get wage() {
      return 5
    }
  }
  const hidden = Object.defineProperty({ a: 1 }, 'b', { value: 2 })
  const getter = {
    a: 1,
    get b() {
      return 2
    },
  }
  const inPlaceOf = (value: unknown) => [{ a: 1 }, value, { a: 3 }] as readonly JsonObject[]
  test.each<readonly [string, readonly JsonObject[], string]>([
    ['a hole', Object.assign(new Array(3), { 0: { a: 1 }, 2: { a: 3 } }), 'COMMITMENT_INVALID'],
    ['a hole at the end', new Array(1), 'COMMITMENT_INVALID'],
    ['undefined', inPlaceOf(undefined), 'COMMITMENT_INVALID'],
    ['an instance of a class', inPlaceOf(new Row()), 'COMMITMENT_INVALID'],
    ['a String object', inPlaceOf(Object('abc')), 'COMMITMENT_INVALID'],
    ['a map', inPlaceOf(new Map([['a', 1]])), 'COMMITMENT_INVALID'],
    ['a hidden field', inPlaceOf(hidden), 'COMMITMENT_INVALID'],
    ['a computed field', inPlaceOf(getter), 'COMMITMENT_INVALID'],
    ['a symbol', inPlaceOf({ a: 1, [Symbol('b')]: 2 }), 'COMMITMENT_INVALID'],
    ['a field that is undefined', inPlaceOf({ a: undefined }), 'JSON_INVALID'],
    ['no list', { length: 1, 0: { a: 1 } } as never, 'COMMITMENT_INVALID'],
  ])('are refused: %s', (_name, list, code) => {
    expect(() => commitRows(list, { salt })).toThrow(expect.objectContaining({ code }))
    const disclose = [{ row: 0, fields: ['a'] }]
    expect(() => openRows(list, { salt, disclose })).toThrow(expect.objectContaining({ code }))
  })

  test('are all committed to, whatever their list says of itself', () => {
    const list: JsonObject[] = [{ a: 1 }, { a: 2 }]
    const honest = commitRows(list, { salt })
    list.map = () => []
    expect(commitRows(list, { salt })).toEqual(honest)
  })

  test('have no field of a hole disclosed', () => {
    for (const fields of [new Array(1), Object.assign(new Array(2), ['a'])]) {
      expect(() => openRows([{ a: 1 }], { salt, disclose: [{ row: 0, fields }] })).toThrow(
        expect.objectContaining({ code: 'COMMITMENT_INVALID' }),
      )
    }
  })
})

const sha = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const label = Buffer.from('sealpool/rows/1')
const number = (value: number, length: number) =>
  Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex')
const fieldOf = (own: Uint8Array, name: string, value: number) =>
  new Uint8Array(sha(number(0, 1), own, Buffer.from(JSON.stringify([name, value]))))
const node = (...parts: readonly Uint8Array[]) => sha(number(1, 1), ...parts)
/** Of one row. */
const rootOf = (fields: Uint8Array, fieldCount: number) =>
  sha(label, number(1, 8), sha(number(0, 1), number(fieldCount, 4), fields)).toString('hex')

function byHand(): string {
  const own = createHmac('sha256', salt)
    .update(Buffer.concat([label, number(0, 8), Buffer.from('"a"')]))
    .digest()
  return rootOf(fieldOf(own, 'a', 1), 1)
}

test('a row that is no JSON is refused without its names, which are data', () => {
  const salt = new Uint8Array(32)
  const deep = { 'alice@example.org': JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as null }
  for (const [value, code] of [
    [{ contacts: { 'alice@example.org': Number.NaN } }, 'JSON_INVALID'],
    [{ 'alice@example.org': Number.NaN }, 'JSON_INVALID'],
    [{ '\ud800alice@example.org': 1 }, 'JSON_INVALID'],
    [deep, 'JSON_TOO_DEEP'],
  ] as const) {
    try {
      commitRows([{ a: 1 }, value], { salt })
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code, place: 'rows[1].fields[0]' })
      expect((error as Error).cause).toBeUndefined()
      expect((error as Error).message).not.toContain('alice')
    }
  }
})
