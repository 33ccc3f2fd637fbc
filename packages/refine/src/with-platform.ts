import type { JsonValue } from './define/record-types.js'
import {
  type CheckContributionOptions,
  type ContributionCheck,
  checkOneContribution,
} from './job/check-contribution.js'
import { type RefineBatchOptions, type RefinedBatch, refineContributions } from './job/refine-batch.js'
import { nodeDecompress } from './platform.js'
import { type OpenExportOptions, openSource, type SourceReaders } from './source/open-export.js'

// The public faces of what opens exports: the same functions with the platform's own decompression where it has one.

const decompress = /* @__PURE__ */ nodeDecompress()

/**
 * Readers with the platform's decompression, where none is given.
 *
 * @param readers - default none
 * @returns the same, with `decompress` in Node
 */
export function platformReaders(readers: SourceReaders = {}): SourceReaders {
  const own = readers.decompress ?? decompress
  return own === undefined ? readers : { ...readers, decompress: own }
}

/**
 * Opens an export and gives the records that a refiner's mapping gets, one by one and within limits: a document (`json`), rows
 * (`csv`, `jsonl`, `rows`), samples (`activity`), elements (`health`), messages (`mail`) or files (`archive`). Gzip is undone for
 * all of them. A ZIP or tar archive is a source of `archive`, of which the files that `files` names are opened and no others; for the
 * other sources the files of their formats in it are read, and other files are left alone: of a ZIP archive in the order of their paths,
 * of a tar, which is read as a stream, in its own. An archive without any file to read is refused.
 *
 * @param options - see {@link OpenExportOptions}
 * @returns records as JSON values
 * @throws RefineError with `MEDIA_TYPE_MISMATCH`, `FORMAT_UNKNOWN`, `LIMIT_EXCEEDED`, or what the format's reader throws; inside an
 *   archive `place` begins with the file's number in that order
 *
 * @example
 * ```ts
 * import { openExport } from '@sealpool/refine'
 * const bytes = new TextEncoder().encode('{"steps":1200}\n{"steps":900}\n')
 * for await (const row of openExport({ source: 'rows', bytes, mediaType: 'application/jsonl' })) console.log(row)
 * ```
 */
export function openExport(options: OpenExportOptions): AsyncGenerator<JsonValue, void, undefined> {
  return openSource({ ...options, readers: platformReaders(options.readers) })
}

/**
 * Refines a batch: reads each export on the host, maps it in the sandbox in a context of its own, checks every row
 * against the schema. A contribution gives all of its rows or none; one that is refused costs the others nothing.
 *
 * @param options - see {@link RefineBatchOptions}
 * @returns rows by table, refusals by contribution, and the content's digest
 * @throws RefineError with `REFINER_MISMATCH`, `SCHEMA_INVALID` or `ARGUMENT_INVALID` when the call itself is wrong; what
 *   the runtime throws when it is not usable
 */
export async function refineBatch(options: RefineBatchOptions): Promise<RefinedBatch> {
  return refineContributions({ ...options, readers: platformReaders(options.readers) })
}

/**
 * Would a refiner take this contribution? Does what {@link refineBatch} does with it, and gives none of its rows: whoever judges contributions
 * finds out before anything is paid, and needs no secret of the pool for it. The answer is the same on every machine, but for `byClock`.
 *
 * @param options - see {@link CheckContributionOptions}
 * @returns how many rows it gives, or why `refineBatch` would refuse it
 * @throws RefineError with `REFINER_MISMATCH`, `SCHEMA_INVALID` or `ARGUMENT_INVALID` when the call itself is wrong; what
 *   the runtime throws when it is not usable
 *
 * @example
 * ```ts no-run
 * const check = await checkContribution({ refiner, runtime, limits, contribution: { mediaType: 'text/csv', bytes } })
 * if (!check.ok) console.log(check.code, check.place)
 * ```
 */
export async function checkContribution(options: CheckContributionOptions): Promise<ContributionCheck> {
  return checkOneContribution({ ...options, readers: platformReaders(options.readers) })
}
