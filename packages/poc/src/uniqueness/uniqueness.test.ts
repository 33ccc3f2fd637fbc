import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentItems } from './content-items.js'
import { type ContentSketch, contentSketch } from './content-sketch.js'
import { createNearDuplicateIndex } from './near-duplicate-index.js'
import { createRowIndex } from './row-index.js'

const key = new Uint8Array(32).fill(1)
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const csv = (rows: readonly (readonly (string | number)[])[]): Uint8Array =>
  encode(['day,steps,place', ...rows.map((row) => row.join(','))].join('\n'))
/** Rows that are nobody else's: the seed decides them all. */
const rowsOf = (seed: number, count = 200): (string | number)[][] =>
  Array.from({ length: count }, (_, index) => [
    `2026-${seed}-${index}`,
    Math.imul(seed * 1000 + index, 2654435761) >>> 12,
    `p${seed}-${index % 7}`,
  ])
const sketch = (rows: readonly (readonly (string | number)[])[], own = key): ContentSketch =>
  contentSketch({ key: own, mediaType: 'text/csv', bytes: csv(rows) })
const file = (rows: readonly (readonly (string | number)[])[]) => ({
  mediaType: 'text/csv',
  bytes: csv(rows),
})

describe('near duplicates', () => {
  const index = createNearDuplicateIndex()
  for (let seed = 1; seed <= 300; seed++) index.add(sketch(rowsOf(seed)))

  test('a copy of 90 % is found, and told as one', () => {
    for (let seed = 1; seed <= 300; seed += 20) {
      const copy = [...rowsOf(seed).slice(0, 180), ...rowsOf(seed + 5000, 20)]
      const found = index.nearest(sketch(copy))
      expect(found?.entry).toBe(seed - 1)
      // 180 of 220 distinct rows are common.
      expect(found?.similarity).toBeGreaterThan(0.6)
      expect(found?.contained).toBeGreaterThan(0.7)
    }
  })
  test('a copy whose numbers were nudged, whose rows were mixed and whose text was shouted is the same', () => {
    const copy = rowsOf(7)
      .map(([day, steps, place]) => [day ?? '', Number(steps) + 1, String(place).toUpperCase()])
      .reverse()
    const found = index.nearest(sketch(copy))
    expect(found?.entry).toBe(6)
    expect(found?.similarity).toBeGreaterThan(0.8)
  })
  test('what is new has no near duplicate', () => {
    for (let seed = 1000; seed < 1100; seed++) {
      expect(index.nearest(sketch(rowsOf(seed)))?.similarity ?? 0).toBeLessThan(0.25)
    }
  })
  test('without the key nothing can be tested: sketches of two keys agree by chance alone', () => {
    let agree = 0
    for (let seed = 1; seed <= 20; seed++) {
      const found = index.nearest(sketch(rowsOf(seed), new Uint8Array(32).fill(2)))
      agree += found !== undefined && found.similarity > 0.25 ? 1 : 0
    }
    expect(agree).toBe(0)
  })
  test('growing keeps what is there', () => {
    const small = createNearDuplicateIndex({ capacity: 1 })
    for (let seed = 1; seed <= 2500; seed++) small.add(sketch(rowsOf(seed, 10)))
    expect(small.size).toBe(2500)
    for (const seed of [1, 1024, 1025, 2048, 2500]) {
      expect(small.nearest(sketch(rowsOf(seed, 10)))).toEqual({
        entry: seed - 1,
        similarity: 1,
        contained: 1,
      })
    }
  })
  test('an answer takes bounded work when a million contributions are alike', () => {
    const alike = createNearDuplicateIndex()
    const same = sketch(rowsOf(1))
    for (let count = 0; count < 5000; count++) alike.add(same)
    expect(alike.nearest(same)).toMatchObject({ similarity: 1 })
  })
  test('files without items have no neighbours', () => {
    const empty = contentSketch({ key, mediaType: 'text/plain', bytes: new Uint8Array(0) })
    const one = createNearDuplicateIndex()
    one.add(empty)
    expect(one.nearest(empty)).toBeUndefined()
  })
  test.each([0, -1, 0.5, 2 ** 40])('a capacity of %s is refused', (capacity) => {
    expect(() => createNearDuplicateIndex({ capacity })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
  test('a sketch of another length is refused', () => {
    expect(() => index.add({ words: new Uint32Array(63), items: 1 })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
  test('a short key is refused', () => {
    expect(() => sketch([], new Uint8Array(31))).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }))
    expect(() => createRowIndex({ key: new Uint8Array(31) })).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
  })
})

describe('rows', () => {
  test('a row that the pool holds is not new, wherever it comes back', () => {
    const index = createRowIndex({ key })
    expect(index.novelty(file(rowsOf(1)))).toBe(1)
    expect(index.add(file(rowsOf(1)))).toBe(200)
    expect(index.add(file(rowsOf(2)))).toBe(200)
    expect(index.novelty(file(rowsOf(1)))).toBe(0)
    expect(index.novelty(file([...rowsOf(1, 50), ...rowsOf(2, 100), ...rowsOf(3, 50)]))).toBe(0.25)
    // A small piece of a large contribution, which the index of whole contributions cannot see.
    expect(index.novelty(file(rowsOf(1, 5)))).toBe(0)
    expect(index.novelty(file([]))).toBe(0)
  })
  test('ten thousand rows are kept through growing', () => {
    const index = createRowIndex({ key })
    expect(index.add(file(rowsOf(1, 10_000)))).toBe(10_000)
    // Each without the names of columns as well, and with each of its columns left out.
    expect(index.size).toBeGreaterThan(10_000)
    expect(index.size).toBeLessThanOrEqual(50_000)
    expect(index.novelty(file(rowsOf(1, 10_000)))).toBe(0)
    expect(index.novelty(file(rowsOf(2, 100)))).toBe(1)
    expect(index.bytes).toBeGreaterThan(160_000)
  })
  test('another key knows no row', () => {
    const index = createRowIndex({ key })
    index.add(file(rowsOf(1)))
    const other = createRowIndex({ key: new Uint8Array(32).fill(2) })
    expect(other.novelty(file(rowsOf(1)))).toBe(1)
  })
})

describe('items', () => {
  const items = (text: string, mediaType = 'application/json') =>
    new Set(contentItems({ mediaType, bytes: encode(text) }).items)
  test.each([
    ['[{"a":1,"b":"X  y"},{"a":2,"b":""}]', '[{"b":"","a":2.0},{"b":" x y","a":1e0}]'],
    ['{"payload":[{"a":1}],"id":"x"}', '{"id":"x","payload":[{"a":1.001}]}'],
    ['{"rows":[{"a":1,"b":"x"}]}', '{"deep":{"er":[{"r":{"A":1.0,"b":"X."}}]}}'],
    ['[{"day":"2026-01-05"}]', '[{"Day":"2026-01-05T10:00:00Z","empty":null}]'],
    ['[{"a":"-"}]', '[{"a":" - "}]'],
    ['{"a":{"b":[1,2]}}', '{"a":{"b":[2,1]}}'],
  ])('%s has the items of %s', (one, other) => {
    expect(items(one)).toEqual(items(other))
    expect(items(one).size).toBeGreaterThan(0)
  })
  test('formats of one table have the same items', () => {
    const table = '[{"a":1,"b":"x"},{"a":2,"b":"y"}]'
    expect(items('a,b\n1,x\n2,y\n', 'text/csv')).toEqual(items(table))
    expect(items('{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n', 'application/jsonl')).toEqual(items(table))
  })
  test('a table is one under any type of text, and a token is its payload', () => {
    const csv = 'a,b\n1,x\n2,y\n'
    expect(items(csv, 'text/plain')).toEqual(items(csv, 'text/csv'))
    expect(items('[{"a":1}]', 'text/plain')).toEqual(items('[{"a":1}]'))
    const token = `e30.${Buffer.from('{"rows":[{"a":1},{"a":7}]}').toString('base64url')}.AAAA`
    expect(items(token, 'application/jwt')).toEqual(items('[{"a":1},{"a":7}]'))
    expect(items('e30', 'application/vc+jwt').size).toBe(1)
  })
  test('days are told from each other, and values from their signs', () => {
    expect(items('[{"d":"2026-01-05"}]')).not.toEqual(items('[{"d":"2026-01-06"}]'))
    expect(items('[{"d":-5}]')).not.toEqual(items('[{"d":5}]'))
  })
  test('bytes that are no UTF-8 have items, pictures and archives have none', () => {
    const bytes = Uint8Array.from([...encode('one two three four five six '), 0xff])
    expect(contentItems({ mediaType: 'message/rfc822', bytes }).items.length).toBeGreaterThan(1)
    for (const mediaType of ['image/png', 'application/zip', 'audio/ogg', 'application/c2pa']) {
      expect(contentItems({ mediaType, bytes }).items).toEqual([])
    }
  })
  test('text is runs of words, and a short text is itself', () => {
    expect(items('One two, three four five six!', 'text/plain')).toEqual(
      new Set(['one two three four five', 'two three four five six']),
    )
    expect(items('One two', 'text/plain')).toEqual(new Set(['one two']))
    expect(items('{"a": ', 'application/json').size).toBe(1)
  })
  test('any bytes of any type have items', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array(), fc.json().map(encode)),
        fc.constantFrom('application/json', 'text/csv', 'application/jsonl', 'text/plain', ''),
        (bytes, mediaType) => {
          expect(contentItems({ mediaType, bytes }).items.length).toBeLessThanOrEqual(200_000)
        },
      ),
    )
    const deep = `${'['.repeat(3000)}1${']'.repeat(3000)}`
    expect(items(deep).size).toBe(0)
  })
})
