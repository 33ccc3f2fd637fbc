/**
 * Encrypted Parquet on disk: written here, opened again by DuckDB with the same key, brought under another key, whole or the rows of some
 * contributors.
 *
 * @module
 */
export { inspectEncryptedParquet, type ParquetInspection } from './inspect-encrypted-parquet.js'
export { rekeyEncryptedParquet } from './rekey-encrypted-parquet.js'
export { contributorsOfParquet, selectEncryptedParquet } from './select-encrypted-parquet.js'
export { type WrittenParquet, writeEncryptedParquet } from './write-encrypted-parquet.js'
