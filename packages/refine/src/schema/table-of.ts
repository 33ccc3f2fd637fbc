import { RefineError } from '../errors.js'
import type { NamedTable, RefinerSchema } from './table-schema.js'

/**
 * A schema's table with its name.
 *
 * @param schema - the refiner's schema
 * @param name - the table's name
 * @returns the named table
 * @throws RefineError with `ARGUMENT_INVALID` when the schema has no such table
 */
export function tableOf(schema: RefinerSchema, name: string): NamedTable {
  const table = Object.hasOwn(schema.tables, name) ? schema.tables[name] : undefined
  if (table === undefined) {
    throw new RefineError('ARGUMENT_INVALID', 'table', `The refiner ${schema.id} has no such table`)
  }
  return { name, ...table }
}
