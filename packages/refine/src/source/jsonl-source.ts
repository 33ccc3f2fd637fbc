/** JSON Lines: one strict JSON document per line. */
import type { JsonValue } from '@sealpool/sandbox'
import { RefineError } from '../errors.js'
import { parseJsonSource } from './json-source.js'
import { recordChunks } from './record-chunks.js'
import type { FullSourceLimits } from './source-limits.js'
import { utf8Chunks } from './text-chunks.js'

const lineFeed = 0x0a
const pieceBytes = 1 << 20

/** Is there nothing but blanks? */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}

/**
 * Reads one line's document.
 *
 * @param bytes - the line without its line feed
 * @param line - its number, from 1
 * @param limits - see `SourceLimits`
 * @returns the document
 * @throws RefineError as `parseJsonSource`, `place` with the line of the export; `LIMIT_EXCEEDED` for more keys than `limits.columns`
 */
export function parseJsonLine(bytes: Uint8Array, line: number, limits: FullSourceLimits): JsonValue {
  let document: JsonValue
  try {
    document = parseJsonSource(bytes, { ...limits, bytes: limits.recordBytes })
  } catch (error) {
    if (!(error instanceof RefineError)) throw error
    const column = /column \d+$/.exec(error.place)?.[0]
    const message = error.message.replace(/ \(at [^)]*\)$/, '')
    throw new RefineError(
      error.code,
      column === undefined ? `line ${line}` : `line ${line}, ${column}`,
      message,
    )
  }
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    // A column is made of each, as of those of a CSV.
    if (Object.keys(document).length > limits.columns)
      throw new RefineError(
        'LIMIT_EXCEEDED',
        `line ${line}`,
        `A record has more than ${limits.columns} fields`,
      )
  }
  return document
}

/**
 * Reads JSON Lines. Empty lines are skipped; a line that ends in CR LF ends all the same.
 *
 * @param chunks - the export
 * @param limits - see `SourceLimits`; `depth` and the number of values hold per line
 * @returns one document per line
 * @throws RefineError with `LIMIT_EXCEEDED`, `ENCODING_INVALID`, `JSON_INVALID`, `JSON_DUPLICATE_KEY` or
 *   `JSON_NUMBER_INEXACT`
 */
export async function* jsonLines(
  chunks: AsyncIterable<Uint8Array>,
  limits: FullSourceLimits,
): AsyncGenerator<JsonValue, void, undefined> {
  let line = 0
  let count = 0
  const pieces = recordChunks(utf8Chunks(chunks), {
    quoted: false,
    pieceBytes,
    recordBytes: limits.recordBytes,
  })
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; ) {
      const feed = piece.indexOf(lineFeed, start)
      const end = feed < 0 ? piece.length : feed
      const bytes = piece.subarray(start, end)
      start = end + 1
      line += 1
      if (isBlank(bytes)) continue
      count += 1
      if (count > limits.records) {
        throw new RefineError(
          'LIMIT_EXCEEDED',
          'source',
          `The export has more than ${limits.records} lines; split it`,
        )
      }
      yield parseJsonLine(bytes, line, limits)
    }
  }
}
