import { canonicalBytes, type JsonValue } from '@sealpool/crypto'
import { isColumnar } from '../columnar/batch-reader.js'
import { countLines } from '../columnar/piece-lines.js'
import { csvHeader } from '../columnar/scan-csv.js'
import { embeddedRows, mappedTable } from '../embedding/embedded-rows.js'
import { type Embedder, hasVectors } from '../embedding/embedder.js'
import { RefineError } from '../errors.js'
import { checkRow } from '../job/check-row.js'
import { applyFunction, directRows, type FunctionHost } from '../job/direct-rows.js'
import { mappedBatch, mappedTables } from '../job/mapped-tables.js'
import type { PiiPass } from '../pii/pii-pass.js'
import { tableOf } from '../schema/table-of.js'
import type { RefinerSchema, Row } from '../schema/table-schema.js'
import { peek } from '../source/byte-source.js'
import { exportFormat, headBytes } from '../source/export-format.js'
import { openSource, type SourceReaders } from '../source/open-export.js'
import { recordChunks } from '../source/record-chunks.js'
import { checkFields, requiredFields } from '../source/required-fields.js'
import type { FullSourceLimits } from '../source/source-limits.js'
import { utf8Chunks } from '../source/text-chunks.js'
import { createPieceMemory, filePieces, type PieceMemory } from './file-pieces.js'
import type { OpenFile } from './file-source.js'
import { sha256 } from './leaf-hash.js'
import type { PartWriter } from './parquet-part.js'
import type { PieceResult, WorkerData } from './piece-message.js'
import { createPieceReader } from './piece-pool.js'
import type { MapRecords } from './read-piece.js'
import { requireNoJournal } from './sqlite-journal.js'

/** One file of a job. */
export interface JobInput {
  /** Name in reports; unique in the job. */
  readonly id: string
  readonly path: string
  /** The contributor's integer surrogate, 0 or more. */
  readonly contributor: number
  /** Media type, where known; else the name's extension and the first bytes tell the format. */
  readonly mediaType?: string
  /** Table to read from an SQLite database with several. */
  readonly table?: string
}

/** What all inputs of a job share. */
export interface InputSettings {
  readonly schema: RefinerSchema
  readonly limits: FullSourceLimits
  readonly readers: SourceReaders
  readonly host: FunctionHost | undefined
  readonly pass: PiiPass
  readonly embedder: Embedder | undefined
  readonly salt: Uint8Array
  readonly workers: number
  readonly pieceBytes: number
  /** Records that a mapping in the sandbox gets at once. */
  readonly batchRecords: number
  readonly digest: boolean
  /** Does the refiner's bundle take records by column? Those of earlier versions do not. */
  readonly mapsColumns: boolean
  /** Called as bytes are read and rows are made. */
  readonly progress: (bytes: number, rows: number) => void
}

const functionValues = 20_000

/** How much came before a piece: rows by table, records, lines. */
interface Before {
  readonly rows: Map<string, number>
  records: number
  lines: number
}

/** Refuses with the number in the whole input of a row, record or line instead of its number in a piece. */
function inWholeInput(error: unknown, table: string, before: Before): unknown {
  if (!(error instanceof RefineError)) return error
  const place = error.place
    .replace(/^([a-z0-9_]*)\[(\d+)\]/, (_, name: string, row: string) => {
      const own = name === '' ? table : name
      const rows = own === 'record' && !before.rows.has(own) ? before.records : (before.rows.get(own) ?? 0)
      return `${own}[${Number(row) + rows}]`
    })
    .replace(/^line (\d+)/, (_, line: string) => `line ${Number(line) + before.lines}`)
  return new RefineError(error.code, place, error.message.replace(/ \(at [^)]*\)$/, ''))
}

function needHost(host: FunctionHost | undefined): FunctionHost {
  if (host !== undefined) return host
  throw new RefineError(
    'ARGUMENT_INVALID',
    'runtime',
    'The mapping is code or names functions: give a runtime',
  )
}

/** Pieces of UTF-8, without its mark; UTF-16 is made UTF-8 as it comes. */
async function piecesOf(
  file: OpenFile,
  memory: PieceMemory,
  options: Parameters<typeof recordChunks>[1],
): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
  const [first, second, third] = await file.read(0, Math.min(3, file.size))
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return recordChunks(utf8Chunks(file.stream(options.pieceBytes)), options)
  const isMarked = first === 0xef && second === 0xbb && third === 0xbf
  return filePieces(file, isMarked ? 3 : 0, options, memory)
}

/** Reads CSV or JSON Lines piece by piece into pages. */
async function refineColumns(
  file: OpenFile,
  format: 'csv' | 'jsonl',
  input: JobInput,
  settings: InputSettings,
  parts: ReadonlyMap<string, PartWriter>,
): Promise<void> {
  const { schema, limits, host, salt, workers, pieceBytes, batchRecords, digest, progress } = settings
  if (file.size > limits.bytes) {
    throw new RefineError(
      'LIMIT_EXCEEDED',
      'source',
      `The export is larger than ${limits.bytes} bytes; split it`,
    )
  }
  // As many as there are under way, and one more.
  const memory = createPieceMemory(2 * workers + 2)
  const pieces = await piecesOf(file, memory, {
    quoted: format === 'csv',
    pieceBytes,
    recordBytes: limits.recordBytes,
  })
  const before: Before = {
    rows: new Map(Object.keys(schema.tables).map((name) => [name, 0])),
    records: 0,
    lines: 0,
  }
  let header: readonly string[] = []
  const first = await pieces.next()
  let rest = first.done === true ? undefined : first.value
  if (format === 'csv') {
    if (rest === undefined) throw new RefineError('CSV_HEADER_INVALID', 'line 1', 'The export has no header')
    const found = csvHeader(rest, limits)
    header = found.header
    checkFields(header, requiredFields(schema))
    before.lines = countLines(rest.subarray(0, rest.length - found.rest.length))
    rest = found.rest
  }
  const isCode = schema.direct === undefined
  const data: WorkerData = {
    schema,
    limits,
    contributor: input.contributor,
    format,
    header,
    salt,
    digest,
    ...(isCode ? { batchRecords } : {}),
  }
  const reader = createPieceReader(data, {
    workers: file.size < 4 * pieceBytes ? 0 : workers,
    free: memory.give,
    call: async (calls) => {
      const results: (readonly unknown[])[] = []
      for (const { by, values } of calls) {
        const given: unknown[] = []
        for (let at = 0; at < values.length; at += functionValues) {
          given.push(...(await applyFunction(needHost(host), by, values.slice(at, at + functionValues))))
        }
        results.push(given)
      }
      return results
    },
  })
  const mapFrom =
    (start: Promise<number>, counted: (records: number) => void): MapRecords =>
    async (batch, { before: ahead, total }) => {
      counted(total)
      return mappedBatch(batch, needHost(host), (await start) + ahead)
    }
  let read = 0
  const store = async (result: PieceResult, bytes: number) => {
    before.records += result.records
    before.lines += result.lines
    if (before.records > limits.records) {
      throw new RefineError(
        'LIMIT_EXCEEDED',
        'source',
        `The export has more than ${limits.records} rows; split it`,
      )
    }
    let total = 0
    for (const { table, rows, pages, leaves } of result.tables) {
      const part = parts.get(table)
      if (part !== undefined && rows > 0) {
        await part.append(await part.parquet.encodedRowGroup(pages, rows), rows)
        if (digest) await part.leaves.add(leaves)
        reader.reuse(pages)
      }
      before.rows.set(table, (before.rows.get(table) ?? 0) + rows)
    }
    for (const rows of before.rows.values()) total += rows
    read += bytes
    progress(read, total)
  }
  // Pieces are stored one behind the other in their order, while those behind them are read: the first fault in the export is the one told.
  let stored = Promise.resolve()
  const under: Promise<void>[] = []
  // How many records come before a piece is known when those before it are read, long before they are mapped.
  let start = Promise.resolve(0)
  const give = async (piece: Uint8Array) => {
    if (under.length >= reader.width) await under.shift()
    const bytes = piece.length
    const own = start
    let counted: (records: number) => void = () => undefined
    const count = new Promise<number>((settle) => {
      counted = settle
    })
    start = own.then(async (records) => records + (await count))
    const result = reader.read(piece, mapFrom(own, counted))
    result.then(
      ({ records }) => counted(records),
      // It is waited for in order; a fault that comes early must not be unhandled.
      () => undefined,
    )
    stored = stored.then(async () => {
      const given = await result.catch((error: unknown) => {
        throw inWholeInput(error, schema.direct?.table ?? '', before)
      })
      await store(given, bytes)
    })
    stored.catch(() => undefined)
    under.push(stored)
  }
  try {
    if (rest !== undefined && rest.length > 0) await give(rest)
    for await (const piece of pieces) await give(piece)
  } finally {
    // Also behind a fault of reading: nothing may write to files that are being given up, and a fault before it is the one told.
    try {
      await stored
    } finally {
      await reader.close()
    }
  }
}

/** Reads any format record by record, maps batches, checks every row. */
async function refineRecords(
  file: OpenFile,
  input: JobInput,
  settings: InputSettings,
  parts: ReadonlyMap<string, PartWriter>,
): Promise<void> {
  const { schema, limits, readers, host, pass, salt, batchRecords, digest, progress } = settings
  const zero = Uint8Array.of(0)
  const counts = new Map<string, number>()
  let before = 0
  let total = 0
  const store = async (name: string, given: readonly unknown[]) => {
    const table = tableOf(schema, name)
    const part = parts.get(name)
    if (part === undefined || given.length === 0) return
    const first = counts.get(name) ?? 0
    const mapped = mappedTable(table)
    const own = given.map((row, index) =>
      checkRow(mapped, pass(mapped, row, first + index), input.contributor, first + index),
    )
    const rows: readonly Row[] = await embeddedRows(table, own, { embedder: settings.embedder, first })
    counts.set(name, first + rows.length)
    total += rows.length
    await part.append([await part.parquet.rowGroup(rows)], rows.length)
    if (digest) {
      await part.leaves.add(
        Buffer.concat(rows.map((row) => sha256(zero, salt, canonicalBytes(row as JsonValue)))),
      )
    }
  }
  type Mapped = Readonly<Record<string, readonly unknown[]>>
  const map = async (records: readonly JsonValue[], first: number): Promise<Mapped> => {
    const { direct } = schema
    if (direct === undefined) return mappedTables(records, needHost(host), { first, schema })
    const rows = await directRows(schema, records, host).catch((error: unknown) => {
      throw inWholeInput(error, direct.table, {
        rows: new Map([[direct.table, first]]),
        records: first,
        lines: 0,
      })
    })
    return { [direct.table]: rows }
  }
  // While the sandbox maps a batch, the one before is checked and stored here and the next one is read.
  let under: Promise<Mapped> | undefined
  const settle = async () => {
    const mapped = under
    under = undefined
    for (const [name, rows] of Object.entries((await mapped) ?? {})) await store(name, rows)
    progress(file.size, total)
  }
  const flush = async (records: readonly JsonValue[]) => {
    if (records.length === 0) return
    const next = map(records, before)
    // It is waited for in its turn; a fault that comes early must not be unhandled.
    next.catch(() => undefined)
    before += records.length
    await settle()
    under = next
  }
  let batch: JsonValue[] = []
  const records = openSource({
    source: schema.source,
    bytes: file,
    name: input.path,
    readers,
    limits,
    fields: requiredFields(schema),
    ...(schema.files === undefined ? {} : { files: schema.files }),
    ...(input.mediaType === undefined ? {} : { mediaType: input.mediaType }),
    ...(input.table === undefined ? {} : { table: input.table }),
  })
  for await (const record of records) {
    batch.push(record as JsonValue)
    if (batch.length >= batchRecords) {
      await flush(batch)
      batch = []
    }
  }
  await flush(batch)
  await settle()
}

/** Is there a column whose text a pass over personal data may change? Such rows are made one by one. */
function hasPii({ tables }: RefinerSchema): boolean {
  return Object.values(tables).some(({ columns }) =>
    Object.values(columns).some(({ pii }) => pii !== undefined),
  )
}

/**
 * Refines one file into the parts of its tables.
 *
 * @param file - the file, open
 * @param input - see {@link JobInput}
 * @param settings - see {@link InputSettings}
 * @param parts - a writer per table
 * @throws RefineError when the file is refused
 */
export async function refineInput(
  file: OpenFile,
  input: JobInput,
  settings: InputSettings,
  parts: ReadonlyMap<string, PartWriter>,
): Promise<void> {
  const { schema } = settings
  const { head } = await peek(file, headBytes)
  const format = exportFormat({ name: input.path, head, mediaType: input.mediaType })
  if (format === 'sqlite') await requireNoJournal(input.path)
  const takes = schema.source === 'rows' || schema.source === format
  // Vectors are made of whole rows.
  const byColumn =
    !hasVectors(schema) &&
    (schema.direct === undefined ? settings.mapsColumns && !hasPii(schema) : isColumnar(schema))
  if (takes && byColumn && (format === 'csv' || format === 'jsonl')) {
    await refineColumns(file, format, input, settings, parts)
  } else await refineRecords(file, input, settings, parts)
}
