import { CryptoError } from '../errors.js'

/** Divides bytes that come in pieces of any size into chunks of one size. */
export interface ChunkSplitter {
  /**
   * The chunks that are known not to be the last one. A chunk is lent: whoever takes it has read it when it asks for the
   * next.
   *
   * @param bytes - the next piece, which `isBytes` takes: one that is gone already would pass for an empty one
   * @throws CryptoError `OPTION_INVALID` when the bytes are transferred elsewhere, or change their length, while chunks are on loan
   */
  split(bytes: Uint8Array): Iterable<Uint8Array>
  /** What is left when no more comes: the last chunk, full, short or empty. */
  readonly rest: Uint8Array
}

/**
 * Makes a splitter. Chunks that lie whole in a piece are lent from it; only what is divided among pieces is copied, once.
 *
 * @param chunkSize - bytes of a chunk
 * @returns the splitter; it holds one chunk at most, and no more memory than twice what came
 */
export function createChunkSplitter(chunkSize: number): ChunkSplitter {
  let held = new Uint8Array()
  let length = 0
  const hold = (bytes: Uint8Array): void => {
    const needed = length + bytes.length
    if (needed > held.length) {
      // By doubling, since a file that claims large chunks need not have any.
      const larger = new Uint8Array(Math.min(chunkSize, 2 * needed))
      larger.set(held.subarray(0, length))
      held = larger
    }
    held.set(bytes, length)
    length = needed
  }
  return {
    *split(bytes) {
      const given = bytes.length
      // A lent buffer may shrink or go elsewhere while others compute; a file made of what is left would not open.
      const requireSame = (): void => {
        if (bytes.length !== given) throw changed()
      }
      let at = 0
      if (length > 0) {
        at = Math.min(chunkSize - length, given)
        hold(bytes.subarray(0, at))
        // A full chunk waits until more comes: it might be the last one.
        if (at === given) return
        length = 0
        yield held
        requireSame()
      }
      for (; given - at > chunkSize; at += chunkSize) {
        yield bytes.subarray(at, at + chunkSize)
        requireSame()
      }
      hold(bytes.subarray(at))
    },
    get rest() {
      return held.subarray(0, length)
    },
  }
}

function changed(): CryptoError {
  const why = 'a piece was transferred or changed its length before its write settled'
  return new CryptoError('OPTION_INVALID', 'stream', why)
}
