/**
 * A scratch file in memory whose bytes a test reads, changes and puts back, as the owner of a disk can.
 * @module
 */
import { platformRandom } from '@sealpool/crypto'
import { pieceBytes } from '../state/paged-file.js'
import { PiecePool } from '../state/piece-pool.js'
import { type PlacedBytes, ScratchFile } from '../state/scratch-file.js'

/** Bytes by place, and what the disk does wrong. */
export interface ScratchBytes extends PlacedBytes {
  /** All of them, for the test to change. */
  bytes: Buffer
  /** Bytes that are written in one call at most. */
  mostWritten: number
  /** Thrown by what is written from here on. */
  writeError: Error | undefined
  /** Thrown by what is read from here on. */
  readError: Error | undefined
  writes: number
  closed: boolean
}

/** @returns an empty one */
export function scratchBytes(): ScratchBytes {
  let room = Buffer.alloc(0)
  let length = 0
  const file: ScratchBytes = {
    get bytes() {
      return room.subarray(0, length)
    },
    set bytes(bytes) {
      room = Buffer.from(bytes)
      length = room.length
    },
    mostWritten: Number.POSITIVE_INFINITY,
    writeError: undefined,
    readError: undefined,
    writes: 0,
    closed: false,
    write(bytes, at) {
      const part = bytes.subarray(0, file.mostWritten)
      // Twice as much as it needs: it is not copied again for every piece.
      if (at + part.length > room.length) room = Buffer.concat([room, Buffer.alloc(at + part.length)])
      room.set(part, at)
      length = Math.max(length, at + part.length)
      file.writes += 1
      if (file.writeError !== undefined) throw file.writeError
      return part.length
    },
    read(into, at) {
      if (file.readError !== undefined) throw file.readError
      const part = file.bytes.subarray(at, at + into.length)
      into.set(part)
      return part.length
    },
    close() {
      file.closed = true
    },
  }
  return file
}

/** @returns what a disk without room says */
export function diskFull(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
}

/** @returns a pool with so much memory whose scratch file is the test's */
export function scratchPool(mostBytes: number, file: ScratchBytes = scratchBytes()): PiecePool {
  return new PiecePool({
    mostBytes,
    scratch: new ScratchFile({ open: () => file, pieceBytes, random: platformRandom }),
  })
}
