import { batchPages } from '../columnar/batch-pages.js'
import { readCsvColumns, readJsonColumns } from '../columnar/batch-reader.js'
import { canonicalRows } from '../columnar/canonical-rows.js'
import { fillPending } from '../columnar/pending-column.js'
import type { Scalar } from '../schema/table-schema.js'
import { leafBytes, sha256Into } from './leaf-runs.js'
import type { FunctionCache, PieceResult, WorkerData } from './piece-message.js'

/** Calls functions of the refiner for values. @param calls - function and values @returns one list of results per call */
export type CallFunctions = (
  calls: readonly { readonly by: string; readonly values: readonly Scalar[] }[],
) => Promise<readonly (readonly unknown[])[]>

/** Most results of one function that are kept for later pieces. */
const mostKept = 200_000

/**
 * Reads a piece of an export into pages and leaf hashes.
 *
 * @param piece - whole records
 * @param data - what all pieces of the export share
 * @param cache - results of functions so far; grows
 * @param call - calls functions
 * @returns pages and hashes
 * @throws RefineError as `readCsvColumns`; `place` counts the rows of the piece
 */
export async function readPiece(
  piece: Uint8Array,
  data: WorkerData,
  cache: FunctionCache,
  call: CallFunctions,
): Promise<PieceResult> {
  const { schema, limits, contributor, format, header, salt } = data
  const batch =
    format === 'csv' ? readCsvColumns(schema, header, piece, limits) : readJsonColumns(schema, piece, limits)
  // Held from before the call: another piece may start the cache anew while this one waits.
  const waiting = batch.pending.map((pending) => {
    const known = cache.get(pending.by) ?? new Map<Scalar, unknown>()
    cache.set(pending.by, known)
    return { pending, known, values: pending.values.filter((value) => !known.has(value)) }
  })
  const asked = waiting.filter(({ values }) => values.length > 0)
  const calls = asked.map(({ pending: { by }, values }) => ({ by, values }))
  const results = calls.length === 0 ? [] : await call(calls)
  for (const [index, { known, values }] of asked.entries()) {
    for (const [at, value] of values.entries()) known.set(value, results[index]?.[at])
  }
  for (const { pending, known } of waiting) {
    fillPending(
      pending,
      pending.values.map((value) => known.get(value)),
      batch.rows,
      schema.direct?.table ?? '',
    )
    if (known.size > mostKept && cache.get(pending.by) === known) cache.delete(pending.by)
  }
  const leaves = new Uint8Array(data.digest ? leafBytes * batch.rows : 0)
  if (data.digest) {
    const prefix = new Uint8Array(1 + salt.length)
    prefix.set(salt, 1)
    let at = 0
    canonicalRows(batch, contributor, prefix, (bytes) => {
      sha256Into(bytes, leaves, at)
      at += leafBytes
    })
  }
  return { rows: batch.rows, pages: batchPages(batch, contributor), leaves }
}
