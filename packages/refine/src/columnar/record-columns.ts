/**
 * Records of a piece of CSV or JSON Lines as JSON text by column: what a mapping in the sandbox gets. The bytes of common values are copied as
 * they are; neither an object nor a string is made per record.
 */
import { RefineError } from '../errors.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import type { FullSourceLimits } from '../source/source-limits.js'
import type { FieldTarget } from './field-target.js'
import { scanCsv } from './scan-csv.js'
import { scanJsonLines } from './scan-json-lines.js'

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const minus = 0x2d
const zero = 0x30
/** What refusals call a record. */
const recordName = 'record'
const nothing = /* @__PURE__ */ Uint8Array.of(0x6e, 0x75, 0x6c, 0x6c)
const encoder = /* @__PURE__ */ new TextEncoder()
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true })

/** Records of one run in the sandbox. */
export interface RecordBatch {
  readonly count: number
  /** JSON text: a list of segments `{ "names", "columns" }`, or one segment where the mapping names its fields. */
  readonly text: string
}

/** Does a fraction begin with three zeros? JavaScript writes those below 0.000001 with an exponent. */
function isSmall(source: Uint8Array, from: number, to: number): boolean {
  const first = source[from] === minus ? from + 1 : from
  if (to - first < 5 || source[first] !== zero) return false
  return source[first + 2] === zero && source[first + 3] === zero && source[first + 4] === zero
}

/** One field's values as JSON, each behind a comma. */
interface ValueText extends FieldTarget {
  append(json: Uint8Array, from: number, to: number): void
  /** Remembers how long it is, and goes back to that. */
  mark(): void
  cut(): void
  take(): string
}

/**
 * @param isText - make texts of all values, as `mapColumns` gets them: what CSV writes as `5` is the same field where JSON writes a number
 */
function createValueText(isText: boolean): ValueText {
  // Small, and grown: as many are made as a record has keys, and anew where the keys change.
  let bytes = new Uint8Array(16)
  let length = 0
  let marked = 0
  const reserve = (more: number) => {
    if (length + more <= bytes.length) return
    const grown = new Uint8Array(Math.max(2 * bytes.length, length + more))
    grown.set(bytes.subarray(0, length))
    bytes = grown
  }
  // A loop: values are short, and views of them would be garbage.
  const append = (json: Uint8Array, from: number, to: number) => {
    reserve(to - from + 1)
    bytes[length] = comma
    length += 1
    for (let at = from; at < to; at += 1, length += 1) bytes[length] = json[at] ?? 0
  }
  const read = (source: Uint8Array, start: number, end: number) => {
    reserve(end - start + 3)
    bytes[length] = comma
    bytes[length + 1] = quote
    let into = length + 2
    for (let at = start; at < end; at += 1, into += 1) {
      const byte = source[at] ?? 0
      // What JSON escapes, and what has to be checked for being UTF-8.
      if (byte < 0x20 || byte > 0x7e || byte === quote || byte === backslash) return false
      bytes[into] = byte
    }
    bytes[into] = quote
    length = into + 1
    return true
  }
  return {
    append,
    mark: () => {
      marked = length
    },
    cut: () => {
      length = marked
    },
    take: () => {
      const text = decoder.decode(bytes.subarray(1, length))
      length = 0
      marked = 0
      return text
    },
    read,
    set: (value) => {
      const own = isText && value !== null && value !== undefined && typeof value !== 'string'
      const json = encoder.encode(JSON.stringify(own ? JSON.stringify(value) : (value ?? null)))
      append(json, 0, json.length)
    },
    nothing: () => {
      append(nothing, 0, nothing.length)
      return true
    },
    number: (source, from, to, points) => {
      // -0 is 0 as JSON.
      if (source[from] === minus && source[from + 1] === zero) return false
      if (!isText) {
        append(source, from, to)
        return true
      }
      // Zeros at the end and fractions that JavaScript writes with an exponent have another shortest form.
      const isShortest = points === 0 || (source[to - 1] !== zero && !isSmall(source, from, to))
      return isShortest && read(source, from, to)
    },
  }
}

/** What {@link readRecordBatches} takes. */
export interface RecordRead {
  readonly schema: RefinerSchema
  readonly format: 'csv' | 'jsonl'
  /** Names of a CSV's fields. */
  readonly header: readonly string[]
  /** Whole rows or lines. */
  readonly piece: Uint8Array
  readonly limits: FullSourceLimits
  /** Most records of a batch. */
  readonly batchRecords: number
}

/**
 * Reads a piece into batches of records for a mapping that is code. A batch for `map` is a list of segments, each of records that have the
 * same keys in the same order; documents that are no objects make a segment without names. A batch for `mapColumns` is one
 * segment of the fields that the refiner names, each value as text, with null where a record has none.
 *
 * @param read - see {@link RecordRead}
 * @returns the batches, in order
 * @throws RefineError as `parseCsvSource` or `parseJsonSource`, `MAP_OUTPUT_INVALID` for a document without the fields that are named; `place` counts the records, or the lines, of the piece
 */
export function readRecordBatches(read: RecordRead): RecordBatch[] {
  const { schema, format, header, piece, limits, batchRecords } = read
  const batches: RecordBatch[] = []
  const { fields } = schema
  let columns: ValueText[] = []
  let names: readonly string[] | undefined
  let segments: string[] = []
  let inSegment = 0
  let inBatch = 0
  let total = 0
  const endSegment = () => {
    const isNamed = names !== undefined
    if (inSegment > 0) {
      const lists = columns.map((column) => `[${column.take()}]`).join(',')
      // Records without any field are told by their number alone.
      segments.push(
        `{"names":${JSON.stringify(isNamed ? names : null)},"count":${inSegment},"columns":[${lists}]}`,
      )
    }
    inSegment = 0
  }
  const endBatch = () => {
    endSegment()
    if (inBatch > 0) {
      const text = fields === undefined ? `[${segments.join(',')}]` : (segments[0] ?? '')
      batches.push({ count: inBatch, text })
    }
    segments = []
    inBatch = 0
  }
  const endRecord = () => {
    inSegment += 1
    inBatch += 1
    total += 1
    if (inBatch >= batchRecords) endBatch()
  }
  const begin = (next: readonly string[] | undefined) => {
    endSegment()
    names = next
    columns = (next ?? ['']).map(() => createValueText(fields !== undefined))
  }
  const listsOf = (own: readonly string[]) => own.map((name, index) => [name, targetsAt(index)] as const)
  const targetsAt = (index: number): readonly FieldTarget[] => {
    const column = columns[index]
    return column === undefined ? [] : [column]
  }

  if (fields !== undefined) begin(fields.map(({ name }) => name))
  if (format === 'csv') {
    if (fields === undefined) begin(header)
    const own = fields === undefined ? header : fields.map(({ name }) => name)
    const absent = columns.filter((_, index) => !header.includes(own[index] ?? ''))
    scanCsv({
      piece,
      fields: header.map((name) => targetsAt(own.indexOf(name))),
      name: recordName,
      limits,
      onRow: () => {
        for (const column of absent) column.nothing(0)
        endRecord()
      },
    })
    endBatch()
    return batches
  }

  let absent: readonly ValueText[] = []
  scanJsonLines({
    piece,
    limits,
    onLine: () => {
      for (let at = 0; at < columns.length; at += 1) columns[at]?.mark()
    },
    onRow: () => {
      for (const column of absent) column.nothing(0)
      endRecord()
    },
    onDocument: (document) => {
      // What the line left behind where it was not of the expected form.
      for (const column of columns) column.cut()
      const isObject = typeof document === 'object' && document !== null && !Array.isArray(document)
      const values = (isObject ? document : {}) as Readonly<Record<string, unknown>>
      if (fields !== undefined) {
        if (!isObject) {
          throw new RefineError(
            'MAP_OUTPUT_INVALID',
            `${recordName}[${total}]`,
            'A record is no object with named fields',
          )
        }
        for (const [index, { name }] of fields.entries())
          columns[index]?.set(Object.hasOwn(values, name) ? values[name] : null, 0)
        endRecord()
        const keys = Object.keys(values)
        absent = columns.filter((_, index) => !Object.hasOwn(values, fields[index]?.name ?? ''))
        return keys.map((key) => [key, targetsAt(fields.findIndex(({ name }) => name === key))] as const)
      }
      if (!isObject) {
        if (names !== undefined || columns.length === 0) begin(undefined)
        columns[0]?.set(document, 0)
        endRecord()
        return []
      }
      const keys = Object.keys(values)
      if (names === undefined || keys.length !== names.length || keys.some((key, at) => key !== names?.[at]))
        begin(keys)
      for (const [index, key] of keys.entries()) columns[index]?.set(values[key], 0)
      endRecord()
      return listsOf(keys)
    },
  })
  endBatch()
  return batches
}
