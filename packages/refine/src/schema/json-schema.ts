import { decimalPrecision } from './decimal.js'
import { describedColumn } from './leakage-note.js'
import { type ColumnSchema, contributorColumn, type RefinerSchema } from './table-schema.js'

/** A JSON Schema document as plain data. */
export type JsonSchema = { readonly [key: string]: unknown }

function decimalPattern(decimals: number): string {
  const whole = decimalPrecision - decimals
  return decimals === 0 ? `^-?\\d{1,${whole}}$` : `^-?\\d{1,${whole}}\\.\\d{${decimals}}$`
}

function columnJsonSchema(column: ColumnSchema): JsonSchema {
  const { min, max, nullable = false } = column
  const types = (type: string) => (nullable ? [type, 'null'] : type)
  const described = describedColumn(column)
  const description = column.unit === undefined ? described : `${described} Unit: ${column.unit}.`
  const allowed =
    column.values === undefined ? {} : { enum: nullable ? [...column.values, null] : [...column.values] }
  switch (column.type) {
    case 'integer':
      return {
        type: types('integer'),
        description,
        minimum: min ?? Number.MIN_SAFE_INTEGER,
        maximum: max ?? Number.MAX_SAFE_INTEGER,
        ...allowed,
      }
    case 'decimal': {
      // Decimals are text, where JSON Schema cannot compare; the range stands beside it for people and other tools.
      const range = {
        ...(min === undefined ? {} : { 'x-minimum': min }),
        ...(max === undefined ? {} : { 'x-maximum': max }),
      }
      return { type: types('string'), description, pattern: decimalPattern(column.decimals ?? 0), ...range }
    }
    case 'text':
      return { type: types('string'), description, maxLength: column.maxLength ?? 1024, ...allowed }
    case 'boolean':
      return { type: types('boolean'), description, ...allowed }
    case 'timestamp':
      return {
        type: types('string'),
        description,
        format: 'date-time',
        pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,6})?Z$',
        ...(min === undefined ? {} : { 'x-minimum': min }),
        ...(max === undefined ? {} : { 'x-maximum': max }),
      }
    case 'vector': {
      const number = '-?(0|1|0\\.\\d{1,4})'
      const more = (column.embedding?.dimensions ?? 1) - 1
      return { type: types('string'), description, pattern: `^\\[${number}(,${number}){${more}}\\]$` }
    }
    case 'date': {
      const range = {
        ...(min === undefined ? {} : { 'x-minimum': min }),
        ...(max === undefined ? {} : { 'x-maximum': max }),
      }
      return {
        type: types('string'),
        description,
        format: 'date',
        pattern: '^\\d{4}-\\d{2}-\\d{2}$',
        ...range,
      }
    }
  }
}

/**
 * JSON Schema (draft 2020-12) of what `refineBatch` returns as `tables`; each table's row is in `$defs`. Ranges of
 * decimals and days, which are text there, stand in `x-minimum` and `x-maximum`, because JSON Schema cannot express them.
 *
 * @param schema - the refiner's schema
 * @returns the JSON Schema document
 */
export function toJsonSchema(schema: RefinerSchema): JsonSchema {
  const tables = Object.entries(schema.tables)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:sealpool:refiner:${schema.id}:${schema.version}`,
    title: schema.id,
    type: 'object',
    additionalProperties: false,
    required: tables.map(([name]) => name),
    properties: Object.fromEntries(
      tables.map(([name, table]) => [
        name,
        { type: 'array', description: table.description, items: { $ref: `#/$defs/${name}` } },
      ]),
    ),
    $defs: Object.fromEntries(
      tables.map(([name, table]) => [
        name,
        {
          type: 'object',
          description: table.description,
          additionalProperties: false,
          required: [contributorColumn, ...Object.keys(table.columns)],
          properties: {
            [contributorColumn]: {
              type: 'integer',
              minimum: 0,
              description: "The contributor's integer surrogate, the join key between pools.",
            },
            ...Object.fromEntries(
              Object.entries(table.columns).map(([column, definition]) => [
                column,
                columnJsonSchema(definition),
              ]),
            ),
          },
        },
      ]),
    ),
  }
}
