import type { JsonValue } from '@sealpool/sandbox'
import * as z from 'zod'
import type { PackedColumns } from '../columnar/packed-columns.js'
import type { RecordBatch } from '../columnar/record-columns.js'
import { RefineError } from '../errors.js'
import type { MappedBatch } from '../file-job/piece-message.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import type { FunctionHost } from './direct-rows.js'
import { runEntry } from './run-entry.js'

const packedAnswer = z.object({
  packed: z.record(
    z.string(),
    z.object({
      rows: z.int().min(0).max(100_000_000),
      columns: z.array(z.string()).max(1000),
      attachment: z.int().min(0).max(63),
    }),
  ),
})

function tablesOf(
  output: JsonValue,
  first: number,
  count: number,
): Readonly<Record<string, readonly unknown[]>> {
  const invalid = (message: string) => new RefineError('MAP_OUTPUT_INVALID', 'output', message)
  if (typeof output !== 'object' || output === null || Array.isArray(output)) throw invalid('Not an object')
  const fields = output as Readonly<Record<string, JsonValue>>
  const failed = fields['failedRecord']
  if (typeof failed === 'number' && Number.isSafeInteger(failed)) {
    if (failed < 0 || failed >= Math.max(count, 1))
      throw invalid('The record that failed is none of those given')
    throw new RefineError('MAP_FAILED', `record ${first + failed}`, 'The mapping threw')
  }
  const tables = fields['tables']
  if (typeof tables !== 'object' || tables === null || Array.isArray(tables)) throw invalid('No tables')
  for (const rows of Object.values(tables))
    if (!Array.isArray(rows)) throw invalid('A table is not a list of rows')
  return tables as Readonly<Record<string, readonly unknown[]>>
}

/**
 * Runs a mapping that is code over records that are given by column, in the sandbox.
 *
 * @param batch - the records
 * @param host - code and sandbox
 * @param first - number of the first record in its export
 * @returns columns by table, or rows, not checked
 * @throws RefineError with `MAP_FAILED` or `MAP_OUTPUT_INVALID`
 */
export async function mappedBatch(
  batch: RecordBatch,
  host: FunctionHost,
  first: number,
): Promise<MappedBatch> {
  const { output, attachments = [] } = await runEntry(host, {
    entry: 'refineColumns',
    input: { first, count: batch.count },
    attachments: [batch.text],
  })
  const answer = packedAnswer.safeParse(output)
  if (!answer.success) return { tables: tablesOf(output, first, batch.count) }
  // zod leaves a table of this name out; its rows must not be lost in silence.
  if (Object.hasOwn((output as { readonly packed: object }).packed, '__proto__'))
    throw new RefineError('MAP_OUTPUT_INVALID', 'output', 'The mapping returned a table that is not declared')
  const packed: Record<string, PackedColumns> = {}
  for (const [name, { rows, columns, attachment }] of Object.entries(answer.data.packed)) {
    const text = attachments[attachment]
    if (text === undefined)
      throw new RefineError(
        'MAP_OUTPUT_INVALID',
        'output',
        'The mapping names columns that it did not attach',
      )
    packed[name] = { rows, columns, text }
  }
  return { packed }
}

/**
 * Can a refiner's bundle take records by column, and does the runtime bring them there? Asked with no records at all; whatever goes wrong means
 * that they are given one by one, with the same rows.
 *
 * @param host - code and sandbox
 * @param schema - what the refiner declares
 * @returns false for one that was bundled before there was a way to, or where attachments do not arrive
 */
export async function takesColumns(host: FunctionHost, { fields }: RefinerSchema): Promise<boolean> {
  const names = fields?.map(({ name }) => name)
  const text = names === undefined ? '[]' : JSON.stringify({ names, count: 0, columns: names.map(() => []) })
  try {
    return 'packed' in (await mappedBatch({ count: 0, text }, host, 0))
  } catch (error) {
    if (error instanceof RefineError) return false
    throw error
  }
}

/**
 * Runs a mapping that is code over records, in the sandbox.
 *
 * @param records - records of one export
 * @param host - code and sandbox
 * @param options - `schema`: what the refiner declares; `first`: number of the first record in its export, default 0
 * @returns rows by table, not checked
 * @throws RefineError with `MAP_FAILED` or `MAP_OUTPUT_INVALID`
 */
export async function mappedTables(
  records: readonly JsonValue[],
  host: FunctionHost,
  options: { readonly schema: RefinerSchema; readonly first?: number },
): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const { first = 0, schema } = options
  if (schema.fields !== undefined) {
    // As where records go by column.
    const odd = records.findIndex(
      (record) => typeof record !== 'object' || record === null || Array.isArray(record),
    )
    if (odd >= 0)
      throw new RefineError(
        'MAP_OUTPUT_INVALID',
        `record[${first + odd}]`,
        'A record is no object with named fields',
      )
  }
  const input = first === 0 ? { records } : { records, first }
  const run = await runEntry(host, { entry: 'refine', input })
  return tablesOf(run.output, first, records.length)
}
