import { createHmac, hkdfSync } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, sha256Digest } from '@sealpool/crypto'
import type { JobRuntime, Limits } from '@sealpool/sandbox'
import { type Embedder, requireEmbedder } from '../embedding/embedder.js'
import { RefineError, type RefineErrorCode } from '../errors.js'
import { digestOfRoots, type TableRoot } from '../job/content-digest.js'
import { takesColumns } from '../job/mapped-tables.js'
import type { BundledRefiner } from '../job/refine-batch.js'
import { requireRepeatable } from '../job/require-repeatable.js'
import { createPiiPass, requirePiiKey } from '../pii/pii-pass.js'
import { parseRefinerSchema } from '../schema/parse-schema.js'
import { schemaId } from '../schema/schema-id.js'
import { tableOf } from '../schema/table-of.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import type { SourceReaders } from '../source/open-export.js'
import { fullLimits, type SourceLimits } from '../source/source-limits.js'
import { platformReaders } from '../with-platform.js'
import { checkNoneMissing, checkUnchanged } from './done-inputs.js'
import { type OpenFile, openFile } from './file-source.js'
import { lockJob } from './job-lock.js'
import { arePartsWhole, type InputRecord, openJobFolder, type TablePart, writeWhole } from './journal.js'
import { makeFolder } from './make-folder.js'
import { createPartWriter, type PartWriter } from './parquet-part.js'
import { type InputSettings, type JobInput, refineInput } from './refine-input.js'
import { type LeafFile, rootOfRuns } from './root-of-runs.js'
import { journalPlace } from './sqlite-journal.js'

/** How far a job is. */
export interface JobProgress {
  readonly inputs: number
  readonly inputsDone: number
  /** Bytes of the input under way, and how many of them are read. */
  readonly bytes: number
  readonly bytesDone: number
  /** Rows of the input under way. */
  readonly rows: number
}

/** What {@link runFileJob} takes. */
export interface FileJobOptions {
  readonly refiner: BundledRefiner
  readonly inputs: readonly JobInput[]
  /** Folder of the job: new, empty, or of the same job that was stopped. */
  readonly output: string
  /** Key of the Parquet files, 32 bytes. */
  readonly key: Uint8Array
  /** Where the mapping and its functions run; not needed for a mapping that is data alone. */
  readonly runtime?: JobRuntime
  /** Limits of one run in the sandbox; default 256 MiB, 30 s, 256 MiB of output. */
  readonly limits?: Limits
  /** Limits of one file; default 16 GiB, and otherwise those of `defaultSourceLimits` with 1,000,000,000 records. */
  readonly sourceLimits?: SourceLimits
  readonly readers?: SourceReaders
  /** Secret that makes the content digest a commitment; see `contentDigest`. */
  readonly salt?: Uint8Array
  /** The operator's model, needed where a table has a column of embeddings. */
  readonly embedder?: Embedder
  /** Secret of the pool, where a column's `pii` says `hash`. */
  readonly piiKey?: Uint8Array
  /** Threads that read large CSV and JSONL files; default 2, 0 for none. */
  readonly workers?: number
  /** Bytes of a piece of CSV or JSONL, which becomes a row group; default 1 MiB. */
  readonly pieceBytes?: number
  /** Records that a mapping in the sandbox gets at once; default 5,000. */
  readonly batchRecords?: number
  /** Leave out the content digest: for measurements. Default false. */
  readonly withoutDigest?: boolean
  readonly onProgress?: (progress: JobProgress) => void
}

/** What a job gave. */
export interface FileJobResult {
  readonly schemaId: Digest
  readonly refiner: Digest
  /** See `contentDigest`; null when it was left out. */
  readonly contentDigest: Digest | null
  readonly tables: {
    readonly [table: string]: {
      readonly rows: number
      /** Encrypted Parquet files in the job's folder, in the order of the inputs. */
      readonly parts: readonly {
        readonly file: string
        readonly rows: number
        readonly bytes: number
        readonly digest: string
      }[]
    }
  }
  /** Files that gave no rows at all. */
  readonly refused: readonly { readonly id: string; readonly code: RefineErrorCode; readonly place: string }[]
  /** How many inputs were refined or refused before, by a run that was stopped. */
  readonly resumed: number
  /** Ids of inputs that were done before and refined again, because a file that holds their rows was missing or changed. */
  readonly repaired: readonly string[]
}

const gibibyte = 2 ** 30
const jobSourceLimits: SourceLimits = {
  bytes: 16 * gibibyte,
  depth: 64,
  records: 1_000_000_000,
  columns: 1_000,
  fieldLength: 1024 * 1024,
}
const runLeaves = 262_144
const numberOf = (index: number) => String(index).padStart(6, '0')

function checkJob(options: FileJobOptions): RefinerSchema {
  const { refiner, inputs, key, workers = 2, pieceBytes = 1 << 20, batchRecords = 5_000 } = options
  if (key.length !== 32) throw new RefineError('ARGUMENT_INVALID', 'key', 'The Parquet key must be 32 bytes')
  if (sha256Digest(new TextEncoder().encode(refiner.code)) !== refiner.digest) {
    throw new RefineError('REFINER_MISMATCH', 'refiner.code', "The refiner's code does not have its digest")
  }
  for (const [name, value, least, most] of [
    ['workers', workers, 0, 64],
    ['pieceBytes', pieceBytes, 1, 2 ** 28],
    ['batchRecords', batchRecords, 1, 1_000_000],
    ['inputs', inputs.length, 0, 999_999],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new RefineError('ARGUMENT_INVALID', name, `Expected an integer from ${least} to ${most}`)
    }
  }
  const ids = new Set<string>()
  for (const [index, { id, contributor }] of inputs.entries()) {
    if (ids.has(id) || !Number.isSafeInteger(contributor) || contributor < 0) {
      throw new RefineError(
        'ARGUMENT_INVALID',
        `inputs[${index}]`,
        'Every input needs its own id and an integer contributor from 0',
      )
    }
    ids.add(id)
  }
  return parseRefinerSchema(refiner.schema)
}

/** The digest fixes the code and the code fixes the schema; a schema from elsewhere must be the same one. */
async function checkDescribed(options: FileJobOptions, schema: RefinerSchema, limits: Limits): Promise<void> {
  const { runtime, refiner } = options
  if (runtime === undefined) {
    if (
      schema.direct === undefined ||
      Object.values(schema.direct.columns).some(({ by }) => by !== undefined)
    ) {
      const remedy = 'The mapping is code or names functions: give a runtime'
      throw new RefineError('ARGUMENT_INVALID', 'runtime', remedy)
    }
    return
  }
  requireRepeatable(runtime)
  const described = await runtime.run({ code: refiner.code, entry: 'describe', input: null, limits })
  const own = described.ok ? parseRefinerSchema(described.output) : undefined
  if (own === undefined || JSON.stringify(own) !== JSON.stringify(schema)) {
    throw new RefineError(
      'REFINER_MISMATCH',
      'refiner.schema',
      'The refiner describes another schema than given',
    )
  }
}

/**
 * Refines files into encrypted Parquet, one part per table and file, under one content digest. The job can be stopped at any moment,
 * also by SIGKILL, and started again with the same arguments: files that were done stay done, and the digest is the same as without
 * the stop; what they had written is held against its size and digest, and made again where it is missing or another. A file gives all of its rows or none; what is refused is reported with its place and costs the others nothing.
 * Memory does not grow with the size of CSV, JSONL, XML, mail or archives. One run at a time has the folder; a run that was killed does not
 * keep it.
 *
 * @param options - see {@link FileJobOptions}
 * @returns tables, refusals, digests; the same stands in `refined.json` of the folder
 * @throws RefineError with `ARGUMENT_INVALID` (also when the folder cannot be made), `REFINER_MISMATCH`, `EMBEDDER_MISSING`, `EMBEDDER_MISMATCH`, `EMBEDDER_FAILED`, `SCHEMA_INVALID`, `JOB_INVALID`
 *   (the folder is of another job or damaged, another run works on it, an input that was done has changed or is missing); the system's error when the
 *   folder cannot be written
 *
 * @example
 * ```ts no-run
 * const job = await runFileJob({ refiner, inputs: [{ id: 'a', path: 'a.csv', contributor: 0 }], output: 'out', key, runtime })
 * console.log(job.contentDigest, job.refused)
 * ```
 */
export async function runFileJob(options: FileJobOptions): Promise<FileJobResult> {
  const schema = checkJob(options)
  requireEmbedder(schema, options.embedder)
  requirePiiKey(schema, options.piiKey)
  const { output } = options
  const limits = options.limits ?? { memoryBytes: 256 * 2 ** 20, timeMs: 30_000, outputBytes: 256 * 2 ** 20 }
  await checkDescribed(options, schema, limits)
  await makeFolder(output, { place: 'output' })
  const lock = await lockJob(output)
  let result: FileJobResult
  try {
    result = await runLocked(options, schema, limits)
  } catch (error) {
    // What went wrong first is told.
    await lock.release().catch(() => undefined)
    throw error
  }
  await lock.release()
  return result
}

/** The job, once its folder is nobody else's. */
async function runLocked(
  options: FileJobOptions,
  schema: RefinerSchema,
  limits: Limits,
): Promise<FileJobResult> {
  const { refiner, inputs, output, key, salt = new Uint8Array(), onProgress, withoutDigest = false } = options
  const sourceLimits = fullLimits(options.sourceLimits ?? jobSourceLimits)
  const leafKey = new Uint8Array(hkdfSync('sha256', key, salt, 'sealpool/refine/leaves', 32))
  const { batchRecords = 5_000, pieceBytes = 1 << 20, runtime } = options
  const piiKey = requirePiiKey(schema, options.piiKey) // Hashes under two keys are no hashes of one table.
  const pii = piiKey && createHmac('sha256', leafKey).update('pii').update(piiKey).digest('hex')
  const terms = {
    refiner: refiner.digest,
    schema: schemaId(schema),
    refinerVersion: schema.version,
    check: createHmac('sha256', leafKey).update('check').digest('hex'),
    settings: JSON.stringify({ sourceLimits, batchRecords, pieceBytes, withoutDigest, pii }),
  }
  const done = await openJobFolder(output, terms, Object.keys(schema.tables))
  const mapsColumns =
    schema.direct === undefined &&
    runtime !== undefined &&
    (await takesColumns({ code: refiner.code, runtime, limits }, schema))
  checkNoneMissing(done, inputs.length)
  const records: InputRecord[] = []
  const repaired: string[] = []
  for (const [index, input] of inputs.entries()) {
    const settings: InputSettings = {
      schema,
      limits: sourceLimits,
      readers: platformReaders(options.readers),
      host: runtime === undefined ? undefined : { code: refiner.code, runtime, limits },
      pass: createPiiPass(options.piiKey === undefined ? {} : { key: options.piiKey }),
      embedder: options.embedder,
      salt,
      workers: options.workers ?? 2,
      pieceBytes,
      batchRecords,
      digest: !withoutDigest,
      mapsColumns,
      progress: (bytesDone, rows) =>
        onProgress?.({ inputs: inputs.length, inputsDone: index, bytes: size, bytesDone, rows }),
    }
    let size = 0
    const file = await openFile(input.path).catch((error: unknown) => {
      if (error instanceof RefineError) return undefined
      throw error
    })
    size = file?.size ?? 0
    try {
      let before = done.get(index)
      if (before !== undefined) {
        checkUnchanged(before, input, file)
        if (!(await arePartsWhole(output, numberOf(index), before.tables))) {
          // Without its record the rest of the input's files is what a killed job left.
          await unlink(join(output, `${numberOf(index)}.json`))
          before = undefined
          repaired.push(input.id)
        }
      }
      records.push(
        before ??
          (await refineFile(file, input, {
            index,
            settings,
            options: { output, key, leafKey },
          })),
      )
    } finally {
      await file?.close()
    }
    onProgress?.({ inputs: inputs.length, inputsDone: index + 1, bytes: size, bytesDone: size, rows: 0 })
  }
  const result = await summary(records, {
    schema,
    refiner,
    output,
    leafKey,
    salt,
    withoutDigest,
    resumed: done.size - repaired.length,
    repaired,
  })
  await writeWhole(
    output,
    'refined.json',
    `${JSON.stringify({ format: 'sealpool/refined', version: 1, ...result, resumed: undefined, repaired: undefined }, null, 2)}\n`,
  )
  return result
}

async function refineFile(
  file: OpenFile | undefined,
  input: JobInput,
  where: {
    readonly index: number
    readonly settings: InputSettings
    readonly options: { readonly output: string; readonly key: Uint8Array; readonly leafKey: Uint8Array }
  },
): Promise<InputRecord> {
  const { index, settings } = where
  const { output, key, leafKey } = where.options
  const number = numberOf(index)
  const parts = new Map<string, PartWriter>()
  const told = {
    id: input.id,
    contributor: input.contributor,
    bytes: file?.size ?? 0,
    modified: file?.modified ?? 0,
  }
  const base = { format: 'sealpool/refined-input', version: 1, input: told } as const
  let record: InputRecord
  let lasting = file !== undefined
  try {
    if (file === undefined)
      throw new RefineError('ARGUMENT_INVALID', 'input', 'The input is no regular file that can be read')
    for (const name of Object.keys(settings.schema.tables)) {
      const table = tableOf(settings.schema, name)
      parts.set(name, await createPartWriter({ folder: output, number, table, key, leafKey, runLeaves }))
    }
    await refineInput(file, input, settings, parts)
    const tables: Record<string, TablePart> = {}
    for (const [name, part] of parts) tables[name] = await part.finish()
    record = { ...base, tables }
  } catch (error) {
    for (const part of parts.values()) await part.abandon()
    // A model that does not work is no fault of the file.
    if (!(error instanceof RefineError) || error.code === 'EMBEDDER_FAILED') throw error
    // What stands beside a file goes away without a change of the file.
    if (error.place === journalPlace) lasting = false
    record = { ...base, refused: { code: error.code, place: error.place }, tables: {} }
  }
  // What could not be read may be the next time.
  if (lasting) await writeWhole(output, `${number}.json`, JSON.stringify(record))
  return record
}

async function summary(
  records: readonly InputRecord[],
  job: {
    readonly schema: RefinerSchema
    readonly refiner: BundledRefiner
    readonly output: string
    readonly leafKey: Uint8Array
    readonly salt: Uint8Array
    readonly withoutDigest: boolean
    readonly resumed: number
    readonly repaired: readonly string[]
  },
): Promise<FileJobResult> {
  const tables: Record<string, FileJobResult['tables'][string]> = {}
  const roots: TableRoot[] = []
  for (const name of Object.keys(job.schema.tables)) {
    const parts = records.flatMap(({ tables: given }, index) => {
      const part = Object.hasOwn(given, name) ? given[name] : undefined
      return part === undefined ? [] : [{ part, name: `${numberOf(index)}.${name}` }]
    })
    const rows = parts.reduce((sum, { part }) => sum + part.rows, 0)
    tables[name] = {
      rows,
      parts: parts.map(({ part: { file, rows: count, bytes, digest } }) => ({
        file,
        rows: count,
        bytes,
        digest,
      })),
    }
    if (job.withoutDigest) continue
    const files: LeafFile[] = parts.map(({ part, name: own }) => ({
      path: join(job.output, `${own}.leaves`),
      name: own,
      runs: part.runs,
    }))
    const { root, leaves } = await rootOfRuns(files, job.leafKey, { folder: job.output })
    if (leaves !== rows)
      throw new RefineError('JOB_INVALID', name, 'Rows and hashes of the job differ; begin the job anew')
    roots.push({ name, rows, root })
  }
  return {
    schemaId: schemaId(job.schema),
    refiner: job.refiner.digest,
    contentDigest: job.withoutDigest ? null : digestOfRoots(job.salt, roots),
    tables,
    refused: records.flatMap(({ input, refused }) =>
      refused === undefined ? [] : [{ id: input.id, ...refused }],
    ),
    resumed: job.resumed,
    repaired: job.repaired,
  }
}
