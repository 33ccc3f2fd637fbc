import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PagedFile, pieceBytes } from './paged-file.js'

const place = fc.oneof(
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: pieceBytes - 2_000, max: pieceBytes + 2_000 }),
  fc.integer({ min: 0, max: 4 * pieceBytes }),
)
const step = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    at: place,
    length: place,
    byte: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({ kind: fc.constant('truncate' as const), size: place }),
  fc.record({ kind: fc.constant('copy' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

/** The same on one array. */
function onArray(bytes: Buffer, one: Step): Buffer {
  if (one.kind === 'copy') return bytes
  const size =
    one.kind === 'truncate' ? one.size : Math.max(bytes.length, one.length === 0 ? 0 : one.at + one.length)
  const after = Buffer.alloc(size)
  bytes.copy(after)
  if (one.kind === 'write' && one.length > 0) after.fill(one.byte, one.at, one.at + one.length)
  return after
}
function onFile(file: PagedFile, one: Step): void {
  if (one.kind === 'truncate') file.truncate(one.size)
  else if (one.kind === 'write') file.write(Buffer.alloc(one.length, one.byte), one.at)
}
const bytesOf = (file: PagedFile): Buffer => {
  const bytes = Buffer.alloc(file.size, 1)
  expect(file.read(bytes, 0)).toBe(file.size)
  return bytes
}
const bytesOfCopy = ({ size, piece }: ReturnType<PagedFile['copy']>): Buffer => {
  const bytes = Buffer.alloc(Math.ceil(size / pieceBytes) * pieceBytes)
  for (let from = 0; from < size; from += pieceBytes) bytes.set(piece(from / pieceBytes) ?? [], from)
  return bytes.subarray(0, size)
}

describe('a file in pieces', () => {
  it('holds what one array would, and its copies what it held', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), fc.array(step, { maxLength: 12 }), (begin, steps) => {
        const file = new PagedFile(begin)
        let array: Buffer = Buffer.from(begin)
        const copies: { readonly copy: ReturnType<PagedFile['copy']>; readonly array: Buffer }[] = []
        for (const one of steps) {
          if (one.kind === 'copy') copies.push({ copy: file.copy(), array })
          onFile(file, one)
          array = onArray(array, one)
          expect(bytesOf(file).equals(array)).toBe(true)
        }
        for (const one of copies) expect(bytesOfCopy(one.copy).equals(one.array)).toBe(true)
      }),
    )
  })

  it('reads parts from any place, and nothing behind its end', () => {
    const all = Buffer.from(Array.from({ length: 3 * pieceBytes }, (_, index) => index % 251))
    const file = new PagedFile(all)
    for (const [from, length] of [
      [0, 10],
      [pieceBytes - 5, 10],
      [10, 2 * pieceBytes],
    ] as const) {
      const into = Buffer.alloc(length)
      expect(file.read(into, from)).toBe(length)
      expect(into.equals(all.subarray(from, from + length))).toBe(true)
    }
    const into = Buffer.alloc(10, 7)
    expect(file.read(into, 3 * pieceBytes - 4)).toBe(4)
    expect(into.subarray(4)).toEqual(Buffer.alloc(6, 7))
    expect(file.read(into, 3 * pieceBytes + 4)).toBe(0)
  })

  it('takes for a write after a copy the room of the piece that is written to', () => {
    const file = new PagedFile(Buffer.alloc(4 * pieceBytes, 1))
    const first = file.copy()
    file.write(Buffer.from([2]), pieceBytes + 1)
    const second = file.copy()
    const same = [0, 1, 2, 3].map((number) => first.piece(number) === second.piece(number))
    expect(same).toEqual([true, false, true, true])
    file.write(Buffer.from([3]), pieceBytes + 2)
    expect(second.piece(1)?.[2]).toBe(1)
    // It is its own by now: no other piece is made for the next write.
    const third = file.copy().piece(1)
    expect(third?.subarray(0, 3)).toEqual(Uint8Array.of(1, 2, 3))
  })
})
