import { AttestError } from '../errors.js'

/** Reads little-endian structures in order; every read that passes the end is a `BAD_QUOTE` that names the field. */
export interface ByteReader {
  /** Offset of the next byte in the whole input. */
  readonly offset: number
  /** Bytes that are left. */
  readonly remaining: number
  /** The next `length` bytes, as a view. */
  take(field: string, length: number): Uint8Array
  /** The next unsigned 16-bit number. */
  u16(field: string): number
  /** The next unsigned 32-bit number. */
  u32(field: string): number
}

/**
 * @param bytes the input; views alias it
 * @param place prefix of the places in errors, for example `quote`
 */
export function byteReader(bytes: Uint8Array, place: string): ByteReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 0
  const advance = (field: string, length: number): number => {
    if (length > bytes.length - offset) {
      const text = `The quote ends too early: ${field} needs ${length} bytes, ${bytes.length - offset} are left`
      throw new AttestError('BAD_QUOTE', `${place}.${field}`, text)
    }
    offset += length
    return offset - length
  }
  return {
    get offset() {
      return offset
    },
    get remaining() {
      return bytes.length - offset
    },
    take(field, length) {
      const start = advance(field, length)
      return bytes.subarray(start, start + length)
    },
    u16: (field) => view.getUint16(advance(field, 2), true),
    u32: (field) => view.getUint32(advance(field, 4), true),
  }
}
