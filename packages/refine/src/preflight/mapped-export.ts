import { sha256Digest } from '@sealpool/crypto'
import { DEFAULT_LIMITS, type JobRuntime, type JsonValue, type Limits } from '@sealpool/sandbox'
import { RefineError } from '../errors.js'
import { directRows } from '../job/direct-rows.js'
import { mappedTables } from '../job/mapped-tables.js'
import type { BundledRefiner } from '../job/refine-batch.js'
import { parseRefinerSchema } from '../schema/parse-schema.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import { openSource, type SourceReaders } from '../source/open-export.js'
import { requiredFields } from '../source/required-fields.js'
import { defaultSourceLimits, type SourceLimits } from '../source/source-limits.js'
import type { OnPreflightProgress, PreflightExport } from './preflight-finding.js'

/** What checks of an export go by. */
export interface PreflightOptions {
  /** The pool's refiner. Where its mapping is data without functions, the schema alone is enough. */
  readonly refiner: BundledRefiner | { readonly schema: RefinerSchema }
  /** Where a mapping that is code runs; `createQuickJsRuntime` of `@sealpool/sandbox/quickjs` does it in a browser. */
  readonly runtime?: JobRuntime
  /** Limits of one run over some hundred records; default `DEFAULT_LIMITS` of the sandbox. */
  readonly limits?: Limits
  /** Default `defaultSourceLimits`. */
  readonly sourceLimits?: SourceLimits
  /** Readers for formats other than JSON, JSONL, CSV and FIT. */
  readonly readers?: SourceReaders
  readonly onProgress?: OnPreflightProgress
}

/** Records that follow each other in an export. */
export interface RecordRun {
  /** Number of the first, from 0. */
  readonly first: number
  readonly records: readonly JsonValue[]
}

/** Rows by table as the mapping gives them, not checked. */
export type MappedRows = Readonly<Record<string, readonly unknown[]>>

/** How an export is read and mapped, the way `refineBatch` does it, some hundred records at a time. */
export interface MappedExport {
  readonly schema: RefinerSchema
  /** Records in runs, so that no more than one run is in memory besides the export itself. @throws RefineError of the format's reader */
  read(input: PreflightExport, signal: AbortSignal | undefined): AsyncGenerator<RecordRun, void, undefined>
  /** @throws RefineError when the mapping fails on one of the records */
  map(run: RecordRun): Promise<MappedRows>
}

/** Records of a run: enough that a sandbox is not started for each, few enough that a page stays alive between two runs. */
const runRecords = 256

/**
 * @param options see {@link PreflightOptions}
 * @throws RefineError `REFINER_MISMATCH`, `SCHEMA_INVALID`, `ARGUMENT_INVALID` for a mapping that is code without a runtime
 */
export function mappedExport(options: PreflightOptions): MappedExport {
  const { refiner, runtime, limits = DEFAULT_LIMITS, sourceLimits = defaultSourceLimits, readers } = options
  const code = 'code' in refiner ? refiner.code : undefined
  if ('code' in refiner && sha256Digest(new TextEncoder().encode(refiner.code)) !== refiner.digest) {
    throw new RefineError('REFINER_MISMATCH', 'refiner.code', "The refiner's code does not have its digest")
  }
  const schema = parseRefinerSchema(refiner.schema)
  const host = code === undefined || runtime === undefined ? undefined : { code, runtime, limits }
  const isCode =
    schema.direct === undefined || Object.values(schema.direct.columns).some(({ by }) => by !== undefined)
  if (isCode && host === undefined) {
    throw new RefineError(
      'ARGUMENT_INVALID',
      'runtime',
      'The mapping is code: give the whole refiner and a runtime',
    )
  }
  return {
    schema,
    async *read({ bytes, mediaType }, signal) {
      let first = 0
      let records: JsonValue[] = []
      const read = openSource({
        source: schema.source,
        bytes,
        mediaType,
        limits: sourceLimits,
        fields: requiredFields(schema),
        ...(schema.files === undefined ? {} : { files: schema.files }),
        ...(readers === undefined ? {} : { readers }),
      })
      for await (const record of read) {
        records.push(record)
        if (records.length < runRecords) continue
        yield { first, records }
        signal?.throwIfAborted()
        first += records.length
        records = []
        await options.onProgress?.({ records: first })
      }
      if (records.length === 0) return
      yield { first, records }
      await options.onProgress?.({ records: first + records.length })
    },
    async map({ first, records }) {
      if (schema.direct !== undefined)
        return { [schema.direct.table]: await directRows(schema, records, host) }
      // Checked above.
      if (host === undefined) throw new RefineError('ARGUMENT_INVALID', 'runtime', 'Give a runtime')
      return mappedTables(records, host, { schema, first })
    },
  }
}

const recordNames: Readonly<Record<RefinerSchema['source'], string>> = {
  json: 'document',
  csv: 'row',
  // Not its line: empty lines are none.
  jsonl: 'record',
  rows: 'row',
  activity: 'sample',
  health: 'element',
  mail: 'message',
  archive: 'file',
}

/** @returns what a record of a source is called for people */
export function recordName(source: RefinerSchema['source']): string {
  return recordNames[source]
}
