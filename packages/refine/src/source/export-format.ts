import type { SourceFormat } from '../schema/table-schema.js'
import { separatorLength } from './mail/mail-separator.js'
import { isTarHead } from './tar-header.js'

/** Formats of single files. */
export type ExportFormat =
  | 'json'
  | 'jsonl'
  | 'csv'
  | 'parquet'
  | 'sqlite'
  | 'gpx'
  | 'tcx'
  | 'fit'
  | 'health'
  | 'mbox'
  | 'message'
  | 'zip'
  | 'tar'
  | 'gzip'

/** The file formats that a refiner's source takes; archives and gzip are opened for all of them. */
export const formatsOf: Readonly<Record<SourceFormat, readonly ExportFormat[]>> = {
  json: ['json'],
  csv: ['csv'],
  jsonl: ['jsonl'],
  rows: ['csv', 'jsonl', 'json', 'parquet', 'sqlite'],
  activity: ['gpx', 'tcx', 'fit'],
  health: ['health'],
  mail: ['mbox', 'message'],
  archive: ['json', 'jsonl', 'csv', 'parquet', 'sqlite', 'gpx', 'tcx', 'fit', 'health', 'mbox', 'message'],
}

const mediaTypes: Readonly<Record<string, ExportFormat>> = {
  'application/json': 'json',
  'application/jsonl': 'jsonl',
  'application/x-ndjson': 'jsonl',
  'application/json-seq': 'jsonl',
  'text/csv': 'csv',
  'application/vnd.apache.parquet': 'parquet',
  'application/vnd.sqlite3': 'sqlite',
  'application/x-sqlite3': 'sqlite',
  'application/gpx+xml': 'gpx',
  'application/vnd.garmin.tcx+xml': 'tcx',
  'application/vnd.ant.fit': 'fit',
  'application/mbox': 'mbox',
  'message/rfc822': 'message',
  'application/zip': 'zip',
  'application/x-tar': 'tar',
  'application/gzip': 'gzip',
  'application/x-gzip': 'gzip',
}

const extensions: Readonly<Record<string, ExportFormat>> = {
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  csv: 'csv',
  parquet: 'parquet',
  sqlite: 'sqlite',
  sqlite3: 'sqlite',
  db: 'sqlite',
  gpx: 'gpx',
  tcx: 'tcx',
  fit: 'fit',
  mbox: 'mbox',
  eml: 'message',
  zip: 'zip',
  tar: 'tar',
  tgz: 'gzip',
  gz: 'gzip',
}

const ascii = new TextDecoder('latin1')

/** What the first bytes say for sure, or undefined. */
function formatOfHead(head: Uint8Array): ExportFormat | undefined {
  const text = ascii.decode(head.subarray(0, 512))
  if (text.startsWith('PK\u0003\u0004') || text.startsWith('PK\u0005\u0006')) return 'zip'
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  if (isTarHead(head)) return 'tar'
  if (text.startsWith('SQLite format 3\u0000')) return 'sqlite'
  if (text.startsWith('PAR1')) return 'parquet'
  if (text.slice(8, 12) === '.FIT') return 'fit'
  return undefined
}

/** What macOS puts beside files where it packs them (AppleDouble, RFC 1740): named like them, `._a.csv`, and no file of theirs. */
function isAppleDouble(head: Uint8Array): boolean {
  return head[0] === 0 && head[1] === 5 && head[2] === 0x16 && head[3] === 7
}

/** What an XML document's beginning says, or undefined. */
function formatOfXml(head: Uint8Array): ExportFormat | undefined {
  const text = ascii.decode(head).replaceAll('\u0000', '')
  if (/<(\w+:)?gpx[\s>]/.test(text)) return 'gpx'
  if (/<(\w+:)?TrainingCenterDatabase[\s>]/.test(text)) return 'tcx'
  if (/<(!DOCTYPE\s+)?HealthData[\s>[]/.test(text)) return 'health'
  return undefined
}

/** Does a mailbox begin here: its separator, and a field of a header (old ones have a `>From ` in front of it)? */
function isMailboxHead(head: Uint8Array): boolean {
  const text = ascii.decode(head)
  const length = separatorLength(text)
  return length > 0 && /^(?:>From [^\n]*\n)?[!-9;-~]+[ \t]*:/.test(text.slice(length))
}

/** How many bytes {@link exportFormat} wants to see. */
export const headBytes = 4096

/**
 * Tells a file's format: binary formats by their first bytes, which cannot be anything else; text by its media type, then by its
 * name's extension, XML by its root element, and a mailbox, which Apple Mail and Thunderbird name without an extension, by its first
 * two lines.
 *
 * @param file - `mediaType` (parameters are ignored) and `name` where known; `head`: the first bytes
 * @returns the format, or undefined when nothing says it
 */
export function exportFormat(file: {
  readonly mediaType?: string | undefined
  readonly name?: string | undefined
  readonly head: Uint8Array
}): ExportFormat | undefined {
  const certain = formatOfHead(file.head)
  if (certain !== undefined) return certain
  if (isAppleDouble(file.head)) return undefined
  const essence = file.mediaType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const typed = Object.hasOwn(mediaTypes, essence) ? mediaTypes[essence] : undefined
  const extension = /\.([a-z0-9]+)$/i.exec(file.name ?? '')?.[1]?.toLowerCase() ?? ''
  const named = Object.hasOwn(extensions, extension) ? extensions[extension] : undefined
  const found = typed ?? (/^application\/[a-z0-9!#$&^_.-]{1,64}\+json$/.test(essence) ? 'json' : named)
  // Said to be binary, but the first bytes are not: the reader will say what is wrong.
  if (found !== undefined) return found
  if (['application/xml', 'text/xml'].includes(essence) || extension === 'xml') return formatOfXml(file.head)
  return isMailboxHead(file.head) ? 'mbox' : undefined
}
