import { QueryError } from '../errors.js'

/** @throws QueryError `ENGINE_TABLE_MISSING` with the first of the wanted tables that is not loaded */
export function requireTables(loaded: ReadonlySet<string>, wanted: readonly string[]): void {
  const missing = wanted.find((name) => !loaded.has(name))
  if (missing !== undefined) throw new QueryError('ENGINE_TABLE_MISSING', missing)
}
