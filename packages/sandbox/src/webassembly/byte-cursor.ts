/** Reads the numbers of WebAssembly's binary format (Core Specification 2.0, section 5.2); throws RangeError past the end. */
export interface ByteCursor {
  /** Where the next byte is. */
  at: number
  readonly end: number
  byte(): number
  /** An unsigned number of at most 32 bits. */
  whole(): number
  /** Skips a signed number of at most 64 bits. */
  skipSigned(): void
  /** Bytes from here. @param length - how many */
  take(length: number): Uint8Array
}

/**
 * A cursor over bytes.
 *
 * @param bytes - the bytes
 * @returns the cursor, at their front
 */
export function byteCursor(bytes: Uint8Array): ByteCursor {
  const cursor: ByteCursor = {
    at: 0,
    end: bytes.length,
    byte() {
      const value = bytes[cursor.at]
      if (value === undefined) throw new RangeError('past the end')
      cursor.at += 1
      return value
    },
    whole() {
      let value = 0
      for (let shift = 0; shift < 35; shift += 7) {
        const byte = cursor.byte()
        value += (byte & 127) * 2 ** shift
        if (byte < 128) return value
      }
      throw new RangeError('number too long')
    },
    skipSigned() {
      for (let length = 0; length < 10; length += 1) if (cursor.byte() < 128) return
      throw new RangeError('number too long')
    },
    take(length) {
      if (cursor.at + length > bytes.length) throw new RangeError('past the end')
      const part = bytes.subarray(cursor.at, cursor.at + length)
      cursor.at += length
      return part
    },
  }
  return cursor
}
