/**
 * Columns out of a zod object, read from its definition as plain data: nothing of zod is imported here, so a refiner without zod carries
 * none of it. What has no column becomes a type that no column has, and the check of the schema names its place.
 */
import type { ColumnSchema, ColumnType } from '../schema/table-schema.js'

/** A zod object (zod 4, `zod` or `zod/mini`), as far as it is looked at. */
export interface ZodObjectLike {
  readonly _zod: {
    readonly output: object
    readonly def: { readonly type: 'object'; readonly shape: object }
  }
}

type TypeOf<Value> = [Value] extends [boolean]
  ? 'boolean'
  : [Value] extends [number]
    ? 'integer' | 'decimal'
    : Exclude<ColumnType, 'vector'>

/** The column that a zod type becomes, as far as a mapping's types need it. */
export type ZodColumn<Output> = { readonly type: TypeOf<NonNullable<Output>> } & (null extends Output
  ? { readonly nullable: true }
  : unknown) &
  ([NonNullable<Output>] extends [string] ? { readonly values: readonly NonNullable<Output>[] } : unknown)

/** A column whose type may be none. */
type LooseColumn = Omit<Partial<ColumnSchema>, 'type'> & { readonly type: string }

interface Definition {
  readonly type?: string
  readonly check?: string
  readonly format?: string
  readonly innerType?: Schema
  readonly shape?: Readonly<Record<string, Schema>>
  readonly entries?: Readonly<Record<string, string | number>>
  readonly values?: readonly (string | number | boolean)[]
  readonly value?: number
  readonly inclusive?: boolean
  readonly maximum?: number
  readonly checks?: readonly Schema[]
}
interface Schema {
  readonly _zod?: { readonly def: Definition }
  readonly meta?: () => unknown
}

const definitionOf = (schema: Schema): Definition => schema._zod?.def ?? {}

/** Is it a zod object? @param value - anything @returns true for what `zodColumns` takes */
export function isZodObject(value: unknown): value is ZodObjectLike {
  const zod = typeof value === 'object' && value !== null ? (value as Schema)._zod : undefined
  return zod?.def.type === 'object'
}

/** What zod was told about a value: description, unit, decimals and pii. `zod/mini` keeps it in the registry alone. */
function metaOf(schema: Schema): Readonly<Record<string, unknown>> {
  const { __zod_globalRegistry: registry } = globalThis as {
    readonly __zod_globalRegistry?: { get(schema: Schema): unknown }
  }
  const meta = typeof schema.meta === 'function' ? schema.meta() : registry?.get(schema)
  return typeof meta === 'object' && meta !== null ? (meta as Record<string, unknown>) : {}
}

/** Places after the point of `multipleOf(0.01)`; undefined for steps that are no power of ten. */
function placesOf(step: number): number | undefined {
  return Array.from({ length: 18 }, (_, places) => places).find((places) => Number(`1e-${places}`) === step)
}

function numberColumn(definition: Definition, given: unknown): LooseColumn {
  const all = [definition, ...(definition.checks ?? []).map(definitionOf)]
  const whole = all.some(({ check, format }) => check === 'number_format' && /int/.test(format ?? ''))
  const steps = all.flatMap(({ check, value }) =>
    check === 'multiple_of' && value !== undefined ? [value] : [],
  )
  const places = whole ? 0 : typeof given === 'number' ? given : placesOf(steps[0] ?? 0)
  const unit = 10 ** -(places ?? 0)
  const bounds = (kind: string, sign: 1 | -1) =>
    all.flatMap(({ check, value, inclusive }) =>
      check === kind && value !== undefined ? [inclusive === true ? value : value + sign * unit] : [],
    )
  const lows = bounds('greater_than', 1)
  const highs = bounds('less_than', -1)
  return {
    type: whole ? 'integer' : 'decimal',
    ...(whole || places === undefined ? {} : { decimals: places }),
    ...(lows.length === 0 ? {} : { min: Math.max(...lows) }),
    ...(highs.length === 0 ? {} : { max: Math.min(...highs) }),
  }
}

function textColumn(definition: Definition): LooseColumn {
  if (definition.format === 'date') return { type: 'date' }
  if (definition.format === 'datetime') return { type: 'timestamp' }
  const lengths = (definition.checks ?? [])
    .map(definitionOf)
    .flatMap(({ check, maximum }) => (check === 'max_length' && maximum !== undefined ? [maximum] : []))
  return { type: 'text', ...(lengths.length === 0 ? {} : { maxLength: Math.min(...lengths) }) }
}

function columnOf(given: Schema): ColumnSchema {
  let schema = given
  let meta = metaOf(schema)
  let nullable = false
  for (
    let inner = definitionOf(schema).innerType;
    inner !== undefined;
    inner = definitionOf(schema).innerType
  ) {
    const { type } = definitionOf(schema)
    if (type !== 'nullable' && type !== 'optional' && type !== 'readonly') break
    nullable ||= type !== 'readonly'
    schema = inner
    meta = { ...metaOf(schema), ...meta }
  }
  const definition = definitionOf(schema)
  const { id: _, title: __, decimals, ...told } = meta
  const base = (): LooseColumn => {
    switch (definition.type) {
      case 'number':
        return numberColumn(definition, decimals)
      case 'string':
        return textColumn(definition)
      case 'boolean':
        return { type: 'boolean' }
      case 'enum':
      case 'literal': {
        const values = definition.values ?? Object.values(definition.entries ?? {})
        const [first] = values
        const type = typeof first === 'number' ? 'integer' : typeof first === 'boolean' ? 'boolean' : 'text'
        return { type, values }
      }
      default:
        return { type: `zod ${definition.type}` }
    }
  }
  const column = { description: '', ...told, ...base(), ...(nullable ? { nullable } : {}) }
  return column as ColumnSchema
}

/**
 * Columns out of a zod object: `z.int()` integer, `z.number().multipleOf(0.01)` or `meta({ decimals })` decimal, `z.string()` text, `z.enum`
 * and `z.literal` values, `z.iso.date()`, `z.iso.datetime()`, `z.boolean()`; `nullable` and `optional`; least and greatest values, lengths;
 * description, unit and pii out of `meta`.
 *
 * @param object - the zod object
 * @returns the columns; not yet checked, as any other definition
 * @example
 * ```ts
 * import { zodColumns } from '@sealpool/refine/define'
 * import * as z from 'zod'
 * const columns = zodColumns(z.object({ hours: z.int().min(0).nullable().meta({ description: 'Hours per week.', unit: 'h' }) }))
 * console.log(columns.hours) // { description: 'Hours per week.', unit: 'h', type: 'integer', min: 0, nullable: true }
 * ```
 */
export function zodColumns<Object_ extends ZodObjectLike>(
  object: Object_,
): {
  readonly [Name in keyof Object_['_zod']['output']]-?: ColumnSchema &
    ZodColumn<Object_['_zod']['output'][Name]>
} {
  const shape = object._zod.def.shape as Readonly<Record<string, Schema>>
  return Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => [name, columnOf(schema)]),
  ) as ReturnType<typeof zodColumns<Object_>>
}
