/**
 * The bytes of a file in memory, in pieces that are shared with copies of it until one is written to. A file grows piece by piece and is never
 * moved as a whole, so that nothing of it is left behind for the collector; and a copy of how it stood takes the room of what changes since.
 * @module
 */
import { type Piece, PiecePool } from './piece-pool.js'

/** Bytes of a whole piece. Eight pages of PostgreSQL: a write to a piece that a copy shares takes no more than this. */
export const pieceBytes = 65_536
/** The first piece of a small file begins with so many bytes, and doubles. */
const leastBytes = 1_024

/** A file as it stood at some moment. */
export interface FileCopy {
  readonly size: number
  /**
   * @returns the bytes of one piece, to be read at once; shorter than a piece, or undefined, where only zeros follow
   * @throws NodeError `SCRATCH_TAMPERED`, `SCRATCH_FAILED`
   */
  piece(number: number): Uint8Array | undefined
  /** Lets go of what it shares with the file: it is of no use any more. To be called once. */
  release(): void
}

/** A file in memory. What reads and writes it throws NodeError `SCRATCH_TAMPERED` or `SCRATCH_FAILED` where its pieces lie in a scratch file. */
export class PagedFile {
  readonly #pool: PiecePool
  #pieces: (Piece | undefined)[] = []
  #size: number

  /** @param bytes what is in it; they are copied @param pool keeps its pieces */
  constructor(bytes: Uint8Array = new Uint8Array(), pool: PiecePool = new PiecePool()) {
    this.#pool = pool
    for (let from = 0; from < bytes.length; from += pieceBytes)
      this.#pieces.push(pool.add(Uint8Array.from(bytes.subarray(from, from + pieceBytes))))
    this.#size = bytes.length
  }

  get size(): number {
    return this.#size
  }

  /** Fills `into` with the bytes from a place on. @returns how many there were */
  read(into: Uint8Array, from: number): number {
    const length = Math.max(0, Math.min(into.length, this.#size - from))
    for (let done = 0; done < length; ) {
      const within = (from + done) % pieceBytes
      const count = Math.min(length - done, pieceBytes - within)
      const piece = this.#pieces[Math.floor((from + done) / pieceBytes)]
      const there = piece && this.#pool.read(piece).subarray(within, within + count)
      if (there !== undefined) into.set(there, done)
      into.fill(0, done + (there?.length ?? 0), done + count)
      done += count
    }
    return length
  }

  /** Writes bytes at a place, behind the end too: what is between reads as zeros. */
  write(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; ) {
      const within = (at + done) % pieceBytes
      const count = Math.min(bytes.length - done, pieceBytes - within)
      const piece = this.#own(Math.floor((at + done) / pieceBytes), within + count)
      piece.set(bytes.subarray(done, done + count), within)
      done += count
    }
    if (bytes.length > 0) this.#size = Math.max(this.#size, at + bytes.length)
  }

  /** Gives it another size: what is cut off is gone, what is added reads as zeros. */
  truncate(size: number): void {
    if (size < this.#size) {
      for (const piece of this.#pieces.splice(Math.ceil(size / pieceBytes)))
        if (piece !== undefined) this.#pool.drop(piece)
      const [last, within] = [Math.floor(size / pieceBytes), size % pieceBytes]
      if (within > 0 && this.#pieces[last] !== undefined) this.#own(last, within).fill(0, within)
    }
    this.#size = size
  }

  /** @returns the file as it stands now; it stays so whatever is written later */
  copy(): FileCopy {
    const [pool, pieces] = [this.#pool, [...this.#pieces]]
    for (const piece of pieces) if (piece !== undefined) piece.holders += 1
    return {
      size: this.#size,
      piece(number) {
        const piece = pieces[number]
        return piece && pool.look(piece)
      },
      release() {
        for (const piece of pieces.splice(0)) if (piece !== undefined) pool.drop(piece)
      },
    }
  }

  /** Lets go of all of it: nobody will read it again. */
  discard(): void {
    this.truncate(0)
  }

  /** @returns bytes of a piece that nobody else holds, at least so many */
  #own(number: number, least: number): Uint8Array {
    const before = this.#pieces[number]
    const there = before && this.#pool.read(before)
    if (before?.holders === 1 && there !== undefined && there.length >= least) return this.#pool.write(before)
    const bytes = new Uint8Array(roomFor(number, least, there?.length ?? 0))
    if (there !== undefined) bytes.set(there)
    if (before !== undefined) this.#pool.drop(before)
    while (this.#pieces.length < number) this.#pieces.push(undefined)
    this.#pieces[number] = this.#pool.add(bytes)
    return bytes
  }
}

/** Small files stay small; one that has more than a piece is likely to grow on. */
function roomFor(number: number, least: number, before: number): number {
  if (number > 0) return pieceBytes
  let room = leastBytes
  while (room < least || room < before) room *= 2
  return room
}
