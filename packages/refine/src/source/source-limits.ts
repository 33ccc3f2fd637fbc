/** How much a single export may be. All are counts or bytes, and all are checked before anything is built from them. */
export interface SourceLimits {
  /** Most bytes of one export. */
  readonly bytes: number
  /** Deepest nesting of a JSON document. */
  readonly depth: number
  /** Most records (CSV rows), and most JSON values of any kind. */
  readonly records: number
  /** Most columns of a CSV. */
  readonly columns: number
  /** Most UTF-16 code units of one CSV field or JSON string. */
  readonly fieldLength: number
}

/** 16 MiB, 64 levels, 1,000,000 records, 1,000 columns, 1 MiB per field. */
export const defaultSourceLimits: SourceLimits = {
  bytes: 16 * 1024 * 1024,
  depth: 64,
  records: 1_000_000,
  columns: 1_000,
  fieldLength: 1024 * 1024,
}
