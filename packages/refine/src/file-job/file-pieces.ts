import { roomFor } from '../source/byte-source.js'
import { lastRecordEnd, lineFeeds, recordTooLong } from '../source/record-chunks.js'
import type { OpenFile } from './file-source.js'

/** How much is read at once to count lines. */
const lineBytes = 2 ** 20

/** Memory of pieces that were read, for those that come, or of their pages: made anew it would be the most of all garbage of a job. */
export interface PieceMemory {
  /** Memory for at least so many bytes, from the beginning of a buffer on; what stands in it is no matter. */
  take(length: number): Uint8Array<ArrayBuffer>
  /** Gives memory back. @param memory - which nobody reads any more */
  give(memory: ArrayBuffer): void
}

/** @param most - how many are kept @returns memory, none yet */
export function createPieceMemory(most: number): PieceMemory {
  const free: ArrayBuffer[] = []
  return {
    take: (length) => {
      const kept = free.pop()
      if (kept !== undefined && kept.byteLength >= length) return new Uint8Array(kept)
      // A quarter more, so that it also serves where the next one is longer.
      return roomFor(length + (length >> 2))
    },
    give: (memory) => {
      if (free.length < most) free.push(memory)
    },
  }
}

/** The number of the line that begins at a byte; the file is read again for it, so that files without faults are not counted. */
async function lineAt(file: OpenFile, from: number, to: number): Promise<number> {
  const block = new Uint8Array(lineBytes)
  let line = 1
  for (let at = from; at < to; at += block.length) {
    const part = block.subarray(0, Math.min(block.length, to - at))
    await file.readInto(part, at)
    line += lineFeeds(part)
  }
  return line
}

/**
 * Cuts a file of UTF-8 into pieces, as `recordChunks` cuts a stream.
 *
 * @param file - the file
 * @param from - where its text begins, behind a mark
 * @param options - as `recordChunks`
 * @param memory - where pieces are read to
 * @returns pieces; all but the last end with a line feed
 * @throws RefineError with `LIMIT_EXCEEDED`, or as reading the file
 */
export async function* filePieces(
  file: OpenFile,
  from: number,
  options: { readonly quoted: boolean; readonly pieceBytes: number; readonly recordBytes: number },
  memory: PieceMemory,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const { quoted, pieceBytes, recordBytes } = options
  let rest = new Uint8Array()
  let wanted = pieceBytes
  for (let offset = from; offset < file.size; ) {
    const length = Math.min(wanted, file.size - offset)
    const into = memory.take(rest.length + length)
    into.set(rest)
    await file.readInto(into.subarray(rest.length, rest.length + length), offset)
    offset += length
    const whole = into.subarray(0, rest.length + length)
    const end = lastRecordEnd(whole, quoted)
    if (whole.length - end > recordBytes)
      throw recordTooLong(recordBytes, await lineAt(file, from, offset - whole.length + end))
    if (offset >= file.size) {
      yield whole
      return
    }
    rest = whole.slice(end)
    if (end > 0) yield whole.subarray(0, end)
    else memory.give(into.buffer)
    // Doubling keeps the work linear where one record is longer than a piece.
    wanted = Math.max(pieceBytes, rest.length)
  }
}
