/**
 * The tables of a database in memory, with the rows that were read of what lasts.
 * @module
 */
import { isPrepared, prepareCapture, putRows, watchTables } from './change-capture.js'
import { migrate } from './migration.js'
import type { StoredRows } from './sealed-contents.js'
import type { StateStore } from './state-store.js'

const rowsPutAtOnce = 500

/** Makes the tables as they were when rows were sealed, and fills them. @param version of the tables; undefined when there are none */
export async function fillTables(
  working: StateStore,
  rows: StoredRows['rows'],
  version: number | undefined,
): Promise<void> {
  const prepared = await isPrepared(working)
  if (!prepared) await prepareCapture(working)
  if (version === undefined) return
  if (!prepared) await migrate(working, version)
  await working.transaction(async (tx) => {
    for (const [table, lines] of rows) {
      if (table === 'schema_migrations') continue
      for (let from = 0; from < lines.length; from += rowsPutAtOnce) {
        await putRows(tx, table, lines.slice(from, from + rowsPutAtOnce))
      }
    }
  })
  if (!prepared) await watchTables(working)
}
