/** Collects bytes of WebAssembly's binary format. */
export interface ByteWriter {
  readonly length: number
  put(...bytes: readonly number[]): void
  append(bytes: Uint8Array): void
  /** An unsigned number in its shortest form. */
  whole(value: number): void
  /** A number of at most 34 bits in five bytes, which {@link ByteWriter.setPadded} may change. @returns where it stands */
  padded(value: number): number
  setPadded(at: number, value: number): void
  done(): Uint8Array
}

/**
 * Makes a writer.
 *
 * @param room - bytes for which room is taken at first; it grows
 * @returns the writer
 */
export function byteWriter(room: number): ByteWriter {
  let bytes = new Uint8Array(Math.max(64, room))
  let length = 0
  const reserve = (more: number) => {
    if (length + more <= bytes.length) return
    const grown = new Uint8Array(Math.max(2 * bytes.length, length + more))
    grown.set(bytes.subarray(0, length))
    bytes = grown
  }
  const setPadded = (at: number, value: number) => {
    for (let index = 0; index < 5; index += 1) {
      // Signed and unsigned readers agree, because the highest bit that they see is 0.
      bytes[at + index] = (Math.floor(value / 128 ** index) & 127) | (index < 4 ? 128 : 0)
    }
  }
  return {
    get length() {
      return length
    },
    put(...more) {
      reserve(more.length)
      for (const byte of more) {
        bytes[length] = byte
        length += 1
      }
    },
    append(more) {
      reserve(more.length)
      bytes.set(more, length)
      length += more.length
    },
    whole(value) {
      let left = value
      for (; left >= 128; left = Math.floor(left / 128)) this.put((left & 127) | 128)
      this.put(left)
    },
    padded(value) {
      reserve(5)
      const at = length
      length += 5
      setPadded(at, value)
      return at
    },
    setPadded,
    done: () => bytes.slice(0, length),
  }
}
