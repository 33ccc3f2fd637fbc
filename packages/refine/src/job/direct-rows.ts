import type { JobRuntime, JsonValue, Limits } from '@sealpool/sandbox'
import { directCell } from '../define/direct-cell.js'
import { RefineError } from '../errors.js'
import type { DirectMapping, RefinerSchema, Scalar } from '../schema/table-schema.js'
import { runEntry } from './run-entry.js'

/** Where a refiner's `functions` run. */
export interface FunctionHost {
  /** The bundled refiner. */
  readonly code: string
  readonly runtime: JobRuntime
  readonly limits: Limits
}

/**
 * Calls one of a refiner's functions for many values in one run.
 *
 * @param host - code and sandbox
 * @param name - the function
 * @param values - different values
 * @returns what the function gives for each
 * @throws RefineError with `MAP_FAILED` or `MAP_OUTPUT_INVALID`
 */
export async function applyFunction(
  host: FunctionHost,
  name: string,
  values: readonly Scalar[],
): Promise<readonly JsonValue[]> {
  if (values.length === 0) return []
  const run = await runEntry(
    host,
    { entry: 'applyFunction', input: { function: name, values } },
    `The function ${name}`,
  )
  const output = run.output as { readonly values?: JsonValue; readonly failedValue?: JsonValue } | null
  if (typeof output === 'object' && output !== null) {
    if (typeof output.failedValue === 'number')
      throw new RefineError('MAP_FAILED', `function ${name}`, 'The function threw')
    if (Array.isArray(output.values) && output.values.length === values.length) return output.values
  }
  throw new RefineError(
    'MAP_OUTPUT_INVALID',
    `function ${name}`,
    'The function did not give one value for each',
  )
}

/** A value as a function gets it; lists and objects are no values of a flat row. */
export function scalarOf(value: unknown, place: string): Scalar {
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  throw new RefineError('VALUE_TYPE', place, 'A field holds a list or an object')
}

/** Two values are one for a function when this is equal: `1` and `'1'` are not. */
function keyOf(value: Scalar): string {
  return `${typeof value} ${String(value)}`
}

async function functionResults(
  direct: DirectMapping,
  records: readonly Readonly<Record<string, unknown>>[],
  host: FunctionHost | undefined,
): Promise<Map<string, (value: Scalar) => JsonValue | undefined>> {
  const results = new Map<string, (value: Scalar) => JsonValue | undefined>()
  for (const [column, { from, by }] of Object.entries(direct.columns)) {
    if (by === undefined) continue
    const distinct = new Map<string, Scalar>()
    for (const [index, record] of records.entries()) {
      const value = scalarOf(
        Object.hasOwn(record, from) ? record[from] : undefined,
        `${direct.table}[${index}].${column}`,
      )
      distinct.set(keyOf(value), value)
    }
    const keys = [...distinct.keys()]
    if (host === undefined)
      throw new RefineError('ARGUMENT_INVALID', 'runtime', 'The mapping names functions: give a runtime')
    const given = await applyFunction(host, by, [...distinct.values()])
    const table = new Map(keys.map((key, index) => [key, given[index]]))
    results.set(column, (value) => table.get(keyOf(value)))
  }
  return results
}

/**
 * Runs a mapping that is data: each record becomes one row, on the host. Functions that it names run in the sandbox, once for
 * each different value.
 *
 * @param schema - a refiner's schema with `direct`
 * @param records - flat records
 * @param host - where functions run
 * @returns rows to be checked
 * @throws RefineError with `MAP_OUTPUT_INVALID` for a record that is no object, `VALUE_TYPE`, or what the functions throw
 */
export async function directRows(
  schema: RefinerSchema,
  records: readonly JsonValue[],
  host: FunctionHost | undefined,
): Promise<readonly unknown[]> {
  const { direct } = schema
  const columns = direct === undefined ? undefined : schema.tables[direct.table]?.columns
  if (direct === undefined || columns === undefined) {
    throw new RefineError('SCHEMA_INVALID', 'direct', 'The schema has no mapping as data')
  }
  const flat = records.map((record, index) => {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new RefineError(
        'MAP_OUTPUT_INVALID',
        `${direct.table}[${index}]`,
        'A record is no object with named fields',
      )
    }
    return record as Readonly<Record<string, JsonValue>>
  })
  const results = await functionResults(direct, flat, host)
  return flat.map((record, index) => {
    const row: Record<string, unknown> = {}
    for (const [name, spec] of Object.entries(direct.columns)) {
      const column = columns[name]
      if (column === undefined) continue
      const value = Object.hasOwn(record, spec.from) ? record[spec.from] : undefined
      const result = results.get(name)
      row[name] =
        result === undefined
          ? directCell(column, spec, value)
          : result(scalarOf(value, `${direct.table}[${index}].${name}`))
    }
    return row
  })
}
