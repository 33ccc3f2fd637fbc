import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createChunkSplitter } from './chunk-splitter.js'

test('gives the same chunks however the bytes come, the last one held back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 20 }),
      (size, pieces) => {
        const splitter = createChunkSplitter(size)
        const whole = pieces.flatMap((piece) => [...piece])
        const chunks: number[][] = []
        for (const piece of pieces) {
          // The giver's buffer is its own again afterwards.
          const lent = piece.slice()
          for (const chunk of splitter.split(lent)) chunks.push([...chunk])
          lent.fill(0)
        }
        expect(chunks.every((chunk) => chunk.length === size)).toBe(true)
        expect([...chunks.flat(), ...splitter.rest]).toEqual(whole)
        expect(splitter.rest.length).toBe(whole.length === 0 ? 0 : ((whole.length - 1) % size) + 1)
      },
    ),
  )
})

test('takes memory for what came, not for what a chunk might have', () => {
  const splitter = createChunkSplitter(4_194_304)
  expect([...splitter.split(new Uint8Array(10))]).toEqual([])
  expect(splitter.rest.buffer.byteLength).toBeLessThanOrEqual(20)
})

test('lends what lies whole in a piece, without a copy', () => {
  const splitter = createChunkSplitter(4)
  const piece = new Uint8Array(9)
  const lent = [...splitter.split(piece)]
  expect(lent.map((chunk) => [chunk.buffer === piece.buffer, chunk.byteOffset])).toEqual([
    [true, 0],
    [true, 4],
  ])
})
