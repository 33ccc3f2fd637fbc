import { asJson, type JsonForm } from '@sealpool/crypto'
import type { ArchiveFile, JsonValue } from '../define/record-types.js'
import { RefineError } from '../errors.js'
import type { SourceFormat } from '../schema/table-schema.js'
import { fitSamples } from './activity/fit.js'
import { trackSamples } from './activity/track-xml.js'
import type { ArchiveEntry } from './archive-entry.js'
import { type ByteSource, bounded, chunksOf, peek, randomAccessOf, wholeOf } from './byte-source.js'
import { csvRows } from './csv-rows.js'
import { joinedText } from './decode-text.js'
import { type ExportFormat, exportFormat, formatsOf, headBytes } from './export-format.js'
import { healthRecords } from './health-records.js'
import { type Decompress, type Expansion, inflate } from './inflate.js'
import { parseJsonText } from './json-source.js'
import { jsonLines } from './jsonl-source.js'
import { type MimeReader, mailboxMessages, mailMessage } from './mail/mailbox.js'
import { pathMatcher } from './path-pattern.js'
import { checkFields, type RequiredField } from './required-fields.js'
import { defaultSourceLimits, type FullSourceLimits, fullLimits, type SourceLimits } from './source-limits.js'
import { isSystemFile } from './system-file.js'
import type { TableReader } from './table-reader.js'
import { readTar } from './tar-archive.js'
import { textChunks } from './text-chunks.js'
import type { XmlReader } from './xml-events.js'
import { readZip } from './zip-archive.js'

/** Readers of formats that need a package of their own; give those that the refiner needs. */
export interface SourceReaders {
  /** For GPX, TCX and Apple Health: `saxesReader` of `@sealpool/refine/xml`. */
  readonly xml?: XmlReader
  /** For mail: `postalReader` of `@sealpool/refine/mail`. */
  readonly mime?: MimeReader
  /** For Parquet: `hyparquetReader` of `@sealpool/refine/parquet`. */
  readonly parquet?: TableReader
  /** For SQLite: `createSqliteReader` of `@sealpool/refine/sqlite`. */
  readonly sqlite?: TableReader
  /** For gzip and ZIP; the platform's when absent. */
  readonly decompress?: Decompress
}

/** What {@link openExport} takes. */
export interface OpenExportOptions {
  /** What the refiner reads. */
  readonly source: SourceFormat
  readonly bytes: ByteSource
  /** Media type of the contribution; parameters are ignored. */
  readonly mediaType?: string
  /** The file's name; its extension tells the format where the media type does not. */
  readonly name?: string
  readonly readers?: SourceReaders
  readonly limits?: SourceLimits
  /** Table to read from an SQLite database with several. */
  readonly table?: string
  /** Fields that the table of a CSV, Parquet file or SQLite database must have; see `requiredFields`. Default none. */
  readonly fields?: readonly RequiredField[]
  /** Source `archive`: patterns of the paths that are read, see `RefinerSchema`. Default all. */
  readonly files?: readonly string[]
}

interface Reading {
  readonly source: SourceFormat
  readonly readers: SourceReaders
  readonly limits: FullSourceLimits
  readonly expansion: Expansion
  readonly table: string | undefined
  readonly fields: readonly RequiredField[]
  /** Is a file of an archive read? */
  readonly isRead: (path: string) => boolean
  /** How many files of formats that the source takes were read. */
  readonly taken: { files: number }
}

type Records = AsyncGenerator<JsonValue, void, undefined>

function need<Reader>(reader: Reader | undefined, format: ExportFormat): Reader {
  if (reader !== undefined) return reader
  throw new RefineError('FORMAT_UNKNOWN', 'readers', `No reader for ${format} was given; see SourceReaders`)
}

async function* mailRecords(messages: AsyncIterable<Uint8Array>, reading: Reading): Records {
  const mime = need(reading.readers.mime, 'mbox')
  let number = 0
  for await (const bytes of messages) {
    number += 1
    yield asJson(await mailMessage(bytes, { mime, limits: reading.limits, number }))
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

/** One JSON document; a list of rows where rows are asked for. */
async function* documentRecords(bytes: ByteSource, reading: Reading): Records {
  const { limits, source } = reading
  const document = parseJsonText(await joinedText(textChunks(bounded(chunksOf(bytes), limits.bytes))), limits)
  if (source !== 'rows') {
    yield document
    return
  }
  if (!Array.isArray(document))
    throw new RefineError('JSON_INVALID', 'line 1, column 1', 'Expected a list of rows')
  yield* document
}

async function* asRecords<Item>(
  items: AsyncIterable<Item & JsonForm<Item>> | Iterable<Item & JsonForm<Item>>,
): Records {
  for await (const item of items) yield asJson<Item>(item)
}

/** Rows of a table whose columns are those of its first row. */
async function* tableRecords(
  rows: AsyncIterable<Readonly<Record<string, JsonValue>>>,
  fields: readonly RequiredField[],
): Records {
  let first = true
  for await (const row of rows) {
    if (first) checkFields(Object.keys(row), fields)
    first = false
    yield row
  }
}

function recordsOf(format: ExportFormat, bytes: ByteSource, reading: Reading): Records {
  const { limits, readers, table, fields } = reading
  const chunks = () => bounded(chunksOf(bytes), limits.bytes)
  switch (format) {
    case 'csv':
      return csvRows(chunks(), limits, fields)
    case 'jsonl':
      return jsonLines(chunks(), limits) as Records
    case 'json':
      return documentRecords(bytes, reading)
    case 'gpx':
    case 'tcx':
      return asRecords(trackSamples(format, chunks(), { xml: need(readers.xml, format), limits }))
    case 'health':
      return asRecords(healthRecords(chunks(), { xml: need(readers.xml, format), limits }))
    case 'fit':
      return (async function* () {
        yield* asRecords(fitSamples(await wholeOf(bytes, limits.bytes), limits))
      })()
    case 'mbox':
      return mailRecords(mailboxMessages(chunks(), limits), reading)
    case 'message':
      return (async function* () {
        yield* mailRecords(once(await wholeOf(bytes, limits.recordBytes)), reading)
      })()
    case 'parquet':
    case 'sqlite': {
      const read = need(format === 'parquet' ? readers.parquet : readers.sqlite, format)
      return (async function* () {
        const access = await randomAccessOf(bytes, limits.bytes)
        yield* tableRecords(read(access, limits, table === undefined ? {} : { table }), fields)
      })()
    }
    case 'zip':
    case 'tar':
    case 'gzip':
      throw new RefineError('FORMAT_UNKNOWN', 'source', 'Archives are opened before')
  }
}

const isPacked = (format: ExportFormat): format is 'zip' | 'tar' | 'gzip' =>
  format === 'zip' || format === 'tar' || format === 'gzip'

/** A path's place in a refusal: its number, because a path may name a person. */
function inside(error: unknown, place: string): unknown {
  if (!(error instanceof RefineError)) return error
  const message = error.message.replace(/ \(at [^)]*\)$/, '')
  return new RefineError(error.code, `${place}, ${error.place}`, message)
}

function nothingTaken(source: SourceFormat): RefineError {
  return new RefineError(
    'FORMAT_UNKNOWN',
    'archive',
    `The archive holds no file that the refiner of ${source} reads; is it another export, or are its folders named in another language?`,
  )
}

async function* filesOf(
  format: 'zip' | 'tar',
  bytes: ByteSource,
  { limits, expansion, readers }: Reading,
): AsyncGenerator<ArchiveEntry, void, undefined> {
  if (format === 'zip')
    yield* await readZip(await randomAccessOf(bytes, limits.bytes), limits, expansion, readers.decompress)
  else yield* readTar(bounded(chunksOf(bytes), limits.bytes), limits, expansion)
}

async function* archiveRecords(
  archive: 'zip' | 'tar',
  bytes: ByteSource,
  reading: Reading,
  nesting: number,
): Records {
  const { source } = reading
  const before = reading.taken.files
  let number = 0
  for await (const entry of filesOf(archive, bytes, reading)) {
    number += 1
    const place = `file ${number}`
    // Not opened, not expanded: what is in it is nobody's business here, and no reason to refuse.
    if (isSystemFile(entry.path) || !reading.isRead(entry.path)) continue
    try {
      const { head, source: content } = await peek(entry.open(), headBytes)
      const format = exportFormat({ name: entry.path, head })
      const known = format !== undefined && (isPacked(format) || formatsOf[source].includes(format))
      if (source !== 'archive') {
        if (!known) continue
        yield* opened(format, content, reading, { nesting: nesting + 1, name: entry.path })
        continue
      }
      const records: JsonValue[] = []
      if (known)
        for await (const record of opened(format, content, reading, {
          nesting: nesting + 1,
          name: entry.path,
        }))
          records.push(record)
      // What has no reader is still checked for its size and sum.
      else for await (const _ of chunksOf(content));
      const file: ArchiveFile = {
        path: entry.path,
        format: known ? format : null,
        bytes: entry.size,
        records,
      }
      yield asJson(file)
    } catch (error) {
      throw inside(error, place)
    }
  }
  if (source !== 'archive' && reading.taken.files === before) throw nothingTaken(source)
}

async function* opened(
  format: ExportFormat,
  bytes: ByteSource,
  reading: Reading,
  where: { readonly nesting: number; readonly name: string | undefined },
): Records {
  const { nesting, name } = where
  if (isPacked(format)) {
    if (nesting > reading.limits.nesting) {
      throw new RefineError(
        'LIMIT_EXCEEDED',
        'archive',
        'Archives stand inside each other deeper than the limit',
      )
    }
    if (format !== 'gzip') {
      yield* archiveRecords(format, bytes, reading, nesting)
      return
    }
    const plain = inflate(
      bounded(chunksOf(bytes), reading.limits.bytes),
      'gzip',
      reading.limits,
      reading.expansion,
      reading.readers.decompress,
    )
    const { head, source: content } = await peek(plain, headBytes)
    const inside = name?.replace(/\.tgz$/i, '.tar').replace(/\.gz$/i, '')
    const inner = innerFormat(reading.source, head, inside)
    yield* opened(inner, content, reading, { nesting: nesting + 1, name: inside })
    return
  }
  if (!formatsOf[reading.source].includes(format)) {
    throw new RefineError(
      'MEDIA_TYPE_MISMATCH',
      'mediaType',
      `The refiner reads ${reading.source}, not ${format}`,
    )
  }
  reading.taken.files += 1
  yield* recordsOf(format, bytes, reading)
}

/** What stands in a gzip stream: what its bytes or its name say, else the source's own format. */
function innerFormat(source: SourceFormat, head: Uint8Array, name: string | undefined): ExportFormat {
  const certain = exportFormat({ head, name }) ?? exportFormat({ mediaType: 'application/xml', head })
  const only = formatsOf[source]
  const guessed = certain ?? (only.length === 1 ? only[0] : textFormat(head, only))
  if (guessed === undefined)
    throw new RefineError('FORMAT_UNKNOWN', 'source', 'The compressed export has no known format')
  return guessed
}

/** JSON, JSONL, CSV and mail by their first character. */
function textFormat(head: Uint8Array, allowed: readonly ExportFormat[]): ExportFormat | undefined {
  const text = new TextDecoder('latin1').decode(head).trimStart()
  const order: [ExportFormat, boolean][] = [
    ['mbox', text.startsWith('From ')],
    ['message', /^[!-9;-~]+:/.test(text)],
    ['json', text.startsWith('[')],
    ['jsonl', text.startsWith('{')],
    ['json', text.startsWith('{')],
    ['csv', true],
  ]
  return order.find(([format, holds]) => holds && allowed.includes(format))?.[0]
}

/**
 * Opens an export; see `openExport` of `../with-platform.ts`, which gives the platform's decompression to it.
 *
 * @param options - see {@link OpenExportOptions}
 * @returns records as JSON values
 */
export async function* openSource(options: OpenExportOptions): Records {
  const { source, mediaType, name, readers = {}, table, fields = [], files } = options
  const limits = fullLimits(options.limits ?? defaultSourceLimits)
  const { head, source: bytes } = await peek(options.bytes, headBytes)
  const format = exportFormat({ mediaType, name, head })
  if (format === undefined) {
    throw new RefineError(
      'MEDIA_TYPE_MISMATCH',
      'mediaType',
      `The refiner reads ${source}; the export is of no known format`,
    )
  }
  const taken = { files: 0 }
  const isRead = files === undefined ? () => true : pathMatcher(files)
  const reading = { source, readers, limits, expansion: { bytes: 0 }, table, fields, isRead, taken }
  yield* opened(format, bytes, reading, { nesting: 1, name })
  // One archive of several inside of each other may be of no use; all of them together may not.
  if (source === 'archive' && taken.files === 0) throw nothingTaken(source)
}
