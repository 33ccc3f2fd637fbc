/**
 * The bytes of a file in memory, in pieces that are shared with copies of it until one is written to. A file grows piece by piece and is never
 * moved as a whole, so that nothing of it is left behind for the collector; and a copy of how it stood takes the room of what changes since.
 * @module
 */

/** Bytes of a whole piece. Eight pages of PostgreSQL: a write to a piece that a copy shares takes no more than this. */
export const pieceBytes = 65_536
/** The first piece of a small file begins with so many bytes, and doubles. */
const leastBytes = 1_024

/** A file as it stood at some moment. */
export interface FileCopy {
  readonly size: number
  /** @returns the bytes of one piece; shorter than a piece, or undefined, where only zeros follow */
  piece(number: number): Uint8Array | undefined
}

interface Piece {
  readonly bytes: Uint8Array
  /** A copy holds it: it is replaced before it is written to. */
  shared: boolean
}

/** A file in memory. */
export class PagedFile {
  #pieces: (Piece | undefined)[] = []
  #size: number

  /** @param bytes what is in it; they are copied */
  constructor(bytes: Uint8Array = new Uint8Array()) {
    for (let from = 0; from < bytes.length; from += pieceBytes)
      this.#pieces.push({ bytes: Uint8Array.from(bytes.subarray(from, from + pieceBytes)), shared: false })
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
      const bytes = this.#pieces[Math.floor((from + done) / pieceBytes)]?.bytes
      const there = bytes?.subarray(within, within + count) ?? new Uint8Array()
      into.set(there, done)
      into.fill(0, done + there.length, done + count)
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
      this.#pieces.length = Math.min(this.#pieces.length, Math.ceil(size / pieceBytes))
      const [last, within] = [Math.floor(size / pieceBytes), size % pieceBytes]
      if (within > 0 && this.#pieces[last] !== undefined) this.#own(last, within).fill(0, within)
    }
    this.#size = size
  }

  /** @returns the file as it stands now; it stays so whatever is written later */
  copy(): FileCopy {
    for (const piece of this.#pieces) if (piece !== undefined) piece.shared = true
    const pieces = this.#pieces.map((piece) => piece?.bytes)
    return { size: this.#size, piece: (number) => pieces[number] }
  }

  /** @returns bytes of a piece that nobody else holds, at least so many */
  #own(number: number, least: number): Uint8Array {
    const before = this.#pieces[number]
    if (before !== undefined && !before.shared && before.bytes.length >= least) return before.bytes
    const bytes = new Uint8Array(roomFor(number, least, before?.bytes.length ?? 0))
    if (before !== undefined) bytes.set(before.bytes)
    while (this.#pieces.length < number) this.#pieces.push(undefined)
    this.#pieces[number] = { bytes, shared: false }
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
