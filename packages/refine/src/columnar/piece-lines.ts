const lineFeed = 0x0a

/** How many lines stand in a piece; the last one needs no end. @param piece - bytes @returns the number */
export function countLines(piece: Uint8Array): number {
  let count = piece.at(-1) === lineFeed ? 0 : 1
  for (let at = piece.indexOf(lineFeed); at >= 0; at = piece.indexOf(lineFeed, at + 1)) count += 1
  return count
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
