import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCodes, encodeCodes, MOST_CODED } from './coded-text.js'

describe('codes as text', () => {
  it('come back, whatever they are', () => {
    const given = fc
      .integer({ min: 1, max: MOST_CODED })
      .chain((values) =>
        fc.tuple(fc.constant(values), fc.array(fc.integer({ min: 0, max: values - 1 }), { maxLength: 300 })),
      )
    fc.assert(
      fc.property(given, ([values, codes]) => {
        const text = encodeCodes(Uint16Array.from(codes), values)
        expect(text.length).toBe(codes.length * (values <= 91 ? 1 : 2))
        // Nothing that JSON would escape.
        expect(JSON.stringify(text)).toBe(`"${text}"`)
        expect(decodeCodes(text, values)).toEqual(Uint16Array.from(codes))
      }),
    )
  })

  it('have the characters that Batch.table names', () => {
    const text = encodeCodes(
      Uint16Array.from({ length: 91 }, (_, code) => code),
      91,
    )
    expect(text).toBe(
      "#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~",
    )
    expect(encodeCodes(Uint16Array.of(0, 91, 8280), MOST_CODED)).toBe('##$#~~')
  })

  it.each([
    ['a character that is no digit', '#\\', 91],
    ['a quote', '"', 91],
    ['a character beyond ASCII', 'é', 91],
    ['a number that no value has', '$', 1],
    ['half of a code', '#', 92],
    ['a first half that is no digit', '"#', 92],
    ['a second half that is no digit', '#"', 92],
    ['two characters of a number that no value has', '$$', 92],
    ['more values than codes', '', MOST_CODED + 1],
    ['no value at all', '#', 0],
  ])('refuses %s', (_, text, values) => {
    expect(decodeCodes(text, values)).toBeUndefined()
  })

  it('gives codes below the number of values or nothing for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 200 }), (text, values) => {
        const codes = decodeCodes(text, values)
        expect(codes === undefined || codes.every((code) => code < values)).toBe(true)
      }),
    )
  })
})
