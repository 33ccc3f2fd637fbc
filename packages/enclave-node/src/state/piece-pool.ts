/**
 * Keeps the pieces of files within so much memory: those that were not used of late lie in the scratch file until they are asked for. Which
 * these are is told by a bit for each and a hand that goes round (the clock of Corbató, 1968): a use that finds its piece in memory costs no more
 * than setting it.
 * @module
 */
import { NodeError } from '../errors.js'
import type { ScratchFile, ScratchPlace } from './scratch-file.js'

/** A part of a file. Its bytes are asked for where it is kept, every time. */
export interface Piece {
  /** Undefined while it lies in the scratch file alone. */
  bytes: Uint8Array | undefined
  /** The same bytes in the scratch file; undefined when they are not there, or are others. */
  place: ScratchPlace | undefined
  /** Since the hand was there last. */
  used: boolean
  /** The file that it is of, and copies of it: with more than one it is replaced before it is written to. */
  holders: number
}

/** Where pieces are kept. */
export class PiecePool {
  readonly #mostBytes: number
  readonly #scratch: ScratchFile | undefined
  /** Those in memory, in the order in which the hand comes to them. */
  readonly #present = new Set<Piece>()
  #bytes = 0
  #fault: NodeError | undefined

  /** @param room `mostBytes` in memory, and where the others go; absent: all are in memory */
  constructor(room?: { readonly mostBytes: number; readonly scratch: ScratchFile }) {
    this.#mostBytes = room?.mostBytes ?? Number.POSITIVE_INFINITY
    this.#scratch = room?.scratch
  }

  /** Bytes of the pieces in memory. */
  get presentBytes(): number {
    return this.#bytes
  }

  /** Why what is read here may not be used any more, or must end soon: `SCRATCH_TAMPERED`, `SCRATCH_FAILED`. */
  get fault(): NodeError | undefined {
    return this.#fault
  }

  /** Takes a new piece in, which one file holds. @param bytes are kept as they are */
  add(bytes: Uint8Array): Piece {
    const piece: Piece = { bytes: undefined, place: undefined, used: true, holders: 1 }
    this.#bring(piece, bytes)
    return piece
  }

  /** @returns the bytes of a piece, to be read before anything else is asked for @throws NodeError `SCRATCH_...` */
  read(piece: Piece): Uint8Array {
    piece.used = true
    if (piece.bytes !== undefined) return piece.bytes
    const bytes = this.#stored(piece)
    this.#bring(piece, bytes)
    return bytes
  }

  /** @returns the same as {@link read} without bringing it back: for who goes through all of them once */
  look(piece: Piece): Uint8Array {
    return piece.bytes ?? this.#stored(piece)
  }

  /** @returns the bytes of a piece, to be written to before anything else is asked for @throws NodeError `SCRATCH_...` */
  write(piece: Piece): Uint8Array {
    const bytes = this.read(piece)
    this.#leave(piece)
    return bytes
  }

  /** One holder less; without any it is gone. */
  drop(piece: Piece): void {
    piece.holders -= 1
    if (piece.holders > 0) return
    this.#leave(piece)
    if (this.#present.delete(piece)) this.#bytes -= piece.bytes?.length ?? 0
    piece.bytes = undefined
  }

  /** Ends it: what lies in the scratch file is gone. */
  close(): void {
    this.#present.clear()
    this.#bytes = 0
    this.#scratch?.close()
  }

  /** Puts bytes into memory for a piece, after others have made room: it is not among those that do. */
  #bring(piece: Piece, bytes: Uint8Array): void {
    this.#makeRoom(bytes.length)
    piece.bytes = bytes
    this.#present.add(piece)
    this.#bytes += bytes.length
  }

  #makeRoom(length: number): void {
    if (this.#bytes + length <= this.#mostBytes || this.#scratch === undefined) return
    for (const piece of this.#present) {
      if (this.#bytes + length <= this.#mostBytes || this.#fault !== undefined) return
      // Behind all others: the hand comes to it again when it was there before.
      this.#present.delete(piece)
      if (piece.used) {
        piece.used = false
        this.#present.add(piece)
      } else if (!this.#putAway(piece, this.#scratch)) {
        this.#present.add(piece)
      }
    }
  }

  /** @returns whether its bytes are out of memory */
  #putAway(piece: Piece, scratch: ScratchFile): boolean {
    if (piece.bytes === undefined) return true
    try {
      piece.place ??= scratch.put(piece.bytes)
    } catch (error) {
      // It stays in memory, more of which is used until the node has ended: the database is never told, in the middle of its work.
      this.#fail(error)
      return false
    }
    this.#bytes -= piece.bytes.length
    piece.bytes = undefined
    return true
  }

  #stored(piece: Piece): Uint8Array {
    if (this.#scratch === undefined || piece.place === undefined) throw new RangeError('the piece is gone')
    try {
      return this.#scratch.get(piece.place)
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  /** What lies in the scratch file is not what the piece is from here on. */
  #leave(piece: Piece): void {
    if (piece.place === undefined) return
    this.#scratch?.free(piece.place)
    piece.place = undefined
  }

  #fail(error: unknown): void {
    if (!(error instanceof NodeError)) throw error
    this.#fault ??= error
  }
}
