import { type Digest, sha256Digest } from '@sealpool/crypto'
import type { JobRuntime, JsonValue, Limits } from '@sealpool/sandbox'
import { embeddedRows, mappedTable } from '../embedding/embedded-rows.js'
import { type Embedder, requireEmbedder } from '../embedding/embedder.js'
import { RefineError, type RefineErrorCode } from '../errors.js'
import { createPiiPass, type PiiPass, requirePiiKey } from '../pii/pii-pass.js'
import { parseRefinerSchema } from '../schema/parse-schema.js'
import { schemaId } from '../schema/schema-id.js'
import { tableOf } from '../schema/table-of.js'
import type { RefinerSchema, Row } from '../schema/table-schema.js'
import { openSource, type SourceReaders } from '../source/open-export.js'
import { requiredFields } from '../source/required-fields.js'
import { defaultSourceLimits, type SourceLimits } from '../source/source-limits.js'
import { checkRow } from './check-row.js'
import { contentDigest } from './content-digest.js'
import { directRows } from './direct-rows.js'
import { mappedTables } from './mapped-tables.js'
import { requireRepeatable } from './require-repeatable.js'

/** A refiner as a pool approves it: code, digest of the code, and the schema that the code describes. */
export interface BundledRefiner {
  /** Classic script that sets `globalThis.sealpool` with the entries `refine` and `describe`. */
  readonly code: string
  /** SHA-256 of the code's UTF-8 bytes. */
  readonly digest: Digest
  /** What `describe` returns. */
  readonly schema: RefinerSchema
}

/** One opened contribution. */
export interface RefineContribution {
  /** Identifier in the caller's world; refusals name it. */
  readonly id: string
  /** The contributor's integer surrogate, 0 or more. */
  readonly contributor: number
  /** Media type from the sealed file's context. */
  readonly mediaType: string
  /** Name of the file, where known: its extension helps where the media type says nothing. */
  readonly name?: string
  /** The plaintext. */
  readonly bytes: Uint8Array
}

/** Why a contribution has no rows. */
export interface Refusal {
  readonly id: string
  readonly code: RefineErrorCode
  /** Where, without any private value. */
  readonly place: string
}

/** What a batch gave. */
export interface RefinedBatch {
  /** Every table of the schema with its rows, in the order of the contributions. */
  readonly tables: { readonly [table: string]: readonly Row[] }
  /** Contributions that gave no rows at all, in the order of the batch. */
  readonly refused: readonly Refusal[]
  /** See {@link contentDigest}. */
  readonly contentDigest: Digest
}

/** What {@link refineBatch} takes. */
export interface RefineBatchOptions {
  readonly refiner: BundledRefiner
  /** Where the mapping runs; every contribution gets a fresh context of its own. */
  readonly runtime: JobRuntime
  /** Limits of one contribution's run. */
  readonly limits: Limits
  readonly contributions: readonly RefineContribution[]
  /** Limits of one export; default {@link defaultSourceLimits}. */
  readonly sourceLimits?: SourceLimits
  /** Most rows that one contribution may give, over all tables; default 100,000. */
  readonly rowsPerContribution?: number
  /** Readers for formats other than JSON, JSONL, CSV and FIT. */
  readonly readers?: SourceReaders
  /** Secret of the pool, 32 bytes or more: needed where a column's `pii` says `hash`. */
  readonly piiKey?: Uint8Array
  /** The operator's model, needed where a table has a column of embeddings. */
  readonly embedder?: Embedder
  /** Secret that makes `contentDigest` a commitment; see {@link contentDigest}. */
  readonly salt?: Uint8Array
}

const defaultRowsPerContribution = 100_000

function checkArguments({ contributions, refiner }: RefineBatchOptions): void {
  if (sha256Digest(new TextEncoder().encode(refiner.code)) !== refiner.digest) {
    throw new RefineError('REFINER_MISMATCH', 'refiner.code', "The refiner's code does not have its digest")
  }
  const ids = new Set<string>()
  for (const [index, { id, contributor }] of contributions.entries()) {
    if (ids.has(id)) {
      throw new RefineError('ARGUMENT_INVALID', `contributions[${index}].id`, 'Two contributions have one id')
    }
    if (!Number.isSafeInteger(contributor) || contributor < 0) {
      throw new RefineError(
        'ARGUMENT_INVALID',
        `contributions[${index}].contributor`,
        'A contributor must be an integer from 0',
      )
    }
    ids.add(id)
  }
}

/** The digest fixes the code and the code fixes the schema; a schema from elsewhere must be the same one. */
async function checkDescribed({ refiner, runtime, limits }: RefineBatchOptions): Promise<RefinerSchema> {
  const schema = parseRefinerSchema(refiner.schema)
  requireRepeatable(runtime)
  const described = await runtime.run({ code: refiner.code, entry: 'describe', input: null, limits })
  if (!described.ok) {
    throw new RefineError(
      'REFINER_MISMATCH',
      'refiner.code',
      `The refiner does not describe itself (${described.code})`,
    )
  }
  const own = parseRefinerSchema(described.output)
  const direct = ({ direct: mapping, fields, files }: RefinerSchema) =>
    JSON.stringify([mapping ?? null, fields ?? null, files ?? null])
  if (
    schemaId(own) !== schemaId(schema) ||
    own.source !== schema.source ||
    own.version !== schema.version ||
    direct(own) !== direct(schema)
  ) {
    throw new RefineError(
      'REFINER_MISMATCH',
      'refiner.schema',
      'The refiner describes another schema than given',
    )
  }
  return own
}

async function recordsOf(
  contribution: RefineContribution,
  schema: RefinerSchema,
  options: RefineBatchOptions,
) {
  const { sourceLimits = defaultSourceLimits, readers } = options
  const { mediaType, name, bytes } = contribution
  const records: JsonValue[] = []
  for await (const record of openSource({
    source: schema.source,
    bytes,
    mediaType,
    limits: sourceLimits,
    fields: requiredFields(schema),
    ...(schema.files === undefined ? {} : { files: schema.files }),
    ...(name === undefined ? {} : { name }),
    ...(readers === undefined ? {} : { readers }),
  })) {
    records.push(record)
  }
  return records
}

async function refineOne(
  contribution: RefineContribution,
  schema: RefinerSchema,
  options: RefineBatchOptions,
  pass: PiiPass,
): Promise<Map<string, Row[]>> {
  const { refiner, runtime, limits, rowsPerContribution = defaultRowsPerContribution } = options
  const records = await recordsOf(contribution, schema, options)
  const given =
    schema.direct === undefined
      ? await mappedTables(records, { code: refiner.code, runtime, limits }, { schema })
      : { [schema.direct.table]: await directRows(schema, records, { code: refiner.code, runtime, limits }) }
  const checked = new Map<string, Row[]>()
  let count = 0
  for (const [name, rows] of Object.entries(given)) {
    if (!Object.hasOwn(schema.tables, name)) {
      throw new RefineError(
        'MAP_OUTPUT_INVALID',
        'output',
        'The mapping returned a table that is not declared',
      )
    }
    count += rows.length
    if (count > rowsPerContribution) {
      throw new RefineError('LIMIT_EXCEEDED', name, 'A contribution gave more rows than allowed')
    }
    const table = tableOf(schema, name)
    const mapped = mappedTable(table)
    const own = rows.map((row, index) =>
      checkRow(mapped, pass(mapped, row, index), contribution.contributor, index),
    )
    checked.set(name, [...(await embeddedRows(table, own, { embedder: options.embedder }))])
  }
  return checked
}

/**
 * Refines a batch; see `refineBatch` of `../with-platform.ts`, which gives the platform's decompression to it.
 *
 * @param options - see {@link RefineBatchOptions}
 * @returns rows by table, refusals by contribution, and the content's digest
 */
export async function refineContributions(options: RefineBatchOptions): Promise<RefinedBatch> {
  checkArguments(options)
  const schema = await checkDescribed(options)
  requireEmbedder(schema, options.embedder)
  requirePiiKey(schema, options.piiKey)
  const tables: Record<string, Row[]> = {}
  for (const name of Object.keys(schema.tables)) tables[name] = []
  const refused: Refusal[] = []
  const pass = createPiiPass(options.piiKey === undefined ? {} : { key: options.piiKey })
  for (const contribution of options.contributions) {
    try {
      for (const [name, rows] of await refineOne(contribution, schema, options, pass)) {
        const into = tables[name]
        for (const row of rows) into?.push(row)
      }
    } catch (error) {
      // A model that does not work is no fault of the contribution.
      if (!(error instanceof RefineError) || error.code === 'EMBEDDER_FAILED') throw error
      refused.push({ id: contribution.id, code: error.code, place: error.place })
    }
  }
  return {
    tables,
    refused,
    contentDigest: contentDigest(tables, options.salt === undefined ? {} : { salt: options.salt }),
  }
}
