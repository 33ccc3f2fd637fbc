/**
 * Records of a piece of CSV or JSON Lines as JSON text by column: what a mapping in the sandbox gets. The bytes of common values are copied as
 * they are; neither an object nor a string is made per record.
 */
import { RefineError } from '../errors.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import type { FullSourceLimits } from '../source/source-limits.js'
import type { FieldTarget } from './field-target.js'
import type { RecordScan } from './record-scan.js'
import type { RowsAhead } from './rows-ahead.js'
import { scanCsv } from './scan-csv.js'
import { scanJsonLines } from './scan-json-lines.js'
import type { PieceScan } from './scan-memory.js'
import { type CodedText, createCodedText, createValueText, type ValueText } from './value-text.js'

/** What refusals call a record. */
const recordName = 'record'

/** Records of one run in the sandbox. */
export interface RecordBatch {
  readonly count: number
  /** JSON text: a list of segments `{ "names", "columns" }`, or one segment where the mapping names its fields. */
  readonly text: string
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
  /** Reads records of the common form before they are read here, where the mapping names its fields; its memory is overwritten. */
  readonly scan?: RecordScan | undefined
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
  const { schema, format, header, piece, limits, batchRecords, scan } = read
  const batches: RecordBatch[] = []
  const { fields } = schema
  let columns: ValueText[] = []
  // Where the mapping names its fields; there is one segment then, and these are its columns.
  const coded: CodedText[] = (fields ?? []).map(() => createCodedText())
  let names: readonly string[] | undefined
  let segments: string[] = []
  let inSegment = 0
  let inBatch = 0
  let total = 0
  const endSegment = () => {
    const isNamed = names !== undefined
    if (inSegment > 0) {
      const lists = columns.map((column) => column.take()).join(',')
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
    scan?.reset()
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
    columns = fields === undefined ? (next ?? ['']).map(() => createValueText()) : coded
  }
  const listsOf = (own: readonly string[]) => own.map((name, index) => [name, targetsAt(index)] as const)
  const targetsAt = (index: number): readonly FieldTarget[] => {
    const column = columns[index]
    return column === undefined ? [] : [column]
  }

  // A piece before may have been refused in the middle of a batch.
  scan?.reset()
  const aheadOf = (scanned: PieceScan): RowsAhead => {
    let row = 0
    return {
      read: (from, first) => {
        row = first
        for (let at = from; ; ) {
          const next = scanned.read(at, inBatch, batchRecords)
          const count = scanned.row - inBatch
          if (count === 0) return at
          for (let index = 0; index < coded.length; index += 1) {
            const dictionary = scan?.dictionaries[index]
            if (dictionary !== undefined) coded[index]?.addRows(dictionary, inBatch, inBatch + count)
          }
          at = next
          row += count
          inSegment += count
          inBatch += count
          total += count
          if (inBatch >= batchRecords) endBatch()
        }
      },
      get row() {
        return row
      },
    }
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
      ahead: fields === undefined || scan === undefined ? undefined : aheadOf(scan.csv(piece, header)),
      onRow: () => {
        for (const column of absent) column.nothing(0)
        endRecord()
      },
    })
    endBatch()
    return batches
  }

  let absent: readonly ValueText[] = []
  const lines = fields === undefined ? undefined : scan?.json(piece)
  scanJsonLines({
    piece,
    limits,
    ahead: lines === undefined ? undefined : aheadOf(lines),
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
        lines?.expect(keys)
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
