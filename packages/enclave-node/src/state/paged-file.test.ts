import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scratchBytes, scratchPool } from '../testing/scratch-bytes.js'
import { PagedFile, pieceBytes } from './paged-file.js'
import { PiecePool } from './piece-pool.js'

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
  fc.record({ kind: fc.constant('release' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

/** The same on one array. */
function onArray(bytes: Buffer, one: Step): Buffer {
  if (one.kind === 'copy' || one.kind === 'release') return bytes
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
  it.each([
    ['all of it in memory', () => new PiecePool()],
    ['room for one piece', () => scratchPool(pieceBytes)],
    ['room for none', () => scratchPool(1)],
    ['room for two pieces and a half', () => scratchPool(2.5 * pieceBytes)],
  ])('holds what one array would, and its copies what it held: %s', (_, openPool) => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 3_000 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.nat({ max: 2 }), step), { maxLength: 14 }),
        (begins, steps) => {
          const pool = openPool()
          const files = begins.map((begin) => new PagedFile(begin, pool))
          const arrays = begins.map((begin): Buffer => Buffer.from(begin))
          const copies: { readonly copy: ReturnType<PagedFile['copy']>; readonly array: Buffer }[] = []
          for (const [which, one] of steps) {
            const [file, array] = [files[which % files.length], arrays[which % files.length]]
            if (file === undefined || array === undefined) continue
            if (one.kind === 'copy') copies.push({ copy: file.copy(), array })
            else if (one.kind === 'release') copies.pop()?.copy.release()
            onFile(file, one)
            arrays[which % files.length] = onArray(array, one)
            for (const [index, other] of files.entries())
              expect(bytesOf(other).equals(arrays[index] ?? Buffer.alloc(0))).toBe(true)
          }
          for (const one of copies) expect(bytesOfCopy(one.copy).equals(one.array)).toBe(true)
          // Nothing is left of what nobody holds.
          for (const { copy } of copies) copy.release()
          for (const file of files) file.discard()
          expect(pool.presentBytes).toBe(0)
          pool.close()
        },
      ),
    )
  })

  it('takes no more memory than it may, and on the disk none for what is gone', () => {
    const disk = scratchBytes()
    const pool = scratchPool(2 * pieceBytes, disk)
    const file = new PagedFile(Buffer.alloc(6 * pieceBytes, 1), pool)
    const copy = file.copy()
    for (let round = 0; round < 20; round += 1) {
      file.write(Buffer.alloc(6 * pieceBytes, round), 0)
      expect(pool.presentBytes).toBeLessThanOrEqual(2 * pieceBytes)
    }
    expect(bytesOfCopy(copy).equals(Buffer.alloc(6 * pieceBytes, 1))).toBe(true)
    expect(disk.bytes.length).toBeLessThanOrEqual(12 * (pieceBytes + 16))
    copy.release()
    file.truncate(pieceBytes)
    const length = disk.bytes.length
    const another = new PagedFile(Buffer.alloc(8 * pieceBytes, 2), pool)
    expect(bytesOf(another).equals(Buffer.alloc(8 * pieceBytes, 2))).toBe(true)
    expect(disk.bytes.length).toBe(length)
    expect(bytesOf(file).equals(Buffer.alloc(pieceBytes, 19))).toBe(true)
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
    // It is its own by now: no other piece is made for the next write once nobody else holds it.
    const third = file.copy().piece(1)
    expect(third?.subarray(0, 3)).toEqual(Uint8Array.of(1, 2, 3))
  })
})
