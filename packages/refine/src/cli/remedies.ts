import type { RefineErrorCode } from '../errors.js'

/** Codes that stop a command and are told with their own message; no file is refused with one. */
type OfCommand =
  | 'SCHEMA_INVALID'
  | 'REFINER_MISMATCH'
  | 'BUNDLE_FAILED'
  | 'ARGUMENT_INVALID'
  | 'EMBEDDER_MISSING'
  | 'EMBEDDER_MISMATCH'
  | 'EMBEDDER_FAILED'
  | 'JOB_INVALID'
  | 'PARQUET_WRITE_FAILED'
  | 'PARQUET_READ_FAILED'

/** What each code of a refused file means to a person, and what to do. */
export const remedies: Readonly<Record<Exclude<RefineErrorCode, OfCommand>, string>> &
  Readonly<Partial<Record<OfCommand, string>>> = {
  ARGUMENT_INVALID:
    'not a regular file that you may read; mend that and run the same command again (links are not followed, names are UTF-8)',
  FORMAT_UNKNOWN:
    'no reader knows this file; is it an export of this kind, is the reader’s package installed?',
  MEDIA_TYPE_MISMATCH: 'the refiner reads another kind of file',
  FIELD_MISSING:
    'the header lacks the field of this column; is it another export, or parted by other characters than commas?',
  LIMIT_EXCEEDED: 'the file is larger or deeper than allowed; split it',
  ENCODING_INVALID: 'the text is not UTF-8; export or save it as UTF-8, and leave out columns of bytes',
  JSON_INVALID: 'not JSON, or not of the form that the refiner reads: a list of objects, an object a line',
  JSON_DUPLICATE_KEY: 'an object names one key twice, so that readers would disagree',
  JSON_NUMBER_INEXACT: 'a number has more digits than a number of JSON keeps; write it as text',
  CSV_INVALID: 'not CSV: a quote that is left open or stands inside of a field, or a bare carriage return',
  CSV_HEADER_INVALID: 'the first line is empty, or has an empty name or one name twice',
  CSV_FIELD_COUNT: 'the row has another number of fields than the header',
  COMPRESSION_INVALID: 'the compressed file is cut off or damaged; fetch the export again',
  ARCHIVE_INVALID:
    'damaged, or what no export holds: links, encryption, back slashes or one name twice, or packed otherwise than stored or deflated; pack it anew',
  XML_INVALID: 'not well-formed (nothing may stand before <?xml), of another root, or with entities',
  FIT_INVALID: 'not a FIT file, or cut off; fetch the activity again',
  MAIL_INVALID: 'not a mailbox (mbox), or a message of it without a header',
  PARQUET_INVALID:
    'only flat columns are read, stored or packed by Snappy, gzip, Zstandard or LZ4; write the file so',
  SQLITE_INVALID:
    'damaged, or not one table of plain values: name it by --table, and write its journal (-wal) into it',
  MAP_FAILED: 'the mapping threw at this record',
  MAP_OUTPUT_INVALID: 'the mapping gave something else than rows of its tables',
  COLUMN_UNKNOWN: 'the mapping gave a column that the table does not have',
  VALUE_UNKNOWN: 'a number, a time (with its zone) or a unit is none',
  VALUE_MISSING: 'a value that must be there is not',
  VALUE_TYPE: 'a value is of another type than its column',
  VALUE_RANGE: 'a value lies outside its column’s range or length',
  VALUE_NOT_ALLOWED: 'a value is none of those its column lists',
  DECIMAL_PLACES: 'more decimal places than the column has; nothing is rounded unasked',
  PII_FOUND: 'personal data stands where none may',
}
