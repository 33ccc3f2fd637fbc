import type { JsonValue } from '@sealpool/sandbox'
import { RefineError } from '../errors.js'
import { parseCsvSource } from './csv-source.js'
import { parseJsonSource } from './json-source.js'
import { defaultSourceLimits, type SourceLimits } from './source-limits.js'

/** Media types that a source format accepts, without parameters. */
const mediaTypes: Readonly<Record<'json' | 'csv', RegExp>> = {
  json: /^application\/(json|[a-z0-9!#$&^_.-]{1,64}\+json)$/,
  csv: /^text\/csv$/,
}

/**
 * Reads a JSON or CSV export that is in memory into the records that a refiner's mapping gets; `openExport` does it for every
 * format and as a stream.
 *
 * @param source - format that the refiner reads
 * @param mediaType - media type of the contribution; parameters are ignored
 * @param bytes - the export
 * @param limits - see {@link SourceLimits}
 * @returns records as JSON values
 * @throws RefineError with `MEDIA_TYPE_MISMATCH` or what the format's reader throws
 */
export function readRecords(
  source: 'json' | 'csv',
  mediaType: string,
  bytes: Uint8Array,
  limits: SourceLimits = defaultSourceLimits,
): JsonValue[] {
  const essence = mediaType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!mediaTypes[source].test(essence)) {
    throw new RefineError('MEDIA_TYPE_MISMATCH', 'mediaType', `The refiner reads ${source} and nothing else`)
  }
  return source === 'json' ? [parseJsonSource(bytes, limits)] : parseCsvSource(bytes, limits)
}
