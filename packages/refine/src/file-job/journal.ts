/**
 * What a job knows about its inputs, one small file per input: written whole or not at all, after everything that it speaks of is on
 * disk. A job that was killed goes on behind the last of them.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { RefineError, type RefineErrorCode } from '../errors.js'
import { isClaim } from './job-lock.js'
import { leafFileBytes } from './leaf-runs.js'
import { isMergedRun } from './root-of-runs.js'

const run = z.strictObject({ offset: z.int().min(0), leaves: z.int().min(1) })
const tablePart = z.strictObject({
  rows: z.int().min(0),
  file: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  bytes: z.int().min(0),
  runs: z.array(run),
})
const record = z.strictObject({
  format: z.literal('sealpool/refined-input'),
  version: z.literal(1),
  input: z.strictObject({
    id: z.string(),
    contributor: z.int().min(0),
    bytes: z.int().min(0),
    modified: z.number(),
  }),
  refused: z.strictObject({ code: z.string(), place: z.string() }).optional(),
  tables: z.record(z.string(), tablePart),
})

/** Rows of one table out of one input. */
export type TablePart = z.infer<typeof tablePart>

/** What became of one input. */
export interface InputRecord extends Omit<z.infer<typeof record>, 'refused'> {
  readonly refused?: { readonly code: RefineErrorCode; readonly place: string } | undefined
}

/**
 * Writes a file so that it is whole under its name or not there.
 *
 * @param folder - its folder
 * @param name - its name
 * @param text - content
 */
export async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  const temporary = join(folder, `.${name}.${randomBytes(8).toString('hex')}.part`)
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, join(folder, name))
  const directory = await open(folder, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** What fixes a job: everything that its rows and digest depend on besides the inputs. */
export interface JobTerms {
  readonly refiner: string
  readonly schema: string
  readonly refinerVersion: string
  /** HMAC that shows whether key and salt are the same, without telling them. */
  readonly check: string
  /** Limits and settings as JSON. */
  readonly settings: string
}

const jobFile = 'job.json'
/** A file of {@link writeWhole} that was not yet whole. */
const halfText = /^\.(job|refined|\d{6})\.json\.[0-9a-f]{16}\.part$/

/**
 * Is this a file that a job makes besides its records: `half`, because whoever wrote it was stopped, or the rows of an input?
 * Everything else in the folder belongs to somebody else, whatever its name ends with.
 */
function rowsOf(name: string, tables: readonly string[]): 'half' | number | undefined {
  const [, point, number, table, kind] =
    /^(\.?)(\d{6})\.(.+)\.(parquet|leaves|parquet\.part)$/.exec(name) ?? []
  if (number === undefined || table === undefined || !tables.includes(table)) return undefined
  if (point === '.') return kind === 'parquet.part' ? 'half' : undefined
  return kind === 'parquet.part' ? undefined : Number(number)
}

/**
 * Is there a job in a folder? If not, it must be one in which a job can begin.
 *
 * @param folder - path of a folder that is there
 * @returns false where a job can begin
 * @throws RefineError with `JOB_INVALID` for a folder of something else
 */
export async function holdsJob(folder: string): Promise<boolean> {
  const names = await readdir(folder)
  if (names.includes(jobFile)) return true
  // A job that was stopped before it had begun left nothing else.
  if (names.every((name) => isClaim(name) || halfText.test(name))) return false
  throw new RefineError(
    'JOB_INVALID',
    'output',
    'The folder is not empty and holds no job; name another folder',
  )
}

/**
 * Opens a job's folder: goes on with the job that is in it, or begins it. What a killed job left half-written is removed.
 *
 * @param folder - path of a folder that is there and locked
 * @param terms - see {@link JobTerms}
 * @param tables - names of the schema's tables
 * @returns records of the inputs that are done, by input number
 * @throws RefineError with `JOB_INVALID` when the folder holds another job, or something else
 */
export async function openJobFolder(
  folder: string,
  terms: JobTerms,
  tables: readonly string[],
): Promise<Map<number, InputRecord>> {
  const told = JSON.stringify({ format: 'sealpool/refine-job', version: 1, ...terms })
  if (!(await holdsJob(folder))) await writeWhole(folder, jobFile, told)
  else if ((await readFile(join(folder, jobFile), 'utf8')) !== told) {
    throw new RefineError(
      'JOB_INVALID',
      'output',
      'The folder holds a job of another refiner, key, salt or settings; name another folder',
    )
  }
  const names = await readdir(folder)
  const done = new Map<number, InputRecord>()
  for (const name of names) {
    const number = /^(\d{6})\.json$/.exec(name)?.[1]
    if (number !== undefined) {
      const parsed = record.safeParse(await readJson(join(folder, name)))
      if (!parsed.success)
        throw new RefineError('JOB_INVALID', name, 'A record of the job is damaged; begin the job anew')
      done.set(Number(number), parsed.data as InputRecord)
    }
  }
  for (const name of names) {
    const rows = rowsOf(name, tables)
    const half =
      halfText.test(name) || isMergedRun(name) || rows === 'half' || (rows !== undefined && !done.has(rows))
    if (half) await unlink(join(folder, name))
  }
  return done
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return `sha256:${hash.digest('hex')}`
}

/**
 * Do the files of a record stand in the folder as they were written? Parts are held against size and digest; of the hashes, which are
 * encrypted under tags of their own, the size alone.
 *
 * @param folder - of the job
 * @param number - of the input
 * @param tables - of its record
 * @returns false when a file is missing or another
 */
export async function arePartsWhole(
  folder: string,
  number: string,
  tables: InputRecord['tables'],
): Promise<boolean> {
  const sizeOf = async (name: string) => {
    const found = await stat(join(folder, name)).catch(() => undefined)
    return found?.isFile() === true ? found.size : undefined
  }
  for (const [name, part] of Object.entries(tables)) {
    if ((await sizeOf(`${number}.${name}.leaves`)) !== leafFileBytes(part.runs)) return false
    if ((await sizeOf(part.file)) !== part.bytes) return false
    if ((await digestOf(join(folder, part.file))) !== part.digest) return false
  }
  return true
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return undefined
  }
}
