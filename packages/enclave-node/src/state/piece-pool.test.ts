import { platformRandom } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { diskFull, scratchBytes, scratchPool } from '../testing/scratch-bytes.js'
import { PiecePool } from './piece-pool.js'
import { ScratchFile } from './scratch-file.js'

const size = 1000
const bytes = (byte: number): Uint8Array => new Uint8Array(size).fill(byte)
/** A pool with room for three pieces that has five. */
function crowded() {
  const disk = scratchBytes()
  const pool = scratchPool(3 * size, disk)
  const pieces = [1, 2, 3, 4, 5].map((byte) => pool.add(bytes(byte)))
  return { disk, pool, pieces, piece: (number: number) => pieces[number - 1] ?? pool.add(bytes(0)) }
}

describe('a pool of pieces', () => {
  it('keeps no more in memory than it may, and all of it in reach', () => {
    const { pool, pieces, disk } = crowded()
    expect(pool.presentBytes).toBe(3 * size)
    expect(disk.writes).toBe(2)
    for (const [index, piece] of pieces.entries()) {
      expect(Buffer.from(pool.read(piece))).toEqual(Buffer.from(bytes(index + 1)))
      expect(pool.presentBytes).toBe(3 * size)
    }
  })

  it('without a scratch file keeps all', () => {
    const pool = new PiecePool()
    for (let byte = 0; byte < 10; byte += 1) pool.add(bytes(byte))
    expect(pool.presentBytes).toBe(10 * size)
  })

  it('puts away what was not used of late', () => {
    const { pool, piece } = crowded()
    // 3, 4 and 5 are there; the hand has been at 3 alone since it was used.
    const sixth = pool.add(bytes(6))
    expect([3, 4, 5].map((number) => piece(number).bytes === undefined)).toEqual([true, false, false])
    // Now it goes round: all were used.
    pool.add(bytes(7))
    expect(piece(4).bytes).toBeUndefined()
    pool.read(piece(5))
    pool.add(bytes(8))
    expect([piece(5), sixth].map((one) => one.bytes === undefined)).toEqual([false, true])
  })

  it('writes a piece once that is read again and again, and anew when it has changed', () => {
    const { pool, pieces, piece, disk } = crowded()
    for (let round = 0; round < 3; round += 1) for (const one of pieces) pool.read(one)
    expect(disk.writes).toBe(5)
    pool.write(piece(1)).fill(9)
    for (let round = 0; round < 3; round += 1) for (const one of pieces) pool.read(one)
    expect(disk.writes).toBe(6)
    expect(Buffer.from(pool.read(piece(1)))).toEqual(Buffer.from(bytes(9)))
  })

  it('lets somebody look at a piece without bringing it back', () => {
    const { pool, piece } = crowded()
    expect(Buffer.from(pool.look(piece(1)))).toEqual(Buffer.from(bytes(1)))
    expect(piece(1).bytes).toBeUndefined()
    expect(pool.look(piece(5))).toBe(piece(5).bytes)
  })

  it('gives the room of a piece back that nobody holds any more, in memory and on the disk', () => {
    const { pool, pieces, disk } = crowded()
    const [first] = pieces
    if (first !== undefined) first.holders += 1
    for (const piece of pieces) pool.drop(piece)
    expect(pool.presentBytes).toBe(0)
    expect(Buffer.from(pool.look(first ?? pool.add(bytes(0))))).toEqual(Buffer.from(bytes(1)))
    if (first !== undefined) pool.drop(first)
    const length = disk.bytes.length
    for (const byte of [1, 2, 3, 4, 5]) pool.add(bytes(byte))
    expect(disk.bytes.length).toBe(length)
    pool.close()
    expect(disk.closed).toBe(true)
    expect(pool.presentBytes).toBe(0)
  })

  it('keeps in memory what a full disk does not take, and says so', () => {
    const { pool, pieces, disk } = crowded()
    disk.writeError = diskFull()
    expect(pool.fault).toBeUndefined()
    const more = [6, 7, 8].map((byte) => pool.add(bytes(byte)))
    expect(pool.fault).toMatchObject({ code: 'SCRATCH_FAILED' })
    // It is asked once: the node ends.
    expect(disk.writes).toBe(3)
    expect(pool.presentBytes).toBe(6 * size)
    for (const [index, piece] of [...pieces, ...more].entries())
      expect(Buffer.from(pool.read(piece))).toEqual(Buffer.from(bytes(index + 1)))
  })

  it('says what it was that did not come back, also when others come back since', () => {
    const { pool, piece, disk } = crowded()
    disk.bytes.writeUInt8(disk.bytes.readUInt8(0) ^ 1, 0)
    expect(() => pool.read(piece(1))).toThrow(expect.objectContaining({ code: 'SCRATCH_TAMPERED' }))
    expect(pool.read(piece(2))[0]).toBe(2)
    expect(pool.fault).toMatchObject({ code: 'SCRATCH_TAMPERED' })
    // What is wrong since follows from it, perhaps.
    disk.readError = new Error('EIO: i/o error, read')
    expect(() => pool.look(piece(1))).toThrow(expect.objectContaining({ code: 'SCRATCH_FAILED' }))
    expect(pool.fault).toMatchObject({ code: 'SCRATCH_TAMPERED' })
  })

  it('gives nothing of a piece that nobody holds, and takes a mistake for no broken disk', () => {
    const { pool, piece } = crowded()
    const gone = piece(1)
    pool.drop(gone)
    expect(() => pool.look(gone)).toThrow('the piece is gone')
    const scratch = new ScratchFile({
      open: () => scratchBytes(),
      pieceBytes: size / 2,
      random: platformRandom,
    })
    const small = new PiecePool({ mostBytes: size, scratch })
    small.add(bytes(1))
    expect(() => small.add(bytes(2))).toThrow(RangeError)
    expect(small.fault).toBeUndefined()
  })
})
