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

const tracking = (length: number) => {
  // Of ES2024: Node 20 has it, the types here do not know it.
  const buffer: ArrayBuffer = Reflect.construct(ArrayBuffer, [length, { maxByteLength: 2 * length }])
  return { bytes: new Uint8Array(buffer), resize: (to: number) => (buffer as never as Resizable).resize(to) }
}
interface Resizable {
  resize(length: number): void
}
const refused = expect.objectContaining({ code: 'OPTION_INVALID', place: 'stream' })

test.each([
  ['shrinks', 12],
  ['shrinks to a whole number of chunks', 8],
  ['shrinks to nothing', 0],
  ['grows', 40],
])('refuses a piece that %s while its chunks are on loan', (_, size) => {
  // From the first chunk that lies whole in the piece, and from the one that was divided.
  for (const before of [0, 3]) {
    const splitter = createChunkSplitter(4)
    for (const chunk of splitter.split(new Uint8Array(before))) expect(chunk).toBeUndefined()
    const { bytes, resize } = tracking(20)
    const chunks = splitter.split(bytes)[Symbol.iterator]()
    expect(chunks.next().done).toBe(false)
    resize(size)
    expect(() => chunks.next()).toThrow(refused)
  }
})

test('refuses a piece that is transferred while its chunks are on loan', () => {
  const splitter = createChunkSplitter(4)
  const going = new Uint8Array(20)
  const chunks = splitter.split(going)[Symbol.iterator]()
  chunks.next()
  structuredClone(going.buffer, { transfer: [going.buffer] })
  expect(() => chunks.next()).toThrow(refused)
})
