import type { JsonValue } from '@sealpool/crypto'
import { expect, test } from 'vitest'
import { isCovered, valueAt } from './json-pointer.js'

// The document of RFC 6901, section 5.
const document: JsonValue = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
}

test.each<[string, JsonValue]>([
  ['', document],
  ['/foo', ['bar', 'baz']],
  ['/foo/0', 'bar'],
  ['/', 0],
  ['/a~1b', 1],
  ['/c%d', 2],
  ['/e^f', 3],
  ['/g|h', 4],
  ['/i\\j', 5],
  ['/k"l', 6],
  ['/ ', 7],
  ['/m~0n', 8],
])('%j leads where RFC 6901 says', (pointer, value) => {
  expect(valueAt(document, pointer)).toEqual(value)
})

test('an escape is undone once', () => {
  expect(valueAt({ '~1': 'tilde', '/': 'slash' }, '/~01')).toBe('tilde')
})

test.each<[string, JsonValue]>([
  ['/none', document],
  ['/foo/2', document],
  ['/foo/-', document],
  ['/foo/01', document],
  ['/foo/length', document],
  ['/foo/0/0', document],
  ['/constructor', document],
  ['/__proto__', document],
  ['/x', null],
  ['foo', document],
  ['/m~n', document],
  ['/m~2n', document],
])('%j leads nowhere', (pointer, value) => {
  expect(valueAt(value, pointer)).toBeUndefined()
})

test.each<[JsonValue, readonly string[], boolean]>([
  [{ a: 1, b: 2 }, ['/a', '/b'], true],
  [{ a: 1, b: 2 }, ['/a'], false],
  [{ a: { b: 1, c: 2 } }, ['/a'], true],
  [{ a: { b: 1, c: 2 } }, ['/a/b'], false],
  [{ a: [1, 2] }, ['/a/0', '/a/1'], true],
  [{ a: [1, 2] }, ['/a/0'], false],
  [{ a: {} }, ['/a/b'], false],
  [{ a: [] }, ['/a/0'], false],
  [{}, [], false],
  [null, [], false],
  [{ a: null }, ['/a/b'], false],
  [7, [''], true],
  [{ 'a/b': 1 }, ['/a~1b'], true],
  [{ 'a/b': 1 }, ['/a/b'], false],
])('%j is covered by %j: %s', (value, pointers, is) => {
  expect(isCovered(value, pointers)).toBe(is)
})
