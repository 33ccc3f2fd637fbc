/**
 * Turn raw exports into normalised tables: one definition gives the mapping, the DDL, the JSON Schema, the Croissant
 * description, row types, the dictionary and mock data. What builder code imports is in `@sealpool/refine/define` and
 * `/normalise` (`/phone`, `/time-zones`); readers of formats in `/xml`, `/mail`, `/parquet`, `/sqlite`; writers in `/duckdb`,
 * `/sqlite`, `/arrow`; bundling in `/bundle`; jobs over folders of files in `/file-job`.
 *
 * @module
 */
export { contributorRows, contributorsTable, rowRanks } from './contributor/contributors.js'
export {
  type ActivitySample,
  type ApplyInput,
  type ApplyOutput,
  type ArchiveFile,
  type CellOf,
  defineRefiner,
  type FlatRecord,
  type HealthRecord,
  type JsonValue,
  type MailMessage,
  type MapContext,
  type RecordOf,
  type RefineInput,
  type RefineOutput,
  type Refiner,
  type RefinerDefinition,
  type RowOf,
  type WorkoutPart,
} from './define/define-refiner.js'
export { type Embedder, hasVectors } from './embedding/embedder.js'
export { RefineError, type RefineErrorCode } from './errors.js'
export type { CheckContributionOptions, ContributionCheck } from './job/check-contribution.js'
export { contentDigest, type Tables } from './job/content-digest.js'
export type {
  BundledRefiner,
  RefineBatchOptions,
  RefineContribution,
  RefinedBatch,
  Refusal,
} from './job/refine-batch.js'
export { createPiiPass, type PiiPass } from './pii/pii-pass.js'
export { maskedSample } from './sample/masked-sample.js'
export { mockTables } from './sample/mock-tables.js'
export {
  type CompatibilityClass,
  compareSchemas,
  type Migration,
  migrateRows,
  type SchemaChange,
  type SchemaComparison,
} from './schema/compatibility.js'
export { type CroissantDataset, type CroissantFile, toCroissant } from './schema/croissant.js'
export { toDataDictionary } from './schema/data-dictionary.js'
export { type Dialect, duckdbType, sqlType, toDdl } from './schema/ddl.js'
export { type JsonSchema, toJsonSchema } from './schema/json-schema.js'
export { toMigrationDdl } from './schema/migration-ddl.js'
export { parseRefinerSchema } from './schema/parse-schema.js'
export { toRowTypes } from './schema/row-types.js'
export { schemaId } from './schema/schema-id.js'
export { tableOf } from './schema/table-of.js'
export {
  type CellValue,
  type ColumnSchema,
  type ColumnType,
  contributorColumn,
  type DirectColumn,
  type DirectMapping,
  type Embedding,
  type NamedTable,
  type PiiMode,
  type RefinerSchema,
  type Row,
  type SourceFormat,
  type SourceNote,
  type TableSchema,
} from './schema/table-schema.js'
export { vectorText, vectorValues } from './schema/vector.js'
export type { ByteSource, RandomAccess } from './source/byte-source.js'
export { parseCsvSource } from './source/csv-source.js'
export { type ExportFormat, exportFormat } from './source/export-format.js'
export type { Decompress } from './source/inflate.js'
export { parseJsonSource } from './source/json-source.js'
export type { MimeReader, ParsedMail } from './source/mail/mailbox.js'
export type { OpenExportOptions, SourceReaders } from './source/open-export.js'
export { readRecords } from './source/read-records.js'
export { type RequiredField, requiredFields } from './source/required-fields.js'
export { defaultSourceLimits, type SourceLimits } from './source/source-limits.js'
export type { TableChoice, TableReader } from './source/table-reader.js'
export type { XmlHandlers, XmlReader, XmlRules, XmlStream } from './source/xml-events.js'
export { checkContribution, openExport, refineBatch } from './with-platform.js'
