import type { JsonValue } from '@sealpool/sandbox'
import { RefineError } from '../errors.js'
import type { FunctionHost } from './direct-rows.js'

function tablesOf(output: JsonValue, first: number): Readonly<Record<string, readonly unknown[]>> {
  const invalid = (message: string) => new RefineError('MAP_OUTPUT_INVALID', 'output', message)
  if (typeof output !== 'object' || output === null || Array.isArray(output)) throw invalid('Not an object')
  const fields = output as Readonly<Record<string, JsonValue>>
  const failed = fields['failedRecord']
  if (typeof failed === 'number' && Number.isSafeInteger(failed)) {
    throw new RefineError('MAP_FAILED', `record ${first + failed}`, 'The mapping threw')
  }
  const tables = fields['tables']
  if (typeof tables !== 'object' || tables === null || Array.isArray(tables)) throw invalid('No tables')
  for (const rows of Object.values(tables))
    if (!Array.isArray(rows)) throw invalid('A table is not a list of rows')
  return tables as Readonly<Record<string, readonly unknown[]>>
}

/**
 * Runs a mapping that is code over records, in the sandbox.
 *
 * @param records - records of one export
 * @param host - code and sandbox
 * @param options - `first`: number of the first record in its export, default 0
 * @returns rows by table, not checked
 * @throws RefineError with `MAP_FAILED` or `MAP_OUTPUT_INVALID`
 */
export async function mappedTables(
  records: readonly JsonValue[],
  host: FunctionHost,
  options: { readonly first?: number } = {},
): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const { first = 0 } = options
  const input = first === 0 ? { records } : { records, first }
  const job = { code: host.code, entry: 'refine', input, limits: host.limits }
  let run = await host.runtime.run(job)
  // A lost child may have been the machine's fault; once more decides, and a poisonous export cannot hold up the batch.
  if (!run.ok && run.code === 'RUNTIME_LOST') run = await host.runtime.run(job)
  // The run's message and logs stay here: they come from code that has seen the data.
  if (!run.ok) throw new RefineError('MAP_FAILED', `sandbox ${run.code}`, 'The mapping did not finish')
  return tablesOf(run.output, first)
}
