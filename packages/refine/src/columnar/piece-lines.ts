import { lineFeeds } from '../source/record-chunks.js'
import { createScanCore, scanBase } from './scan-core.js'

const lineFeed = 0x0a

/** Bytes that are counted at once, and of a piece for which that pays. */
const blockBytes = 65_536

let counter: ((piece: Uint8Array) => number) | undefined
function createCounter(): (piece: Uint8Array) => number {
  const core = createScanCore(scanBase + blockBytes)
  if (core === undefined) return lineFeeds
  const block = new Uint8Array(core.memory.buffer, scanBase, blockBytes)
  return (piece) => {
    let count = 0
    for (let at = 0; at < piece.length; at += blockBytes) {
      const part = piece.subarray(at, at + blockBytes)
      block.set(part)
      count += core.lineFeeds(scanBase, scanBase + part.length)
    }
    return count
  }
}

/** How many lines stand in a piece; the last one needs no end. @param piece - bytes @returns the number */
export function countLines(piece: Uint8Array): number {
  const unended = piece.at(-1) === lineFeed ? 0 : 1
  if (piece.length < blockBytes) return unended + lineFeeds(piece)
  counter ??= createCounter()
  return unended + counter(piece)
}

/** The piece with an end of its last line, so that scanning needs no other end; no Buffer, whose second shape would slow down every loop. */
export function terminated(piece: Uint8Array): Uint8Array {
  if (piece.length === 0 || piece.at(-1) === lineFeed) {
    return new Uint8Array(piece.buffer, piece.byteOffset, piece.length)
  }
  const ended = new Uint8Array(piece.length + 1)
  ended.set(piece)
  ended[piece.length] = lineFeed
  return ended
}
