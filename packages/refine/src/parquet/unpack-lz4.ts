/**
 * Undoes the block format of LZ4 (lz4_Block_format.md of the LZ4 project), which Parquet calls LZ4_RAW: runs of bytes as they stand, each
 * followed by a copy of what came out before. The older codec LZ4 of Hadoop frames blocks otherwise and is not read.
 *
 * @param packed - the block
 * @param length - how many bytes come out
 * @returns exactly so many bytes
 * @throws RangeError for a block that is damaged, or of another length
 */
export function unpackLz4(packed: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(length)
  let [from, to] = [0, 0]
  const byte = (): number => {
    const value = packed[from]
    if (value === undefined) throw new RangeError('lz4: cut off')
    from += 1
    return value
  }
  /** Four bits say up to 14; 15 goes on in bytes as long as these are 255. */
  const lengthOf = (nibble: number): number => {
    let sum = nibble
    for (let more = nibble === 15 ? 255 : 0; more === 255; ) {
      more = byte()
      sum += more
    }
    return sum
  }
  while (from < packed.length) {
    const token = byte()
    const literals = lengthOf(token >> 4)
    // More than the page holds is refused by `set`; more than the block holds has no byte behind it.
    output.set(packed.subarray(from, from + literals), to)
    from += literals
    to += literals
    // The last run has no copy behind it.
    if (from === packed.length) break
    const low = byte()
    const distance = low | (byte() << 8)
    const copied = lengthOf(token & 15) + 4
    if (distance === 0 || distance > to || copied > length - to) throw new RangeError('lz4: copy')
    // Byte by byte: a copy may reach into what it writes.
    for (const end = to + copied; to < end; to += 1) output[to] = output[to - distance] ?? 0
    // A block ends with bytes as they stand.
    if (from === packed.length) throw new RangeError('lz4: cut off')
  }
  if (to !== length) throw new RangeError('lz4: shorter than the page')
  return output
}
