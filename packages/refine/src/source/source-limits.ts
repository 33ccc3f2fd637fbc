import { RefineError } from '../errors.js'

/** How much a single export may be. All are counts or bytes, and all are checked before anything is built from them. */
export interface SourceLimits {
  /** Most bytes of one export. */
  readonly bytes: number
  /** Deepest nesting of a JSON document. */
  readonly depth: number
  /** Most records (CSV rows), and most JSON values of any kind. */
  readonly records: number
  /** Most columns of a CSV, and most fields of a record of JSON Lines. */
  readonly columns: number
  /** Most UTF-16 code units of one CSV field or JSON string. */
  readonly fieldLength: number
  /** Most bytes of one record: a line of JSONL, a CSV row, a message; default `fieldLength` or 16 MiB, the larger. */
  readonly recordBytes?: number
  /** Most entries of an archive; default 10,000. */
  readonly entries?: number
  /** Most bytes of all that comes out of compressed streams and archives; default 64 times `bytes`. */
  readonly expandedBytes?: number
  /** Most bytes that one byte of a compressed stream may become once 1 MiB came out; default 200. */
  readonly ratio?: number
  /** How many archives and compressed streams may stand inside each other; default 2. */
  readonly nesting?: number
}

/** 16 MiB, 64 levels, 1,000,000 records, 1,000 columns, 1 MiB per field. */
export const defaultSourceLimits: SourceLimits = {
  bytes: 16 * 1024 * 1024,
  depth: 64,
  records: 1_000_000,
  columns: 1_000,
  fieldLength: 1024 * 1024,
}

/** {@link SourceLimits} with every field filled. */
export type FullSourceLimits = Required<SourceLimits>

/**
 * Fills what a caller left out.
 *
 * @param limits - given limits
 * @returns all limits
 * @throws RefineError with `ARGUMENT_INVALID` for one that is no positive integer
 */
export function fullLimits(limits: SourceLimits): FullSourceLimits {
  const filled: FullSourceLimits = {
    ...limits,
    recordBytes: limits.recordBytes ?? Math.max(limits.fieldLength, 16 * 1024 * 1024),
    entries: limits.entries ?? 10_000,
    expandedBytes: limits.expandedBytes ?? 64 * limits.bytes,
    ratio: limits.ratio ?? 200,
    nesting: limits.nesting ?? 2,
  }
  for (const [name, value] of Object.entries(filled)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RefineError('ARGUMENT_INVALID', `limits.${name}`, 'A limit must be an integer from 0')
    }
  }
  return filled
}
