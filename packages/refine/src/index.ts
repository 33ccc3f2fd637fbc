/**
 * Turn raw exports into normalised tables: one definition gives the mapping, the DDL, the JSON Schema and the dictionary.
 * Writing encrypted Parquet is in `@sealpool/refine/duckdb`, bundling in `@sealpool/refine/bundle`, what builder code
 * imports in `@sealpool/refine/define`.
 *
 * @module
 */
export {
  type CellOf,
  defineRefiner,
  type JsonValue,
  type MapContext,
  type RecordOf,
  type RefineInput,
  type RefineOutput,
  type Refiner,
  type RefinerDefinition,
  type RowOf,
} from './define/define-refiner.js'
export { RefineError, type RefineErrorCode } from './errors.js'
export { contentDigest, type Tables } from './job/content-digest.js'
export {
  type BundledRefiner,
  type RefineBatchOptions,
  type RefineContribution,
  type RefinedBatch,
  type Refusal,
  refineBatch,
} from './job/refine-batch.js'
export { toDataDictionary } from './schema/data-dictionary.js'
export { type Dialect, duckdbType, toDdl } from './schema/ddl.js'
export { type JsonSchema, toJsonSchema } from './schema/json-schema.js'
export { parseRefinerSchema, tableOf } from './schema/parse-schema.js'
export { schemaId } from './schema/schema-id.js'
export {
  type CellValue,
  type ColumnSchema,
  type ColumnType,
  contributorColumn,
  type NamedTable,
  type RefinerSchema,
  type Row,
  type SourceFormat,
  type SourceNote,
  type TableSchema,
} from './schema/table-schema.js'
export { parseCsvSource } from './source/csv-source.js'
export { parseJsonSource } from './source/json-source.js'
export { readRecords } from './source/read-records.js'
export { defaultSourceLimits, type SourceLimits } from './source/source-limits.js'
