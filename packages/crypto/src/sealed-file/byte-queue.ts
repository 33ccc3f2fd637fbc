/** Bytes on their way through a stream: put in as they come, taken out in the sizes that are needed. */
export interface ByteQueue {
  /** How many bytes wait. */
  readonly length: number
  /** Appends a copy, since the giver may use its buffer again. */
  push(bytes: Uint8Array): void
  /** Removes and returns the first bytes; there must be enough. */
  take(count: number): Uint8Array<ArrayBuffer>
  /** Copies the first bytes without removing them; there must be enough. */
  peek(count: number): Uint8Array<ArrayBuffer>
}

/**
 * Makes an empty queue. Appending costs amortised time per byte however small the pieces are.
 *
 * @returns the queue
 */
export function createByteQueue(): ByteQueue {
  let buffer = new Uint8Array(1024)
  let start = 0
  let end = 0
  return {
    get length() {
      return end - start
    },
    push(bytes) {
      if (end + bytes.length > buffer.length) {
        const waiting = end - start
        const needed = waiting + bytes.length
        const target = needed > buffer.length / 2 ? new Uint8Array(2 * needed) : buffer
        target.set(buffer.subarray(start, end))
        buffer = target
        start = 0
        end = waiting
      }
      buffer.set(bytes, end)
      end += bytes.length
    },
    take(count) {
      const taken = buffer.slice(start, start + count)
      start += count
      return taken
    },
    peek: (count) => buffer.slice(start, start + count),
  }
}
