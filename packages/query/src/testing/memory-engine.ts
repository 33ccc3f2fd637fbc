import { openDatabase } from '../duckdb/database.js'
import type { SqlEngine } from '../engine/engine.js'

/** The engine's database inside of the test's own process: the same code as in the child, without its start. */
export async function memoryEngine(): Promise<SqlEngine> {
  const database = await openDatabase({ threads: 1, memoryLimit: '256MB' })
  return {
    dialect: 'duckdb',
    load: (table) => database.load(table),
    query: (sql, expectation) => database.query(sql, expectation?.tables ?? null),
    close: async () => database.close(),
  }
}
