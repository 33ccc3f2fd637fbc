import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createQuickJsRuntime } from '../quickjs/index.js'
import type { JobRuntime, JsonValue } from '../runtime.js'
import { limits, script } from '../testing/job.js'
import { BatchStop, createBatchHost } from './batch-host.js'
import { printColumns, type Table } from './table.js'

const own = { outputBytes: 1e6, attachments: [] }

let runtime: JobRuntime
beforeAll(async () => {
  runtime = await createQuickJsRuntime()
})
afterAll(() => runtime.close())
const go = (expression: string, input: JsonValue = null, own = {}) =>
  runtime.run({ code: script(expression), entry: 'go', input, limits: { ...limits, ...own } })
const give = async (expression: string, input: JsonValue = null): Promise<JsonValue> => {
  const result = await go(expression, input)
  if (!result.ok) throw new Error(`${result.code} ${result.message}`)
  return result.output
}
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('hashes', () => {
  test('SHA-256 is what OpenSSL says, Keccak-256 what Ethereum says of nothing', async () => {
    expect(await give('(x) => batch.sha256(x)', 'é😀')).toBe(sha256('é😀'))
    expect(await give('() => batch.keccak256("")')).toBe(
      'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
    )
    expect(await give('(x) => batch.sha256All(x)', ['a', null, ''])).toEqual([sha256('a'), null, sha256('')])
    expect(await give('() => batch.keccak256All([""])[0].slice(0, 4)')).toBe('c5d2')
  })
  test('half of a pair is one thing on every way, and no attachment', async () => {
    const both =
      "() => [batch.sha256('\\ud800'), batch.sha256All(['\\ud800'])[0], batch.keccak256('\\ud800') === batch.keccak256All(['\\ud800'])[0]]"
    expect(await give(both)).toEqual([sha256('\ufffd'), sha256('\ufffd'), true])
    const lengths = `() => [batch.test('^.$', '', '\\ud800'), batch.replace('x', '', 'a\\ud800x', 'y').length,
      batch.table('csv', 'a\\n\\ud800\\n').rows()[0].a.length]`
    expect(await give(lengths)).toEqual([true, 3, 1])
    expect(await go("() => batch.attach('a\\ud800')")).toMatchObject({ code: 'THREW' })
    expect(await go("() => batch.attach('a\\0')")).toMatchObject({ code: 'THREW' })
  })
  test.each([
    'batch.sha256All("a")',
    'batch.sha256All([1])',
    'batch.nothing()',
    'batch.table("xml", "")',
    'batch.test(1, "", "")',
  ])('%s throws', async (expression) => {
    expect(await go(`() => ${expression}`)).toMatchObject({
      code: 'THREW',
      message: expect.stringContaining('TypeError'),
    })
  })
})

describe('tables', () => {
  const rows = [
    { name: 'Ada', wage: 10, city: 'Bern' },
    { name: 'Bo', wage: null, city: 'Bonn' },
    { name: 'Cy', wage: 30, city: 'Bern', extra: { a: [1] } },
  ]
  test('JSON, JSON lines and CSV give the same rows', async () => {
    const csv = '\ufeffname,wage,city\r\nAda,10,"Bern"\n\nBo,,"Bonn"\nCy,30,Bern'
    const read = (format: string) =>
      `(x) => batch.table('${format}', x).map('wage', ['number', ['column', 'wage']]).rows()`
    const plain = rows.map(({ name, wage, city }) => ({ name, wage, city }))
    expect(await give(read('csv'), csv)).toEqual(plain)
    const typed = "(x, f) => batch.table('json', x).rows(0, 9, ['name', 'wage', 'city'])"
    expect(await give(typed, JSON.stringify(rows))).toEqual(plain)
    const lines = "(x) => batch.table('jsonl', x).rows(0, 9, ['name', 'wage', 'city'])"
    expect(await give(lines, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n\n`)).toEqual(plain)
  })
  test('what is nested is its JSON text, and columns know their names', async () => {
    const expression =
      "(x) => { const t = batch.table('json', x); return [t.count, t.columns, t.rows(2, 3)[0].extra] }"
    expect(await give(expression, JSON.stringify(rows))).toEqual([
      3,
      ['name', 'wage', 'city', 'extra'],
      '{"a":[1]}',
    ])
  })
  test('filters, maps and figures by group', async () => {
    const expression = `(x) => batch.table('json', x)
      .filter(['>=', ['column', 'wage'], 10])
      .map('half', ['/', ['column', 'wage'], 2])
      .aggregate({ n: { operation: 'count' }, s: { operation: 'sum', of: 'half' }, m: { operation: 'mean', of: 'wage' },
        d: { operation: 'distinct', of: 'name' }, lo: { operation: 'min', of: 'name' }, hi: { operation: 'max', of: 'wage' },
        p: { operation: 'present', of: 'wage' } }, 'city')`
    expect(await give(expression, JSON.stringify(rows))).toEqual([
      { group: 'Bern', figures: { n: 2, s: 20, m: 20, d: 2, lo: 'Ada', hi: 30, p: 2 } },
    ])
    const none = "() => batch.table('json', '[]').aggregate({ n: { operation: 'count' } })"
    expect(await give(none)).toEqual([{ group: null, figures: { n: 0 } }])
  })
  const column = (expression: JsonValue, row: JsonValue) =>
    give("([e, r]) => batch.table('json', JSON.stringify([r])).map('out', e).rows()[0].out", [
      expression,
      row,
    ])
  const x = ['column', 'x']
  test.each<[JsonValue, JsonValue, JsonValue]>([
    [['/', 1, 0], 0, null],
    [['%', x, 3], 7, 1],
    [['sqrt', x], -1, null],
    [['abs', ['floor', x]], -1.5, 2],
    [['min', ['ceil', x], 9], 1.2, 2],
    [['*', x, 1e308], 1e10, null],
    [['lower', x], 'ÄB', 'Äb'],
    [['upper', x], 'ßb', 'ßB'],
    [['trim', x], ' a\t', 'a'],
    [['length', x], 'abc', 3],
    [['number', x], '-1.50e1', -15],
    [['number', x], '0x10', null],
    [['number', x], '1e999', null],
    [['number', x], '', null],
    [['concat', x, ['text', '-'], 2], 'a', 'a-2'],
    [['slice', x, 1, 3], 'abcd', 'bc'],
    [['matches', x, '^a+$', ''], 'aaa', 1],
    [['extract', x, '(\\d+)', ''], 'ab12', '12'],
    [['extract', x, '\\d', ''], 'ab', null],
    [['replace', x, 'b', '', '[$&]'], 'abc', 'a[b]c'],
    [['if', ['=', x, 1], ['text', 'one'], 2], 1, 'one'],
    [['if', ['=', x, 1], ['text', 'one'], 2], 5, 2],
    [['and', ['=', 1, 1], ['=', x, null]], 1, null],
    [['and', ['=', 1, 2], ['=', x, null]], 1, 0],
    [['or', ['=', 1, 1], ['=', x, null]], 1, 1],
    [['not', ['=', x, 1]], 1, 0],
    [['not', null], 1, null],
    [['in', x, ['a', 'b']], 'b', 1],
    [['in', x, ['a', 'b']], 'c', 0],
    [['missing', x], null, 1],
    [['<', x, 2], 'a', null],
    [['!=', x, ['text', 'a']], 'a', 0],
    [['sha256', x], 'a', sha256('a')],
    [true, 1, 1],
  ])('%j of %j is %j', async (expression, value, expected) => {
    expect(await column(expression, { x: value })).toEqual(expected)
  })
  test.each<[JsonValue]>([
    [['nothing', 1]],
    [['column', 'other']],
    [['column', 1]],
    [['+', 1]],
    [['abs', 1, 2]],
    [['constructor', 1]],
    [['__proto__', 1]],
    [{ a: 1 }],
    ['a'],
    [[]],
    [['matches', x, '(', '']],
    [['slice', x, 0.5, 1]],
    [['in', x, 1]],
    [Array.from({ length: 70 }).reduce<JsonValue>((inner) => ['not', inner], 1)],
  ])('%j is no expression', async (expression) => {
    await expect(column(expression, { x: 1 })).rejects.toThrow('THREW')
  })
  test.each(['a,b\n1\n', 'a,b\n1,2,3\n', 'a\n"x', 'a\n"x"y', 'a\nb"c', 'a,a\n1,2\n'])(
    '%j is no CSV',
    async (text) => {
      expect(await go("(x) => batch.table('csv', x).count", text)).toMatchObject({ code: 'THREW' })
    },
  )
  test('any rows survive CSV', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string({ minLength: 1 })), { maxLength: 5 }),
        async (pairs) => {
          const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`
          const csv = ['"a","b"', ...pairs.map((pair) => pair.map(quote).join(','))].join('\n')
          expect(await give("(x) => batch.table('csv', x).rows()", csv)).toEqual(
            pairs.map(([a, b]) => ({ a, b })),
          )
        },
      ),
      { numRuns: 40 },
    )
  })
  test('what an expression makes of a row does not depend on the rows beside it', async () => {
    const cell = fc.constantFrom<JsonValue>(5, -1.5, 0, 'A4', '5', '', 'true', true, null, [1])
    const expression = `([rows, names]) => {
      const f = ['column', 'f'], n = ['number', f], e = ['column', 'either']
      const all = (given) => {
        const text = names === null ? JSON.stringify(given) : JSON.stringify({ names: ['f'], columns: [given.map((r) => r.f)] })
        return batch.table(names === null ? 'json' : 'columns', text)
          .map('either', ['if', ['>', n, 1], n, f]).map('hash', ['sha256', f]).map('length', ['length', e])
          .map('same', ['=', f, 5]).map('text', ['concat', e, ['text', '']])
      }
      return [JSON.stringify(all(rows).rows()), JSON.stringify(rows.flatMap((row) => all([row]).rows()))]
    }`
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { minLength: 1, maxLength: 8 }), fc.boolean(), async (cells, named) => {
        const rows = cells.map((f) => ({ f }))
        const [together, alone] = (await give(expression, [rows, named ? ['f'] : null])) as [string, string]
        expect(together).toBe(alone)
      }),
      { numRuns: 60 },
    )
  })
  test('numbers beside texts stay numbers, attached ones and truth values too, and come before texts', async () => {
    const rowsOf =
      "(x) => { const t = batch.table('json', x); const n = t.attach(['a', 'b'], ['b']); return t.aggregate({ lo: { operation: 'min', of: 'a' }, hi: { operation: 'max', of: 'a' }, d: { operation: 'distinct', of: 'a' } })[0].figures }"
    const input = JSON.stringify([
      { a: 'x', b: 1 },
      { a: 5, b: 'no' },
      { a: '5', b: 0 },
    ])
    const done = await go(rowsOf, input)
    expect(done).toMatchObject({
      ok: true,
      output: { lo: 5, hi: 'x', d: 3 },
      attachments: ['[["x",5,"5"],[true,"no",false]]'],
    })
  })
  test('a dropped table is gone, and nobody reaches a table that never was', async () => {
    expect(
      await go("() => { const t = batch.table('json', '[]'); t.drop(); return t.rows() }"),
    ).toMatchObject({ code: 'THREW' })
    const host = createBatchHost({ ...own, memoryBytes: 1e6, expired: () => false })
    for (const id of [0, -1, 0.5, '0', null])
      expect(host.call('rows', JSON.stringify([id, 0, 1]), '')).toContain('"no"')
    expect(host.call('constructor', '[]', '')).toContain('"no"')
    expect(host.call('rows', '{}', '')).toContain('"no"')
  })
})

describe('limits', () => {
  test('tables count against the memory of the run, also when the code catches', async () => {
    const body = "(x) => { for (;;) try { batch.table('json', x) } catch {} }"
    const input = JSON.stringify(Array.from({ length: 1000 }, (_, index) => ({ index })))
    expect(await go(body, input, { memoryBytes: 4 * 2 ** 20, timeMs: 60_000 })).toMatchObject({
      code: 'OUT_OF_MEMORY',
    })
  })
  test('a text that grows by replacing ends', async () => {
    const body = "() => { let s = 'x'; for (;;) s = batch.replace('x', '', s, 'xx') }"
    const result = await go(body, null, { memoryBytes: 4 * 2 ** 20, timeMs: 60_000 })
    expect(result.ok === false && ['OUT_OF_MEMORY', 'THREW']).toContain(result.ok === false && result.code)
  })
  test('attached columns are named once each, and end the run before what is too long was made', async () => {
    const attach = (names: string, own = {}) =>
      go(
        `() => batch.table('columns', JSON.stringify({ names: ['a'], columns: [Array(20000).fill('abcdefghij')] })).attach(${names})`,
        null,
        own,
      )
    expect(await attach("Array(100000).fill('a')")).toMatchObject({ code: 'THREW' })
    expect(await attach("['a', 'a']")).toMatchObject({ code: 'THREW' })
    expect(await attach("['a']", { outputBytes: 1e6 })).toMatchObject({ ok: true })
    expect(await attach("['a']", { outputBytes: 1e5 })).toMatchObject({ ok: false, code: 'OUTPUT_TOO_LARGE' })
    // Of a thousand parts the first that is too long is the last that is made.
    let told = 0
    const values = new Float64Array(4096 * 1000)
    const table: Table = { count: values.length, columns: new Map([['a', { type: 'number', values }]]) }
    const stop = () => {
      told += 1
      throw new BatchStop('output')
    }
    expect(() =>
      printColumns(table, [{ name: 'a', boolean: false }], { coded: false, written: stop }),
    ).toThrow(BatchStop)
    expect(told).toBe(1)
  })
  test('a deadline passes inside of a batch function', () => {
    let calls = 0
    const host = createBatchHost({ ...own, memoryBytes: 1e9, expired: () => calls++ > 0 })
    expect(() => host.call('test', '["(a|a)*b",""]', 'a'.repeat(1e6))).toThrow(BatchStop)
  })
  test('what is over stays over', () => {
    const host = createBatchHost({ ...own, memoryBytes: 1e6, expired: () => true })
    expect(() => host.call('sha256', '[]', 'a')).toThrow(BatchStop)
  })
})
