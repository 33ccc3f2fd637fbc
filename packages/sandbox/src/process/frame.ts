/**
 * Frames between parent and child: a length, a small JSON head, then texts (code, input, output) as they are, so that
 * megabytes of JSON text are not escaped into JSON once more.
 *
 *     u32be bytes after this field | u32be head bytes | head JSON | text bytes, lengths in head.texts
 */

/** A message: what kind it is and its long texts. */
export interface Message {
  readonly head: Readonly<Record<string, unknown>>
  readonly texts: readonly string[]
}

const LENGTHS = 8
const LONGEST_HEAD = 2 * 1024 * 1024

/**
 * Bytes of one message.
 *
 * @param head plain JSON object
 * @param texts well-formed strings
 * @returns the frame, for the caller to overwrite once it is sent
 */
export function encodeFrame(head: object, texts: readonly string[]): Uint8Array {
  const encoder = new TextEncoder()
  const bodies = texts.map((text) => encoder.encode(text))
  const headBytes = encoder.encode(JSON.stringify({ ...head, texts: bodies.map((body) => body.length) }))
  const total = bodies.reduce((sum, body) => sum + body.length, LENGTHS + headBytes.length)
  const frame = new Uint8Array(total)
  const view = new DataView(frame.buffer)
  view.setUint32(0, total - 4)
  view.setUint32(4, headBytes.length)
  frame.set(headBytes, LENGTHS)
  let at = LENGTHS + headBytes.length
  for (const body of bodies) {
    frame.set(body, at)
    at += body.length
    body.fill(0)
  }
  return frame
}

/**
 * Reads frames out of a byte stream. The other side may be hostile: a length beyond the cap or a head that does not
 * describe its frame makes `push` return false, after which the stream is of no more use. What is pushed becomes the reader's
 * own: it is overwritten when it was read, since contributions and rows are among it.
 */
export function createFrameReader(
  longest: () => number,
  onMessage: (message: Message) => void,
): { push(chunk: Uint8Array): boolean } {
  const chunks: Uint8Array[] = []
  let held = 0
  let wanted = LENGTHS
  return {
    push(chunk) {
      chunks.push(chunk)
      held += chunk.length
      while (held >= wanted) {
        const bytes = join(chunks, held)
        chunks.length = 0
        chunks.push(bytes)
        const total = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) + 4
        if (total < LENGTHS || total > longest() + LONGEST_HEAD) return false
        wanted = total
        if (held < total) break
        const frame = bytes.subarray(0, total)
        const message = decodeFrame(frame)
        frame.fill(0)
        if (message === undefined) return false
        chunks[0] = bytes.subarray(total)
        held -= total
        wanted = LENGTHS
        onMessage(message)
      }
      return true
    },
  }
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = chunks
  if (chunks.length === 1 && first !== undefined) return first
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
    chunk.fill(0)
  }
  return whole
}

function decodeFrame(frame: Uint8Array): Message | undefined {
  const headLength = new DataView(frame.buffer, frame.byteOffset).getUint32(4)
  if (headLength > LONGEST_HEAD || LENGTHS + headLength > frame.length) return undefined
  // Fatal: bytes that are not UTF-8 came from no honest side.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    const head: unknown = JSON.parse(decoder.decode(frame.subarray(LENGTHS, LENGTHS + headLength)))
    if (typeof head !== 'object' || head === null || !('texts' in head) || !Array.isArray(head.texts)) {
      return undefined
    }
    const texts: string[] = []
    let at = LENGTHS + headLength
    for (const length of head.texts as unknown[]) {
      if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) return undefined
      if (at + length > frame.length) return undefined
      texts.push(decoder.decode(frame.subarray(at, at + length)))
      at += length
    }
    return at === frame.length ? { head: head as Message['head'], texts } : undefined
  } catch {
    return undefined
  }
}
