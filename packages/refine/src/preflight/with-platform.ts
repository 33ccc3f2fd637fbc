import { platformReaders } from '../with-platform.js'
import { type PiiFindings, type PiiPreflightOptions, piiCheck } from './pii-preflight.js'
import type { PreflightExport } from './preflight-finding.js'
import { type SchemaFinding, type SchemaPreflightOptions, schemaCheck } from './schema-preflight.js'

// The public faces of the checks: the same functions with the platform's own decompression where it has one.

/**
 * A preflight check: does an export fit the pool's tables? It is read and mapped as the pool's node does it, and each row is checked by the same
 * functions, so that a file that does not fit stops on the contributor's own machine. The node's limits of time and memory are not tried.
 *
 * @param options see {@link SchemaPreflightOptions}
 * @returns a `PreflightCheck` of `@sealpool/client`; its finding `schema` fails where the node would refuse, and names rows and fields
 * @throws RefineError `REFINER_MISMATCH`, `SCHEMA_INVALID`, `ARGUMENT_INVALID`
 * @example
 * ```ts
 * import { schemaPreflight } from '@sealpool/refine/preflight'
 * const schema = {
 *   id: 'receipts', version: '1.0.0', source: 'csv', notes: [],
 *   tables: { receipts: { description: 'Receipts.', columns: { total: { type: 'decimal', decimals: 2, description: 'Total.' } } } },
 *   direct: { table: 'receipts', columns: { total: { from: 'sum' } } },
 * } as const
 * const bytes = new TextEncoder().encode('sum\n12.50\nmuch\n')
 * const { result, detail } = await schemaPreflight({ refiner: { schema } })({ bytes, mediaType: 'text/csv' })
 * console.assert(result === 'fail' && detail.includes('row 2, field sum'))
 * ```
 */
export function schemaPreflight(
  options: SchemaPreflightOptions,
): (input: PreflightExport, signal?: AbortSignal) => Promise<SchemaFinding> {
  return schemaCheck({ ...options, readers: platformReaders(options.readers) })
}

/**
 * A preflight check: which kinds of personal data stand in which columns and fields, how often, and what the pool does about each. A column that
 * refuses personal data fails; everything else that was found warns, because the sealed file holds the export as it is. The detector finds what
 * has a form; a rare name in a plain sentence passes.
 *
 * @param options see {@link PiiPreflightOptions}
 * @returns a `PreflightCheck` of `@sealpool/client` with the finding `personal-data`, for the contributor's own screen
 * @throws RefineError `REFINER_MISMATCH`, `SCHEMA_INVALID`, `ARGUMENT_INVALID`
 */
export function piiPreflight(
  options: PiiPreflightOptions,
): (input: PreflightExport, signal?: AbortSignal) => Promise<PiiFindings> {
  return piiCheck({ ...options, readers: platformReaders(options.readers) })
}
