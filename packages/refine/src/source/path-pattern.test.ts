import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { property } from '../testing/property.js'
import { pathMatcher } from './path-pattern.js'

/** The same as a regular expression, which takes exponential time where this does not. */
function expression(pattern: string): RegExp {
  const parts = pattern.split('/')
  const source = parts.map((part, index) => {
    const isLast = index === parts.length - 1
    if (part === '**') return isLast ? '(?:[^/]+(?:/[^/]+)*)?' : '(?:[^/]+/)*'
    const text = part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')
    return isLast ? text : `${text}/`
  })
  return new RegExp(`^${source.join('')}$`, 'su')
}

describe('patterns of paths', () => {
  test.each([
    ['Takeout/Mail/*.mbox', 'Takeout/Mail/All mail.mbox', true],
    ['Takeout/Mail/*.mbox', 'Takeout/Mail/old/All mail.mbox', false],
    ['Takeout/Mail/*.mbox', 'takeout/Mail/a.mbox', false],
    ['Takeout/Mail/*.mbox', 'Takeout/Mail/a.mbox.txt', false],
    ['**/Records.json', 'Records.json', true],
    ['**/Records.json', 'a/b/Records.json', true],
    ['**/Records.json', 'a/NotRecords.json', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**', 'b/a', false],
    ['**', 'any/thing', true],
    ['*', 'any/thing', false],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['caf\u00e9/*', 'cafe\u0301/x', true],
    ['*', '😀', true],
  ])('%s and %s: %s', (pattern, path, matches) => {
    expect(pathMatcher([pattern])(path)).toBe(matches)
    expect(pathMatcher(['zzz', pattern])(path)).toBe(matches)
  })

  const part = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), minLength: 1, maxLength: 4 })
  const parts = fc.array(fc.oneof(part, fc.constant('**')), { minLength: 1, maxLength: 5 })
  const patternOf = parts.map((list) =>
    list.map((one) => (one === '**' ? one : one.replace(/\*+/g, '*'))).join('/'),
  )
  const pathOf = fc
    .array(fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 5,
    })
    .map((list) => list.join('/'))
  property('agree with regular expressions', [patternOf, pathOf], (pattern, path) => {
    // `a/**` of an expression takes `a` alone only without its slash, as it is here; `a/**/**` likewise.
    const ends = [pattern, pattern.replace(/(?:\/\*\*)+$/, '')]
    expect(pathMatcher([pattern])(path)).toBe(ends.some((one) => expression(one).test(path)))
  })

  test('end in time for patterns that make regular expressions run for ever', () => {
    const many = pathMatcher([`${'*a'.repeat(500)}b`, `${'**/a/'.repeat(200)}b`])
    expect(many('a'.repeat(1000))).toBe(false)
    expect(many(`${'a/'.repeat(400)}a`)).toBe(false)
  })
})
