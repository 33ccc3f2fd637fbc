import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unpackLz4 } from './unpack-lz4.js'

/** Lengths from 15 go on in bytes of 255 and a last one below. */
const more = (length: number): readonly number[] =>
  length < 15
    ? []
    : [...Array.from({ length: Math.floor((length - 15) / 255) }, () => 255), (length - 15) % 255]
const part = (literals: readonly number[], copy?: { readonly distance: number; readonly length: number }) => [
  (Math.min(literals.length, 15) << 4) | (copy === undefined ? 0 : Math.min(copy.length - 4, 15)),
  ...more(literals.length),
  ...literals,
  ...(copy === undefined ? [] : [copy.distance & 255, copy.distance >> 8, ...more(copy.length - 4)]),
]
const unpacked = (block: readonly number[], length: number) => [...unpackLz4(Uint8Array.from(block), length)]

test('runs as they stand, copies, and copies that reach into themselves, of any length', () => {
  const run = fc.array(fc.nat(255), { minLength: 1, maxLength: 600 })
  const copy = fc.record({
    length: fc.integer({ min: 4, max: 700 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(fc.array(fc.tuple(run, copy), { maxLength: 6 }), run, (parts, last) => {
      const block: number[] = []
      const expected: number[] = []
      for (const [literals, { length, share }] of parts) {
        expected.push(...literals)
        const distance = 1 + Math.floor(share * (expected.length - 1))
        for (let at = 0; at < length; at += 1) expected.push(expected.at(-distance) ?? 0)
        block.push(...part(literals, { distance, length }))
      }
      block.push(...part(last))
      expected.push(...last)
      expect(unpacked(block, expected.length)).toEqual(expected)
      expect(() => unpacked(block, expected.length + 1)).toThrow(RangeError)
      expect(() => unpacked(block, expected.length - 1)).toThrow(RangeError)
      expect(() => unpacked(block.slice(0, -1), expected.length)).toThrow(RangeError)
    }),
    { numRuns: 200 },
  )
})

test('what is no block is refused', () => {
  expect(unpacked([], 0)).toEqual([])
  expect(unpacked([0], 0)).toEqual([])
  for (const [block, length] of [
    [[], 1],
    [[0xf0], 15],
    [[0xf0, 255, 255], 600],
    [[0x20, 1], 2],
    // A copy of what lies in front of everything, of nothing, and one with nothing behind it.
    [part([1], { distance: 2, length: 4 }).concat(0), 5],
    [part([1], { distance: 0, length: 4 }).concat(0), 5],
    [part([1], { distance: 1, length: 4 }), 5],
    [[0x10, 1, 1], 5],
    [[0x1f, 1, 1, 0], 400],
  ] satisfies [number[], number][])
    expect(() => unpacked(block, length)).toThrow(RangeError)
})

test('bytes at random give as many bytes as they should, or a refusal', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(100), (block, length) => {
      try {
        expect(unpackLz4(block, length)).toHaveLength(length)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('more literals than the block or the page holds are refused, and a copy past the page before it is made', () => {
  // Four literals, of which three are there; four into a page of three.
  expect(() => unpacked([0x40, 1, 2, 3], 4)).toThrow(RangeError)
  expect(() => unpacked([0x40, 1, 2, 3, 4], 3)).toThrow(RangeError)
  // By its lengths of 255 a small block could ask for any number of steps.
  expect(() => unpacked([0x1f, 1, 1, 0, ...Array.from({ length: 1000 }, () => 255), 0, 0x10, 1], 60)).toThrow(
    'lz4: copy',
  )
})
