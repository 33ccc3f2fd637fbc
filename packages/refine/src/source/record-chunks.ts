import { RefineError } from '../errors.js'

const lineFeed = 0x0a
const quote = 0x22

function quotesIn(bytes: Uint8Array, from: number, to: number): number {
  let count = 0
  for (let at = bytes.indexOf(quote, from); at >= 0 && at < to; at = bytes.indexOf(quote, at + 1)) count += 1
  return count
}

/** @param bytes - of UTF-8 @returns how many line feeds stand in them */
export function lineFeeds(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) count += 1
  return count
}

/** @param recordBytes - the limit @param line - where the record begins, from 1 @returns the refusal of a record that is longer */
export function recordTooLong(recordBytes: number, line: number): RefineError {
  return new RefineError(
    'LIMIT_EXCEEDED',
    `line ${line}`,
    `A record is longer than ${recordBytes} bytes; split it, or close the quote that is left open in it`,
  )
}

/**
 * The end of the last record.
 *
 * @param bytes - records from the beginning of one on
 * @param quoted - do line feeds inside of double quotes belong to the record?
 * @returns behind the last line feed that stands outside of quotes; 0 when there is none
 */
export function lastRecordEnd(bytes: Uint8Array, quoted: boolean): number {
  let end = bytes.lastIndexOf(lineFeed) + 1
  if (!quoted || end === 0 || quotesIn(bytes, 0, end) % 2 === 0) return end
  // The last line feed stands in quotes; walk from the front, where every quote opens or closes.
  end = 0
  let open = false
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === quote) open = !open
    else if (byte === lineFeed && !open) end = at + 1
  }
  return end
}

/**
 * Cuts a stream of lines into pieces that end where a record ends, so that pieces can be read one by one or at once.
 *
 * @param chunks - bytes of UTF-8
 * @param options - `quoted`: do line feeds inside of double quotes belong to the record (CSV)? `pieceBytes`: cut when at least
 *   so many are there; `recordBytes`: most bytes of one record
 * @returns pieces; all but the last end with a line feed
 * @throws RefineError with `LIMIT_EXCEEDED`
 */
export async function* recordChunks(
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly quoted: boolean; readonly pieceBytes: number; readonly recordBytes: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { quoted, pieceBytes, recordBytes } = options
  let parts: Uint8Array[] = []
  let length = 0
  let wanted = pieceBytes
  let line = 1
  const joined = () => {
    if (parts.length === 1 && parts[0] !== undefined) return parts[0]
    const whole = new Uint8Array(length)
    let offset = 0
    for (const part of parts) {
      whole.set(part, offset)
      offset += part.length
    }
    return whole
  }
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue
    parts.push(chunk)
    length += chunk.length
    if (length < wanted) continue
    const whole = joined()
    const end = lastRecordEnd(whole, quoted)
    line += lineFeeds(whole.subarray(0, end))
    if (whole.length - end > recordBytes) throw recordTooLong(recordBytes, line)
    // A copy, made before the piece is handed out: who gets it may move its memory to another thread.
    const rest = end === 0 ? whole : whole.slice(end)
    if (end > 0) yield whole.subarray(0, end)
    parts = rest.length === 0 ? [] : [rest]
    length = rest.length
    // Doubling keeps the work linear where one record is longer than a piece.
    wanted = Math.max(pieceBytes, 2 * length)
  }
  if (length > 0) {
    const whole = joined()
    const end = lastRecordEnd(whole, quoted)
    if (whole.length - end > recordBytes)
      throw recordTooLong(recordBytes, line + lineFeeds(whole.subarray(0, end)))
    yield whole
  }
}
