/** Stable codes of {@link RefineError}; a refused contribution carries one of them too. */
export type RefineErrorCode =
  /** The refiner's schema is not what this version understands. */
  | 'SCHEMA_INVALID'
  /** The refiner's code is not the code that the digest names, or describes another schema. */
  | 'REFINER_MISMATCH'
  /** The refiner cannot be bundled or described. */
  | 'BUNDLE_FAILED'
  /** An argument of the caller is out of range or contradicts another one. */
  | 'ARGUMENT_INVALID'
  /** The contribution's media type is not the refiner's source. */
  | 'MEDIA_TYPE_MISMATCH'
  /** The source is larger, deeper or longer than the limits allow. */
  | 'LIMIT_EXCEEDED'
  /** The bytes are not UTF-8. */
  | 'ENCODING_INVALID'
  /** The bytes are not strict JSON. */
  | 'JSON_INVALID'
  /** An object names one key twice, so that readers would disagree on its value. */
  | 'JSON_DUPLICATE_KEY'
  /** A number cannot be held exactly enough; the export must write it as text. */
  | 'JSON_NUMBER_INEXACT'
  /** The bytes are not strict CSV. */
  | 'CSV_INVALID'
  /** The CSV header is absent, or has an empty or repeated name. */
  | 'CSV_HEADER_INVALID'
  /** The table of an export lacks a field that the mapping reads and does not call optional. */
  | 'FIELD_MISSING'
  /** A CSV row has another number of fields than the header. */
  | 'CSV_FIELD_COUNT'
  /** The format is not one that the refiner reads, or no reader for it was given. */
  | 'FORMAT_UNKNOWN'
  /** A compressed stream is damaged, or holds something else than it says. */
  | 'COMPRESSION_INVALID'
  /** The archive is damaged, contradicts itself, or holds what no export holds (links, absolute or repeated names). */
  | 'ARCHIVE_INVALID'
  /** The bytes are not well-formed XML, or declare a document type. */
  | 'XML_INVALID'
  /** The bytes are not a FIT file, or their check sum is wrong. */
  | 'FIT_INVALID'
  /** The bytes are not a mailbox or a message. */
  | 'MAIL_INVALID'
  /** The bytes are not a Parquet file that can be read. */
  | 'PARQUET_INVALID'
  /** The bytes are not an SQLite database that can be read. */
  | 'SQLITE_INVALID'
  /** A value cannot be brought into its normal form. */
  | 'VALUE_UNKNOWN'
  /** Personal data stands in a column that takes none. */
  | 'PII_FOUND'
  /** The schema asks for embeddings, and no embedder was given. */
  | 'EMBEDDER_MISSING'
  /** The embedder is of another model, or of other dimensions, than the schema names. */
  | 'EMBEDDER_MISMATCH'
  /** The embedder threw, or gave something else than one vector per text. */
  | 'EMBEDDER_FAILED'
  /** The folder of a job belongs to another job, or cannot be used. */
  | 'JOB_INVALID'
  /** The mapping threw, or ran out of time or memory. */
  | 'MAP_FAILED'
  /** The mapping returned something that is not tables of rows. */
  | 'MAP_OUTPUT_INVALID'
  /** A row has a column that its table does not have. */
  | 'COLUMN_UNKNOWN'
  /** A row lacks a column that may not be null. */
  | 'VALUE_MISSING'
  /** A value has another type than its column. */
  | 'VALUE_TYPE'
  /** A value lies outside its column's range or length. */
  | 'VALUE_RANGE'
  /** A value is not among those that its column allows. */
  | 'VALUE_NOT_ALLOWED'
  /** A decimal has more places than its column; nothing is rounded silently. */
  | 'DECIMAL_PLACES'
  /** The Parquet file cannot be written; nothing is left under its name. */
  | 'PARQUET_WRITE_FAILED'
  /** The Parquet file cannot be opened with this key, or is damaged. */
  | 'PARQUET_READ_FAILED'

/**
 * The one error of this package. `place` says where (`workers[0].wage`, `line 3, column 7`, an argument's name); neither
 * `place` nor the message ever holds a value out of a contribution.
 *
 * @example
 * ```ts no-run
 * try { parseJsonSource(bytes) } catch (error) {
 *   if (error instanceof RefineError && error.code === 'JSON_DUPLICATE_KEY') report(error.place)
 * }
 * ```
 */
export class RefineError extends Error {
  override readonly name = 'RefineError'
  /** Stable, for programs. */
  readonly code: RefineErrorCode
  /** Where it happened, without any private value. */
  readonly place: string

  /**
   * @param code - stable code
   * @param place - where, without any private value
   * @param message - what happened and the remedy, without any private value
   * @param options - `cause`, for the host's own failures only
   */
  constructor(code: RefineErrorCode, place: string, message: string, options: { cause?: unknown } = {}) {
    super(`${message} (at ${place})`, options)
    this.code = code
    this.place = place
  }
}
