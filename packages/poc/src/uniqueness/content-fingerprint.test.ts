import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { text } from '../testing/payroll-export.js'
import { contentFingerprint } from './content-fingerprint.js'

const key = new Uint8Array(32).fill(1)
const print = (content: string | Uint8Array, mediaType = 'application/json', secret = key): string =>
  contentFingerprint({ key: secret, mediaType, bytes: typeof content === 'string' ? text(content) : content })
const csv = (content: string): string => print(content, 'text/csv; charset=utf-8')

test.each([
  ['white space', '{ "a" : [1, 2] }'],
  ['escapes', '{"\\u0061":[1,2]}'],
  ['number spelling', '{"a":[1.0,2e0]}'],
  ['a byte order mark', '\ufeff{"a":[1,2]}'],
])('JSON that differs in %s alone has the same fingerprint', (_name, content) => {
  expect(print(content)).toBe(print('{"a":[1,2]}'))
})
test('member order does not matter, element order does', () => {
  expect(print('{"a":1,"b":2}')).toBe(print('{"b":2,"a":1}'))
  expect(print('[1,2]')).not.toBe(print('[2,1]'))
})
test('JSON media types with a suffix or parameters count as JSON', () => {
  expect(print('{"a": 1}', 'Application/JSON; charset=utf-8')).toBe(print('{"a":1}', 'application/geo+json'))
})

test.each([
  ['line endings', 'a,b\r\n1,2\r\n3,4\r\n'],
  ['row order', 'a,b\n3,4\n1,2'],
  ['column order', 'b,a\n2,1\n4,3\n'],
  ['quoting', '"a","b"\n"1","2"\n3,"4"\n'],
  ['empty lines', 'a,b\n\n1,2\n\r\n3,4\n\n'],
])('CSV that differs in %s alone has the same fingerprint', (_name, content) => {
  expect(csv(content)).toBe(csv('a,b\n1,2\n3,4\n'))
})
test.each(['a,b\n1,2\n', 'a,b\n1,2\n1,2\n3,4\n', 'a,b\n2,1\n4,3\n', 'a,c\n1,2\n3,4\n', 'a,b\n12,\n3,4\n'])(
  'CSV with other content has another fingerprint: %j',
  (content) => {
    expect(csv(content)).not.toBe(csv('a,b\n1,2\n3,4\n'))
  },
)

test('any two different JSON values have different fingerprints', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const same = JSON.stringify(a) === JSON.stringify(b)
      if (!same && print(JSON.stringify(a)) === print(JSON.stringify(b))) {
        // Member order is the one difference that may vanish; fast-check keeps it rarely.
        expect(a).toEqual(b)
      }
    }),
  )
})
test('any bytes under any media type give a fingerprint', () => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      fc.constantFrom('application/json', 'text/csv', 'text/plain', '', ';'),
      (bytes, type) => {
        expect(print(bytes, type)).toMatch(/^[0-9a-f]{64}$/)
      },
    ),
  )
})
test('what is not well formed counts byte for byte', () => {
  expect(print('{"a": }')).not.toBe(print('{"a":}'))
  expect(csv('a,b\n1\n')).not.toBe(csv('a,b\n1 \n'))
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
  expect(print(deep)).not.toBe(print(`${deep} `))
})
test('bytes that are valid in one type do not collide with another type', () => {
  expect(print('"a"')).not.toBe(print('"a"', 'text/csv'))
  expect(print('"a"')).not.toBe(print('"a"', 'text/plain'))
})
test('another key gives another fingerprint, and a short key is refused', () => {
  expect(print('1', 'application/json', new Uint8Array(32).fill(2))).not.toBe(print('1'))
  expect(() => print('1', 'application/json', new Uint8Array(31))).toThrow(
    expect.objectContaining({ code: 'KEY_INVALID' }),
  )
})
