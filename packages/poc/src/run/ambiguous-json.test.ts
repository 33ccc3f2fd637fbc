import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isAmbiguousJson } from './ambiguous-json.js'

interface Case {
  readonly name: string
  readonly text: string
}
const { accepted, refused } = JSON.parse(
  readFileSync(new URL('../../../../conformance/json/cases.json', import.meta.url), 'utf8'),
) as { readonly accepted: readonly Case[]; readonly refused: readonly Case[] }

describe('the cases that refiners are held to as well', () => {
  test.each(accepted)('$name is taken alike', ({ text }) => expect(isAmbiguousJson(text)).toBe(false))
  test.each(refused)('$name is not', ({ text }) => expect(isAmbiguousJson(text)).toBe(true))
})

test('what is no JSON is not for it to say', () => {
  for (const text of ['', '{"a":1,"a":', '1e400 x', '"', '"\\', '\ufeff1e400'])
    expect(isAmbiguousJson(text)).toBe(false)
})

test('any text has an answer, and what was written from a value of sound numbers and texts is taken alike', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof isAmbiguousJson(text) === 'boolean'))
  const value = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' })
  fc.assert(
    fc.property(value, (one) => {
      const text = JSON.stringify(one, (_, held: unknown) =>
        typeof held === 'number' ? Number(held.toPrecision(9)) % 2 ** 53 : held,
      )
      expect(isAmbiguousJson(text)).toBe(false)
    }),
  )
})

test('long texts of escapes and quotes take time in proportion', () => {
  const text = `["${'\\"\\\\'.repeat(500_000)}","${'\\'.repeat(1_000_000)}"]`
  const started = process.cpuUsage()
  expect(isAmbiguousJson(text)).toBe(false)
  expect(process.cpuUsage(started).user).toBeLessThan(3_000_000)
})
