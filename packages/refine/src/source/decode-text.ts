import { RefineError } from '../errors.js'
import type { SourceLimits } from './source-limits.js'

/**
 * Decodes an export as UTF-8, strictly; one byte order mark in front is dropped.
 *
 * @param bytes - the export
 * @param limits - `bytes` is checked
 * @returns its text
 * @throws RefineError with `LIMIT_EXCEEDED` or `ENCODING_INVALID`
 */
export function decodeText(bytes: Uint8Array, limits: Pick<SourceLimits, 'bytes'>): string {
  if (bytes.length > limits.bytes) {
    throw new RefineError(
      'LIMIT_EXCEEDED',
      'source',
      `The export is larger than ${limits.bytes} bytes; split it`,
    )
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new RefineError('ENCODING_INVALID', 'source', 'The export is not UTF-8; export it as UTF-8')
  }
}
