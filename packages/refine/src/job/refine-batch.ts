import type { Digest } from '@sealpool/crypto'
import type { JobRuntime, Limits } from '@sealpool/sandbox'
import { type Embedder, requireEmbedder } from '../embedding/embedder.js'
import { RefineError, type RefineErrorCode } from '../errors.js'
import { createPiiPass, requirePiiKey } from '../pii/pii-pass.js'
import type { RefinerSchema, Row } from '../schema/table-schema.js'
import type { SourceReaders } from '../source/open-export.js'
import type { SourceLimits } from '../source/source-limits.js'
import { contentDigest } from './content-digest.js'
import { describedSchema } from './described-schema.js'
import { refineOne } from './refine-one.js'

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

function checkArguments({ contributions }: RefineBatchOptions): void {
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

/**
 * Refines a batch; see `refineBatch` of `../with-platform.ts`, which gives the platform's decompression to it.
 *
 * @param options - see {@link RefineBatchOptions}
 * @returns rows by table, refusals by contribution, and the content's digest
 */
export async function refineContributions(options: RefineBatchOptions): Promise<RefinedBatch> {
  checkArguments(options)
  const schema = await describedSchema(options)
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
