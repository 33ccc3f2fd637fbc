/** Largest message between the two processes. */
export const largestFrame = 1 << 28

/** Stands in a message in the place of the base64 of secret bytes, once and as a whole value. */
export const secretMark = '<secret>'

const base64Digits = /* @__PURE__ */ new TextEncoder().encode(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
)
const base64Padding = 0x3d

/** Base64 as bytes: a text of a secret lies about until it is collected, and cannot be overwritten. */
function base64Bytes(bytes: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(new ArrayBuffer(Math.ceil(bytes.length / 3) * 4)).fill(base64Padding)
  const digits = Math.ceil((bytes.length * 8) / 6)
  for (let digit = 0; digit < digits; digit++) {
    const bit = digit * 6
    const at = bit >> 3
    const pair = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    encoded[digit] = base64Digits[(pair >> (10 - (bit & 7))) & 63] ?? 0
  }
  return encoded
}

/**
 * One message: its length as 32 bits, big-endian, then JSON in UTF-8.
 *
 * @param message - what JSON can say
 * @param secret - bytes whose base64 goes where {@link secretMark} stands in the message
 * @returns the frame, for the caller to overwrite once it is sent
 * @throws RangeError when it is longer than {@link largestFrame}, or has no place for the secret
 */
export function encodeFrame(message: unknown, secret?: Uint8Array): Uint8Array {
  const text = JSON.stringify(message)
  const encoder = new TextEncoder()
  if (secret === undefined) return framed([encoder.encode(text)])
  // Inside of a value a quotation mark would be escaped: this is one whole value.
  const at = text.indexOf(`"${secretMark}"`)
  if (at < 0) throw new RangeError('the message has no place for a secret')
  return framed([
    encoder.encode(text.slice(0, at + 1)),
    base64Bytes(secret),
    encoder.encode(text.slice(at + 1 + secretMark.length)),
  ])
}

/** A frame of parts, which are overwritten. */
function framed(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  if (length > largestFrame) throw new RangeError('message too long')
  const frame = new Uint8Array(4 + length)
  new DataView(frame.buffer).setUint32(0, length)
  let at = 4
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
    part.fill(0)
  }
  return frame
}

/**
 * Cuts a byte stream into messages. What it is given becomes its own: bytes are overwritten when they were read, since tables and answers
 * are among them.
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
      chunk.fill(0)
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
      const body = take(wanted)
      messages.push(JSON.parse(new TextDecoder().decode(body)))
      body.fill(0)
      wanted = null
    }
  }
}
