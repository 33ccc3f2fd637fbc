import { RefineError } from '../errors.js'

/**
 * Decodes an export as it comes: UTF-8, or UTF-16 where its byte order mark says so (spreadsheets write it); one mark in front
 * is dropped. Bytes that are no text in that encoding are refused, never replaced.
 *
 * @param chunks - bytes
 * @returns text; a character may not be split between two chunks
 * @throws RefineError with `ENCODING_INVALID`
 */
export async function* textChunks(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  let decoder: TextDecoder | undefined
  let isBegun = false
  let held = new Uint8Array()
  const fault = () =>
    new RefineError(
      'ENCODING_INVALID',
      'source',
      'The export is neither UTF-8 nor marked UTF-16; export it as UTF-8',
    )
  const decode = (bytes: Uint8Array | undefined): string => {
    try {
      if (decoder === undefined) {
        const mark = bytes ?? held
        const [first, second] = mark
        const label =
          first === 0xff && second === 0xfe
            ? 'utf-16le'
            : first === 0xfe && second === 0xff
              ? 'utf-16be'
              : 'utf-8'
        decoder = new TextDecoder(label, { fatal: true })
      }
      const text = bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true })
      // The mark of UTF-32 begins as that of UTF-16, and goes on with a character 0.
      if (!isBegun && decoder.encoding === 'utf-16le' && text.startsWith('\0')) throw fault()
      isBegun ||= text !== ''
      return text
    } catch {
      throw fault()
    }
  }
  for await (const chunk of chunks) {
    if (decoder === undefined && held.length + chunk.length < 2) {
      held = Uint8Array.from([...held, ...chunk])
      continue
    }
    const bytes = held.length === 0 ? chunk : Uint8Array.from([...held, ...chunk])
    held = new Uint8Array()
    const text = decode(bytes)
    if (text !== '') yield text
  }
  const rest = (held.length === 0 ? '' : decode(held)) + decode(undefined)
  if (rest !== '') yield rest
}

/**
 * Text as UTF-8, for readers of bytes. UTF-8 goes through untouched, its mark dropped; its validity is theirs to check.
 *
 * @param chunks - bytes
 * @returns bytes of UTF-8
 * @throws RefineError with `ENCODING_INVALID` for UTF-16 that is none
 */
export async function* utf8Chunks(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]()
  let head = new Uint8Array()
  while (head.length < 3) {
    const next = await iterator.next()
    if (next.done === true) break
    head = head.length === 0 ? Uint8Array.from(next.value) : Uint8Array.from([...head, ...next.value])
  }
  const rest = { [Symbol.asyncIterator]: () => iterator }
  const [first, second, third] = head
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    const encoder = new TextEncoder()
    async function* all() {
      yield head
      yield* rest
    }
    for await (const text of textChunks(all())) yield encoder.encode(text)
    return
  }
  const marked = first === 0xef && second === 0xbb && third === 0xbf
  if (head.length > (marked ? 3 : 0)) yield marked ? head.subarray(3) : head
  yield* rest
}
