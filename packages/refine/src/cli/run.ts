import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, open, realpath, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import type { JobRuntime } from '@sealpool/sandbox'
import { bundleRefiner } from '../bundle/index.js'
import { type Embedder, requireEmbedder } from '../embedding/embedder.js'
import { RefineError } from '../errors.js'
import { type FileJobResult, folderInputs, type JobInput, runFileJob } from '../file-job/index.js'
import type { BundledRefiner } from '../job/refine-batch.js'
import { requirePiiKey } from '../pii/pii-pass.js'
import { mockTables } from '../sample/mock-tables.js'
import { toCroissant } from '../schema/croissant.js'
import { toDataDictionary } from '../schema/data-dictionary.js'
import { toDdl } from '../schema/ddl.js'
import { toJsonSchema } from '../schema/json-schema.js'
import { toRowTypes } from '../schema/row-types.js'
import { schemaId } from '../schema/schema-id.js'
import { tableOf } from '../schema/table-of.js'
import { contributorColumn, type RefinerSchema } from '../schema/table-schema.js'
import { exportFormat, headBytes } from '../source/export-format.js'
import { type Arguments, readArguments, UsageError, wholeNumber } from './arguments.js'
import { createFolder } from './create-folder.js'
import { datasetOf } from './dataset-file.js'
import { embedderOf } from './embedder-module.js'
import { openJobKey, secretOf } from './key-file.js'
import { installedReaders } from './readers.js'
import { harmless, progressLine, reportOf } from './report.js'
import { systemFault } from './system-fault.js'
import { usage } from './usage.js'

/** Where the command writes. */
export interface RefineCliIo {
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
  /** May a line be drawn again and again (a terminal)? */
  readonly live: boolean
  /** Told when the process is about to end by a signal: what a command keeps for a moment is removed. */
  readonly signal?: AbortSignal
  /** Files that it writes to, where they are files: never inputs. Numbers of device and inode, as `stat` has them. */
  readonly outputs?: readonly { readonly dev: bigint; readonly ino: bigint }[]
}

/** 0: all done; 1: some files were refused; 2: the command or the refiner is wrong. */
export type RefineCliExitCode = 0 | 1 | 2

async function refinerOf(given: Arguments): Promise<BundledRefiner> {
  const [entry] = given.operands
  if (entry === undefined) throw new UsageError('name the refiner’s module')
  return bundleRefiner({ entry })
}

async function inputsOf(given: Arguments, io: RefineCliIo): Promise<readonly JobInput[]> {
  const contributor = wholeNumber(given, 'contributor', 0, Number.MAX_SAFE_INTEGER)
  const paths = given.operands.slice(1)
  if (paths.length === 0) throw new UsageError('name files or folders')
  const table = given.options.get('table')
  const isOwn = await ownFiles(given)
  const inputs: JobInput[] = []
  const taken = new Set<string>()
  for (const path of paths) {
    const found = await folderInputs(path, { contributor })
    const real = await realpath(path)
    for (const input of found) {
      const place = join(real, relative(path, input.path))
      if (isOwn(place) || (await isOutput(place, io))) continue
      if (taken.has(place))
        throw new UsageError(`${harmless(input.path)} is named twice; its rows would be too`)
      taken.add(place)
      // Two folders may hold one name.
      const id = paths.length === 1 ? input.id : `${path.replace(/\/+$/, '')}/${input.id}`
      inputs.push({ ...input, id, ...(table === undefined ? {} : { table }) })
    }
  }
  if (inputs.length === 0)
    throw new UsageError('every file is the job’s own: name another --out, and write the report elsewhere')
  if (table !== undefined) await requireDatabase(inputs)
  return inputs
}

/** What cannot be looked at is refused as an input, with its name. */
function unlessUnreadable(error: NodeJS.ErrnoException): undefined {
  if (error.syscall === undefined) throw error
}

/** Is a file the one that the report goes to (`sealpool-refine run ... > exports/report.txt`)? */
async function isOutput(path: string, { outputs = [] }: RefineCliIo): Promise<boolean> {
  if (outputs.length === 0) return false
  const own = await stat(path, { bigint: true }).catch(unlessUnreadable)
  return outputs.some((one) => one.dev === own?.dev && one.ino === own.ino)
}

/**
 * Refuses `--table` where none of the files can have tables of that name: CSV, JSON and Parquet hold one table, and are read whatever is named.
 */
async function requireDatabase(inputs: readonly JobInput[]): Promise<void> {
  for (const { path } of inputs) {
    const file = await open(path).catch(unlessUnreadable)
    if (file === undefined) continue
    try {
      const { bytesRead, buffer } = await file.read(new Uint8Array(headBytes), 0, headBytes, 0)
      const format = exportFormat({ name: path, head: buffer.subarray(0, bytesRead) })
      // An archive may have one inside.
      if (format === 'sqlite' || format === 'zip' || format === 'tar' || format === 'gzip') return
    } finally {
      await file.close()
    }
  }
  throw new UsageError(
    '--table names a table of SQLite databases, and none of the files is one: leave it out',
  )
}

/** Which paths are the job's own: its folder, its key, its salt. They may lie among the exports, and the next run must not refine them. */
async function ownFiles(given: Arguments): Promise<(path: string) => boolean> {
  const out = given.options.get('out')
  if (out === undefined) return () => false
  const named = [
    out,
    given.options.get('key-file') ?? `${resolve(out)}.key`,
    given.options.get('salt-file'),
    given.options.get('pii-key-file'),
  ]
  const own: string[] = []
  for (const path of named) {
    // What is not there yet was not found among the exports either.
    const real = path === undefined ? undefined : await realpath(path).catch(() => undefined)
    if (real !== undefined) own.push(real)
  }
  return (path) => own.some((one) => path === one || path.startsWith(one + sep))
}

async function givenEmbedder(given: Arguments): Promise<Embedder | undefined> {
  const path = given.options.get('embedder')
  return path === undefined ? undefined : embedderOf(path)
}

const workersOf = (given: Arguments) => wholeNumber(given, 'workers', 2, 64)

async function runtimeFor(schema: RefinerSchema): Promise<JobRuntime | undefined> {
  const code =
    schema.direct === undefined || Object.values(schema.direct.columns).some(({ by }) => by !== undefined)
  if (!code) return undefined
  const { createProcessRuntime } = await import('@sealpool/sandbox/process')
  return createProcessRuntime({ isolation: 'best' })
}

async function refine(
  given: Arguments,
  io: RefineCliIo,
  job: {
    readonly refiner: BundledRefiner
    readonly inputs: readonly JobInput[]
    readonly out: string
    readonly key: Uint8Array
    readonly salt?: Uint8Array
    readonly piiKey?: Uint8Array
    readonly embedder?: Embedder | undefined
  },
): Promise<RefineCliExitCode> {
  const { inputs, embedder } = job
  const runtime = await runtimeFor(job.refiner.schema)
  const live = io.live && !given.flags.has('json')
  let result: FileJobResult
  try {
    result = await runFileJob({
      refiner: job.refiner,
      inputs,
      output: job.out,
      key: job.key,
      readers: await installedReaders(),
      workers: workersOf(given),
      ...(job.salt === undefined ? {} : { salt: job.salt }),
      ...(job.piiKey === undefined ? {} : { piiKey: job.piiKey }),
      ...(embedder === undefined ? {} : { embedder }),
      ...(runtime === undefined ? {} : { runtime }),
      ...(live ? { onProgress: (progress) => io.writeError(`\r${progressLine(progress)}\u001b[K`) } : {}),
    })
  } finally {
    await runtime?.close()
    if (live) io.writeError('\r\u001b[K')
  }
  io.write(given.flags.has('json') ? `${JSON.stringify(result)}\n` : reportOf(result, inputs.length))
  return result.refused.length > 0 ? 1 : 0
}

async function check(given: Arguments, io: RefineCliIo): Promise<RefineCliExitCode> {
  const refiner = await refinerOf(given)
  const inputs = await inputsOf(given, io)
  const embedder = await givenEmbedder(given)
  const folder = await mkdtemp(join(tmpdir(), 'sealpool-refine-check-'))
  const forget = () => rmSync(folder, { recursive: true, force: true })
  io.signal?.addEventListener('abort', forget)
  try {
    return await refine(given, io, {
      refiner,
      inputs,
      out: join(folder, 'out'),
      key: new Uint8Array(randomBytes(32)),
      // Nothing is kept, so any key shows whether the rows fit.
      piiKey: new Uint8Array(randomBytes(32)),
      embedder,
    })
  } finally {
    io.signal?.removeEventListener('abort', forget)
    await rm(folder, { recursive: true, force: true })
  }
}

async function run(given: Arguments, io: RefineCliIo): Promise<RefineCliExitCode> {
  const out = given.options.get('out')
  if (out === undefined) throw new UsageError('name the folder: --out DIR')
  const refiner = await refinerOf(given)
  // Before a key is made for them.
  workersOf(given)
  const inputs = await inputsOf(given, io)
  const embedder = await givenEmbedder(given)
  requireEmbedder(refiner.schema, embedder)
  const saltFile = given.options.get('salt-file')
  const salt = saltFile === undefined ? undefined : await secretOf(saltFile, 'salt')
  const piiKeyFile = given.options.get('pii-key-file')
  const piiKey = piiKeyFile === undefined ? undefined : await secretOf(piiKeyFile, 'pool key')
  if (requirePiiKey(refiner.schema, piiKey ?? new Uint8Array(32)) !== undefined && piiKey === undefined)
    throw new UsageError('a column says hash: name a file with a secret of the pool by --pii-key-file')
  const { key, made } = await openJobKey(out, given.options.get('key-file'))
  if (made !== undefined && !given.flags.has('json'))
    io.writeError(`made a key in ${harmless(made)}; without it the tables do not open\n`)
  return refine(given, io, {
    refiner,
    inputs,
    out,
    key,
    embedder,
    ...(salt === undefined ? {} : { salt }),
    ...(piiKey === undefined ? {} : { piiKey }),
  })
}

const csvCell = (value: unknown) => {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

async function mock(given: Arguments, io: RefineCliIo): Promise<RefineCliExitCode> {
  const format = given.options.get('format') ?? 'json'
  if (!['json', 'jsonl', 'csv'].includes(format)) throw new UsageError('--format is json, jsonl or csv')
  const rows = wholeNumber(given, 'rows', 10, 1_000_000)
  const { schema } = await refinerOf(given)
  const table = given.options.get('table')
  const names = table === undefined ? Object.keys(schema.tables) : [table]
  if (names.some((name) => !Object.hasOwn(schema.tables, name)))
    throw new UsageError(`--table is one of ${Object.keys(schema.tables).join(', ')}`)
  if (format === 'csv' && names.length > 1) throw new UsageError('CSV holds one table: name it by --table')
  const made = mockTables(schema, { seed: given.options.get('seed') ?? 'mock', rows })
  const tables = Object.fromEntries(names.map((name) => [name, made[name] ?? []]))
  if (format === 'json') io.write(`${JSON.stringify(tables, null, 2)}\n`)
  for (const [name, mocked] of format === 'json' ? [] : Object.entries(tables)) {
    if (format === 'csv') {
      // Of the schema: a table without rows has a header too.
      io.write(`${[contributorColumn, ...Object.keys(tableOf(schema, name).columns)].join(',')}\n`)
      for (const row of mocked) io.write(`${Object.values(row).map(csvCell).join(',')}\n`)
    } else for (const row of mocked) io.write(`${JSON.stringify({ table: name, ...row })}\n`)
  }
  return 0
}

async function describe(given: Arguments, io: RefineCliIo): Promise<RefineCliExitCode> {
  const forms: Readonly<Record<string, (schema: RefinerSchema) => string | Promise<string>>> = {
    duckdb: (schema) => toDdl(schema, 'duckdb'),
    postgresql: (schema) => toDdl(schema, 'postgresql'),
    sqlite: (schema) => toDdl(schema, 'sqlite'),
    'json-schema': (schema) => `${JSON.stringify(toJsonSchema(schema), null, 2)}\n`,
    croissant: async (schema) => {
      const { dataset, missing } = await datasetOf(given.options.get('dataset'), schema)
      if (missing.length > 0) {
        io.writeError(
          `Croissant asks for ${missing.join(', ')} as well: give a JSON file with them by --dataset FILE\n`,
        )
      }
      return `${JSON.stringify(toCroissant(schema, dataset), null, 2)}\n`
    },
    types: toRowTypes,
    dictionary: toDataDictionary,
    id: (schema) => `${schemaId(schema)}\n`,
  }
  const name = given.options.get('as') ?? ''
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined
  if (form === undefined) throw new UsageError(`--as is one of ${Object.keys(forms).join(', ')}`)
  if (given.options.has('dataset') && name !== 'croissant')
    throw new UsageError('--dataset belongs to --as croissant')
  io.write(await form((await refinerOf(given)).schema))
  return 0
}

async function create(given: Arguments, io: RefineCliIo): Promise<RefineCliExitCode> {
  const [folder] = given.operands
  if (folder === undefined || given.operands.length > 1) throw new UsageError('name one new folder')
  const files = (await createFolder(folder)).map((path) => join(folder, path))
  if (given.flags.has('json')) io.write(`${JSON.stringify({ files })}\n`)
  else for (const path of files) io.write(`${harmless(path)}\n`)
  return 0
}

/** The version of this package, from its manifest. */
function ownVersion(): string {
  const { version } = createRequire(import.meta.url)('@sealpool/refine/package.json') as {
    readonly version: string
  }
  return version
}

function toldError(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof UsageError) return { code: 'OPTION_INVALID', message: error.message }
  if (error instanceof RefineError) return { code: error.code, message: error.message }
  return { code: 'SYSTEM_FAULT', message: systemFault(error) }
}

/**
 * The `sealpool-refine` command.
 *
 * @param args - words behind the program's name
 * @param io - where it writes
 * @returns the exit code; errors are printed, never thrown
 */
export async function runRefineCli(args: readonly string[], io: RefineCliIo): Promise<RefineCliExitCode> {
  const words = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined)
  if ((args.length === 1 && args[0] === 'help') || words.includes('--help') || words.includes('-h')) {
    io.write(usage)
    return 0
  }
  if (args.length === 1 && ['--version', 'version'].includes(args[0] ?? '')) {
    io.write(`sealpool-refine ${ownVersion()}\n`)
    return 0
  }
  if (args.length === 0) {
    io.writeError(usage)
    return 2
  }
  try {
    const given = readArguments(args)
    const commands: Readonly<Record<string, typeof run>> = { run, check, mock, describe, create }
    return (await commands[given.command]?.(given, io)) ?? 2
  } catch (error) {
    // Programs read standard output: with --json they find there that there is no result.
    if (words.includes('--json')) io.write(`${JSON.stringify({ error: toldError(error) })}\n`)
    if (error instanceof UsageError)
      io.writeError(`sealpool-refine: ${error.message}\nTry: sealpool-refine --help\n`)
    else if (error instanceof RefineError) {
      io.writeError(`sealpool-refine: ${error.code}: ${harmless(error.message)}\n`)
      // What the bundler says is about the builder's own module, line by line.
      if (error.code === 'BUNDLE_FAILED' && error.cause instanceof Error)
        for (const line of error.cause.message.split('\n')) io.writeError(`  ${harmless(line)}\n`)
    } else io.writeError(`sealpool-refine: ${systemFault(error)}\n`)
    return 2
  }
}
