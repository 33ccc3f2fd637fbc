/** Largest message between the two processes. */
export const largestFrame = 1 << 28

/** One message: its length as 32 bits, big-endian, then JSON in UTF-8. */
export function encodeFrame(message: unknown): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(message))
  if (body.length > largestFrame) throw new RangeError('message too long')
  const frame = new Uint8Array(4 + body.length)
  new DataView(frame.buffer).setUint32(0, body.length)
  frame.set(body, 4)
  return frame
}

/**
 * Cuts a byte stream into messages.
 *
 * @returns a function that takes the next bytes and gives the messages that are complete with them
 * @throws RangeError when a length exceeds the largest, SyntaxError when a message is not JSON
 */
export function frameDecoder(): (bytes: Uint8Array) => readonly unknown[] {
  let chunks: Uint8Array[] = []
  let held = 0
  let wanted: number | null = null
  const take = (length: number): Uint8Array => {
    const all = new Uint8Array(held)
    let offset = 0
    for (const chunk of chunks) {
      all.set(chunk, offset)
      offset += chunk.length
    }
    chunks = [all.subarray(length)]
    held -= length
    return all.subarray(0, length)
  }
  return (bytes) => {
    chunks.push(bytes)
    held += bytes.length
    const messages: unknown[] = []
    for (;;) {
      if (wanted === null) {
        if (held < 4) return messages
        const head = take(4)
        wanted = new DataView(head.buffer, head.byteOffset, 4).getUint32(0)
        if (wanted > largestFrame) throw new RangeError('message too long')
      }
      if (held < wanted) return messages
      messages.push(JSON.parse(new TextDecoder().decode(take(wanted))))
      wanted = null
    }
  }
}
