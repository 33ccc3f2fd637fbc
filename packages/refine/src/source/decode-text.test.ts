import { describe, expect, test } from 'vitest'
import { decodeText, joinedText } from './decode-text.js'
import { parseJsonText } from './json-source.js'
import { defaultSourceLimits } from './source-limits.js'

const limits = { bytes: 1 << 26 }
const utf8 = (text: string) => new TextEncoder().encode(text)
async function* pieces(...texts: string[]) {
  yield* texts
}

describe('a text that no string holds', () => {
  test('is refused in pieces, however short each is', async () => {
    expect(await joinedText(pieces('ab', '', 'c'), 3)).toBe('abc')
    expect(await joinedText(pieces('é', 'b'), 4)).toBe('éb')
    await expect(joinedText(pieces('a', 'b', 'é'), 4)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    await expect(joinedText(pieces('ab', 'cd'), 3)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      place: 'source',
      message: expect.stringContaining('JSON Lines'),
    })
  })

  test('is refused in one, and counted by characters, not by bytes', () => {
    expect(decodeText(utf8('écé'), limits, 3)).toBe('écé')
    expect(() => decodeText(utf8('écéé'), limits, 3)).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    )
    // Characters on the seam of two pieces.
    const long = `x${'é'.repeat(9 << 20)}`
    expect(decodeText(utf8(long), limits, 10 << 20)).toBe(long)
    expect(() => decodeText(utf8('ab\u00e9').subarray(0, -1), limits, 2)).toThrow(
      expect.objectContaining({ code: 'ENCODING_INVALID' }),
    )
  })
})

describe('a document of more than can be held', () => {
  const anyway = { ...defaultSourceLimits, records: 1_000_000_000 }

  test('is refused by the number of its values, whatever the limits of records allow', () => {
    for (const text of ['[0,0,0]', '{"a":0,"b":[],"c":{}}', '[[[[]]]]']) {
      expect(parseJsonText(text, anyway, { values: 4 })).toEqual(JSON.parse(text))
      expect(() => parseJsonText(text, anyway, { values: 3 })).toThrow(
        expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
      )
    }
  })

  test('a fault behind many lines is told by its line', () => {
    expect(() => parseJsonText(`${'\n'.repeat(1_000_000)} x`, anyway)).toThrow(
      expect.objectContaining({ code: 'JSON_INVALID', place: 'line 1000001, column 2' }),
    )
    expect(() => parseJsonText('x', anyway)).toThrow(expect.objectContaining({ place: 'line 1, column 1' }))
  })
})
