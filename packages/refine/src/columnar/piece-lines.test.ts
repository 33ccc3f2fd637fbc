import { expect, test } from 'vitest'
import { countLines } from './piece-lines.js'

test('lines are counted in pieces of any size, also where a count takes several blocks', () => {
  for (const length of [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 65_551, 131_072, 200_000]) {
    for (const every of [1, 7, 16, 1000]) {
      const piece = new Uint8Array(length).map((_, index) => (index % every === every - 1 ? 0x0a : 0x0b))
      const ended = length > 0 && length % every === 0
      expect(countLines(piece)).toBe(Math.floor(length / every) + (ended ? 0 : 1))
      // A block before leaves nothing behind.
      expect(countLines(piece.subarray(0, length >> 1))).toBe(
        Math.floor((length >> 1) / every) + (length >> 1 > 0 && (length >> 1) % every === 0 ? 0 : 1),
      )
    }
  }
})
