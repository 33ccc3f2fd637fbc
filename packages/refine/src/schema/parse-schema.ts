import * as z from 'zod'
import { RefineError } from '../errors.js'
import { isPathPattern } from '../source/path-pattern.js'
import { boundPosition, requiredPosition } from './bound.js'
import { printInstant } from './instant.js'
import {
  type ColumnSchema,
  contributorColumn,
  type DirectMapping,
  type RefinerSchema,
  type TableSchema,
} from './table-schema.js'

const identifier = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/)
const sentence = z
  .string()
  .min(1)
  .max(2000)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u)

const columnSchema = z.strictObject({
  type: z.enum(['integer', 'decimal', 'text', 'boolean', 'date', 'timestamp', 'vector']),
  description: sentence,
  nullable: z.boolean().optional(),
  decimals: z.int().min(0).max(17).optional(),
  // UCUM codes are printable ASCII without blanks (UCUM section 2, "character set").
  unit: z
    .string()
    .regex(/^[!-~]{1,64}$/)
    .optional(),
  values: z
    .array(
      z.union([
        z
          .string()
          .max(256)
          .regex(/^[^\p{Cc}\p{Cs}]*$/u),
        z.number(),
        z.boolean(),
      ]),
    )
    .min(1)
    .max(10_000)
    .optional(),
  pii: z.enum(['refuse', 'drop', 'mask', 'hash', 'token', 'generalise']).optional(),
  min: z.union([z.number(), z.string()]).optional(),
  max: z.union([z.number(), z.string()]).optional(),
  maxLength: z.int().min(1).max(65_536).optional(),
  embedding: z
    .strictObject({
      from: identifier,
      model: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      dimensions: z.int().min(1).max(4096),
    })
    .optional(),
})

const directMapping = z.strictObject({
  table: identifier,
  columns: z.record(
    identifier,
    z.strictObject({
      from: z.string().min(1).max(256),
      values: z
        .record(z.string().max(256), z.union([z.string().max(65_536), z.number(), z.boolean(), z.null()]))
        .optional(),
      optional: z.boolean().optional(),
      by: z
        .string()
        .regex(/^[a-zA-Z][a-zA-Z0-9]{0,63}$/)
        .optional(),
    }),
  ),
})

const refinerSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
    .max(64),
  version: z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/),
  source: z.enum(['json', 'csv', 'jsonl', 'rows', 'activity', 'health', 'mail', 'archive']),
  tables: z
    .record(
      identifier,
      z.strictObject({
        description: sentence,
        columns: z.record(identifier, columnSchema).refine((columns) => {
          const count = Object.keys(columns).length
          return count >= 1 && count <= 1000
        }),
      }),
    )
    .refine((tables) => {
      const count = Object.keys(tables).length
      return count >= 1 && count <= 64
    }),
  notes: z.array(z.strictObject({ column: z.string().min(1).max(256), statement: sentence })).max(1000),
  direct: directMapping.optional(),
  fields: z
    .array(z.strictObject({ name: z.string().min(1).max(256), optional: z.boolean().optional() }))
    .min(1)
    .max(1000)
    .optional(),
  files: z
    .array(z.string().min(1).max(256).refine(isPathPattern, 'no pattern of paths'))
    .min(1)
    .max(64)
    .optional(),
})

function boundFits(column: ColumnSchema, bound: number | string): boolean {
  const position = boundPosition(column, bound)
  // An instant stands in its one form, which SQLite's CHECK is made of.
  return position !== undefined && (column.type !== 'timestamp' || printInstant(position) === bound)
}

function valueFits(column: ColumnSchema, value: string | number | boolean): boolean {
  switch (column.type) {
    case 'integer':
      return Number.isSafeInteger(value)
    case 'text':
      return typeof value === 'string' && value.length <= (column.maxLength ?? 1024)
    case 'boolean':
      return typeof value === 'boolean'
    default:
      return false
  }
}

/** What is wrong with a column beyond its shape, or undefined. */
function columnFault(column: ColumnSchema): string | undefined {
  if ((column.decimals !== undefined) !== (column.type === 'decimal')) {
    return 'decimals belongs to decimal columns, and every decimal column needs it'
  }
  if (column.maxLength !== undefined && column.type !== 'text') return 'maxLength belongs to text columns'
  if (column.pii !== undefined && (column.type !== 'text' || column.values !== undefined)) {
    return 'pii belongs to text columns without a list of values'
  }
  if ((column.embedding !== undefined) !== (column.type === 'vector')) {
    return 'embedding belongs to vector columns, and every vector column needs it'
  }
  if (column.type === 'vector' && column.unit !== undefined) return 'a vector has no unit'
  const { min, max, values } = column
  for (const bound of [min, max]) {
    if (bound !== undefined && !boundFits(column, bound))
      return 'min and max must be exact values of the column type'
  }
  if (min !== undefined && max !== undefined && requiredPosition(column, min) > requiredPosition(column, max))
    return 'min is greater than max'
  if (values !== undefined) {
    if (!values.every((value) => valueFits(column, value))) return 'values must be of the column type'
    if (new Set(values).size !== values.length) return 'values names one value twice'
    if (min !== undefined || max !== undefined) return 'values and a range exclude each other'
  }
  return undefined
}

/** What is wrong with where an embedding comes from, or undefined. */
function sourceFault(table: TableSchema, { embedding, nullable }: ColumnSchema): string | undefined {
  if (embedding === undefined) return undefined
  const from = Object.hasOwn(table.columns, embedding.from) ? table.columns[embedding.from] : undefined
  if (from?.type !== 'text') return 'embedding.from names no text column of the table'
  if (from.nullable === true && nullable !== true)
    return 'a text that may be null has a vector that may be null'
  return undefined
}

/** What is wrong with a mapping as data, or undefined. */
function directFault(schema: RefinerSchema, direct: DirectMapping): string | undefined {
  if (!['csv', 'jsonl', 'rows'].includes(schema.source))
    return 'a mapping as data needs the source csv, jsonl or rows'
  const table = Object.hasOwn(schema.tables, direct.table) ? schema.tables[direct.table] : undefined
  if (table === undefined) return 'the mapping names no table of the schema'
  for (const [name, { by, values, optional }] of Object.entries(direct.columns)) {
    const column = Object.hasOwn(table.columns, name) ? table.columns[name] : undefined
    if (column === undefined) return 'the mapping names a column that its table does not have'
    if (column.type === 'vector') return 'the mapping names a vector column, which the host fills'
    const absent = column.nullable === true || by !== undefined || Object.hasOwn(values ?? {}, '')
    if (optional === true && !absent)
      return 'optional needs a column that may be null, a function, or values with one for the empty text'
    if (by !== undefined && values !== undefined) return 'values and by exclude each other'
  }
  for (const [name, column] of Object.entries(table.columns)) {
    if (column.nullable !== true && column.type !== 'vector' && !Object.hasOwn(direct.columns, name))
      return `the mapping lacks the column ${name}`
  }
  return undefined
}

/** What is wrong with the fields of a mapping of columns, or undefined. */
function fieldsFault({ source, direct, fields = [] }: RefinerSchema): string | undefined {
  if (direct !== undefined) return 'fields and direct exclude each other'
  if (!['csv', 'jsonl', 'rows'].includes(source)) return 'fields need the source csv, jsonl or rows'
  if (new Set(fields.map(({ name }) => name)).size !== fields.length) return 'fields name one field twice'
  return undefined
}

/**
 * Validates a refiner's schema. It is public data (a pool votes on it), so messages may quote it.
 *
 * @param value - plain data, for example what a bundle's `describe` returned
 * @returns the schema
 * @throws RefineError with `SCHEMA_INVALID`, `place` naming the field
 */
export function parseRefinerSchema(value: unknown): RefinerSchema {
  const parsed = refinerSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new RefineError(
      'SCHEMA_INVALID',
      issue === undefined || issue.path.length === 0 ? 'schema' : issue.path.map(String).join('.'),
      `The refiner's schema is not valid: ${issue?.message ?? 'unknown'}; see RefinerSchema`,
    )
  }
  const schema = parsed.data as RefinerSchema
  for (const [tableName, table] of Object.entries(schema.tables)) {
    for (const [columnName, column] of Object.entries(table.columns)) {
      const fault =
        columnName === contributorColumn
          ? 'contributor is added by the host; remove it'
          : (columnFault(column) ?? sourceFault(table, column))
      if (fault !== undefined) {
        throw new RefineError('SCHEMA_INVALID', `tables.${tableName}.columns.${columnName}`, fault)
      }
    }
  }
  const fault = schema.direct === undefined ? undefined : directFault(schema, schema.direct)
  if (fault !== undefined) throw new RefineError('SCHEMA_INVALID', 'direct', fault)
  if (schema.files !== undefined && schema.source !== 'archive')
    throw new RefineError('SCHEMA_INVALID', 'files', 'files need the source archive')
  const unfit = schema.fields === undefined ? undefined : fieldsFault(schema)
  if (unfit !== undefined) throw new RefineError('SCHEMA_INVALID', 'fields', unfit)
  return schema
}
