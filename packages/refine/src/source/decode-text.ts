import { RefineError } from '../errors.js'
import type { SourceLimits } from './source-limits.js'

/** The longest text that V8 holds as one string, in UTF-16 code units; other engines hold no less. */
export const longestText = 2 ** 29 - 24

/** Bytes that are decoded at once where the text may be too long. */
const pieceBytes = 1 << 24

/**
 * Engines take one byte for a character of a text where all are few, and two where one is not.
 *
 * @param text - of any length
 * @returns whether all of it is ASCII
 */
export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII begins with them
  return !/[^\u0000-\u007f]/.test(text)
}

function tooLong(longest: number): RefineError {
  return new RefineError(
    'LIMIT_EXCEEDED',
    'source',
    `A document is read as one text, of at most ${longest} characters; split the export, or give it as JSON Lines or CSV`,
  )
}

/**
 * Joins the text of a document.
 *
 * @param pieces - one behind the other
 * @param longest - most characters, of which half as many where one is not ASCII: they take twice the memory; default {@link longestText}
 * @returns the text
 * @throws RefineError with `LIMIT_EXCEEDED`
 */
export async function joinedText(
  pieces: AsyncIterable<string>,
  longest: number = longestText,
): Promise<string> {
  const parts: string[] = []
  let length = 0
  let most = longest
  for await (const text of pieces) {
    length += text.length
    if (!isAscii(text)) most = Math.floor(longest / 2)
    if (length > most) throw tooLong(most)
    parts.push(text)
  }
  return parts.join('')
}

/**
 * Decodes an export as UTF-8, strictly; one byte order mark in front is dropped.
 *
 * @param bytes - the export
 * @param limits - `bytes` is checked
 * @param longest - most characters; default {@link longestText}
 * @returns its text
 * @throws RefineError with `LIMIT_EXCEEDED` or `ENCODING_INVALID`
 */
export function decodeText(
  bytes: Uint8Array,
  limits: Pick<SourceLimits, 'bytes'>,
  longest: number = longestText,
): string {
  if (bytes.length > limits.bytes) {
    throw new RefineError(
      'LIMIT_EXCEEDED',
      'source',
      `The export is larger than ${limits.bytes} bytes; split it`,
    )
  }
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    // A character has one byte or more.
    if (bytes.length <= longest) return decoder.decode(bytes)
    const parts: string[] = []
    let length = 0
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const end = at + pieceBytes
      const text = decoder.decode(bytes.subarray(at, end), { stream: end < bytes.length })
      length += text.length
      if (length > longest) throw tooLong(longest)
      parts.push(text)
    }
    return parts.join('')
  } catch (error) {
    if (error instanceof RefineError) throw error
    throw new RefineError('ENCODING_INVALID', 'source', 'The export is not UTF-8; export it as UTF-8')
  }
}
