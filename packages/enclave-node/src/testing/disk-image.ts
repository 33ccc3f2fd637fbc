/** What a host copies of a node's disk and puts back later. */
import type { StateStore } from '../state/state-store.js'

const tables = ['jobs', 'ledger', 'receipts', 'contributions', 'refinements', 'exclusive_statements']

/** @returns puts the rows of jobs and of what they hang on back as they are now */
export async function diskImage(store: StateStore): Promise<() => Promise<void>> {
  const kept = new Map<string, readonly Record<string, unknown>[]>()
  for (const table of tables) kept.set(table, await store.query(`select * from ${table}`))
  return async () => {
    for (const table of [...tables].reverse()) await store.run(`truncate ${table} cascade`)
    for (const [table, rows] of kept) {
      for (const row of rows) {
        const names = Object.keys(row)
        await store.query(
          `insert into ${table} (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
          names.map((name) => row[name] as string),
        )
      }
    }
  }
}
