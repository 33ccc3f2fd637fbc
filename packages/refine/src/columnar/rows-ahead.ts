/**
 * Rows of the common form, read by WebAssembly (assembly/scan-rows.ts) into columns that stand in its memory. It stops in front of the first row of
 * another form, which the readers in TypeScript take: they alone know the rules and the refusals, so that what this one does not know costs time
 * and nothing else.
 */
import type { CellValue, ColumnSchema, DirectColumn } from '../schema/table-schema.js'
import { cellForm, isEmptyNull } from './cell-form.js'
import {
  type BatchColumn,
  type ColumnRoom,
  type ColumnStore,
  createColumn,
  type RowWriter,
  setCell,
} from './column-batch.js'
import {
  createScanMemory,
  type ScanFields,
  slack,
  targetBytes,
  targetFlags,
  targetKinds,
} from './scan-memory.js'

/** Reads rows of a piece ahead of its reader. */
export interface RowsAhead {
  /**
   * Reads rows as far as they have the common form.
   *
   * @param at - where a row begins in the piece
   * @param row - its number
   * @returns where the first row begins that was not read
   */
  read(at: number, row: number): number
  /** Number of that row. */
  readonly row: number
}

/** A mapping's columns in a memory that rows are read into. */
export interface ColumnScan {
  readonly columns: readonly BatchColumn[]
  readonly writer: RowWriter
  /** Starts a piece of CSV. @param piece - whole rows @param header - names of its fields @returns its reader */
  csv(piece: Uint8Array, header: readonly string[]): RowsAhead
  /** Starts a piece of JSON Lines. @param piece - whole lines @returns its reader; it reads nothing before it knows what lines look like */
  json(piece: Uint8Array): RowsAhead & { expect(keys: readonly string[]): void }
}

/** What {@link createColumnScan} takes. */
export interface ScanPlan {
  readonly columns: Readonly<Record<string, ColumnSchema>>
  /** Where the values of a column come from; columns that are not named are null. */
  readonly direct: Readonly<Record<string, DirectColumn>>
  /** Rows and bytes of the largest piece. */
  readonly rows: number
  readonly bytes: number
  readonly fieldLength: number
}

/** Of a known text; the offsets in it stand in assembly/scan-rows.ts. */
const entryBytes = 24
const bucketBytes = 2 * 64 * 256
const mostEntries = 65_535
/** Of a part of a canonical text, and how cells are written. */
const partBytes = 16
const writings: Readonly<Record<ColumnSchema['type'], number | undefined>> = {
  integer: 1,
  decimal: 2,
  date: 3,
  boolean: 4,
  text: 5,
  timestamp: undefined,
  vector: undefined,
}
/** How the values of a page are held. */
const pageWritings: Readonly<Record<ColumnStore, number>> = { int64: 1, int32: 2, bit: 3, text: 4 }
/** Most bytes in front of the definition levels. */
const levelsHead = 16
/** Most bytes of a cell that is no text, of all names and quotes in front of a cell, and of what stands in front of a row. */
const cellBytes = 32
const mostHead = 128
const mostPrefix = 1024
/** Rows that may be longer are written in TypeScript. */
const mostRowBytes = 2 ** 24

const encoder = /* @__PURE__ */ new TextEncoder()

interface Entry {
  readonly text: Uint8Array
  readonly cell: CellValue
  readonly cellText: Uint8Array | undefined
}

function entriesOf(entries: readonly (readonly [string, CellValue])[]): readonly Entry[] {
  return entries
    .map(([text, cell]) => ({
      text: encoder.encode(text),
      cell,
      cellText: typeof cell === 'string' ? encoder.encode(cell) : undefined,
    }))
    .filter(({ text }) => text.length > 0 && text.length < 64)
}

/** A column's target before it has a place. */
interface Target {
  readonly column: BatchColumn
  readonly spec: DirectColumn | undefined
  readonly at: number
  readonly next: number
  /** Is it null where its field is absent? */
  readonly isNullable: boolean
}

/**
 * Lays the columns of a mapping out in a memory of their own.
 *
 * @param plan - see {@link ScanPlan}
 * @returns columns and readers; undefined where they need more memory than is worth it or can be had
 */
export function createColumnScan(plan: ScanPlan): ColumnScan | undefined {
  const { direct, rows, bytes, fieldLength } = plan
  const specs = Object.entries(plan.columns).map(([name, column]) => ({
    name,
    column,
    spec: Object.hasOwn(direct, name) ? direct[name] : undefined,
  }))
  const forms = specs.map(({ name, column, spec }) => {
    const form = spec === undefined ? undefined : cellForm({ name, column }, spec)
    const entries = form?.kind === 'table' ? entriesOf(form.entries) : []
    return { form, entries: entries.length > mostEntries ? [] : entries }
  })
  const textBytes = bytes + slack
  const roomOfEntries = forms.reduce(
    (sum, { entries }) =>
      sum +
      bucketBytes +
      entries.reduce(
        (all, { text, cellText }) => all + entryBytes + 48 + text.length + (cellText?.length ?? 8),
        0,
      ),
    0,
  )
  const columnBytes = 13 * rows + textBytes + targetBytes + 128
  const parts = specs.length + 1
  // Every text was checked: so many UTF-16 units, of three bytes each at most.
  const texts = specs.map(({ column }) => (column.type === 'text' ? 3 * (column.maxLength ?? 1024) : 0))
  const rowBytes =
    mostPrefix + parts * (mostHead + cellBytes) + texts.reduce((sum, length) => sum + length, 0)
  const writes = rowBytes <= mostRowBytes
  const writerBytes = (writes ? rowBytes : 0) + parts * (partBytes + mostHead + slack + 16) + mostPrefix + 64
  // Of the largest column.
  const pageBytes = levelsHead + Math.ceil(rows / 8) + 8 * rows + textBytes + slack
  const memory = createScanMemory(
    specs.length * columnBytes + roomOfEntries + writerBytes + pageBytes,
    specs.length,
    bytes,
  )
  if (memory === undefined) return undefined
  const { buffer, view, reserve, put } = memory
  const room: ColumnRoom = (length) => ({ buffer, at: reserve(length) })

  const byField = new Map<string, Target>()
  const targets = specs.map(({ name, column, spec }, index): Target => {
    const made = createColumn(name, column, rows, textBytes, room)
    const { form, entries } = forms[index] ?? { form: undefined, entries: [] }
    const at = reserve(targetBytes)
    const coded = spec?.values !== undefined
    const isNumber = column.type === 'decimal' || column.type === 'integer'
    const flags =
      (made.store === 'text' ? targetFlags.isText : 0) |
      (spec !== undefined && isEmptyNull(column, spec) ? targetFlags.emptyIsNull : 0) |
      (!coded && column.nullable === true ? targetFlags.takesNull : 0) |
      (!coded && isNumber ? targetFlags.takesNumber : 0) |
      (coded ? targetFlags.takesCode : 0) |
      (!coded && column.type === 'boolean' && column.values === undefined ? targetFlags.takesBoolean : 0)
    const next = spec === undefined ? 0 : (byField.get(spec.from)?.at ?? 0)
    view.setUint32(at, targetKinds[form?.kind ?? 'none'], true)
    view.setUint32(at + 4, flags, true)
    view.setUint32(at + 8, next, true)
    view.setUint32(at + 12, made.present.byteOffset, true)
    view.setUint32(at + 16, made.numbers.byteOffset, true)
    view.setUint32(at + 20, made.bytes.byteOffset, true)
    view.setUint32(at + 24, made.ends.byteOffset, true)
    view.setUint32(at + 28, made.bytes.length, true)
    if (form !== undefined && 'low' in form) {
      view.setFloat64(at + 32, form.low, true)
      view.setFloat64(at + 40, form.high, true)
    }
    view.setInt32(at + 48, column.decimals ?? 0, true)
    view.setUint32(at + 52, form?.kind === 'text' ? form.maxLength : 0, true)
    if (form?.kind === 'table') putTable(at, made, entries)
    const target = {
      column: made,
      spec,
      at,
      next,
      isNullable: spec === undefined || isEmptyNull(column, spec),
    }
    if (spec !== undefined) byField.set(spec.from, target)
    return target
  })

  function putTable(at: number, target: BatchColumn, entries: readonly Entry[]): void {
    const buckets = reserve(bucketBytes)
    const first = reserve(entryBytes * entries.length)
    view.setUint32(at + 56, buckets, true)
    view.setUint32(at + 60, first, true)
    const scratch = createColumn('', target.column, 1, 0)
    // From behind, so that of two that are alike the first is found first.
    for (let index = entries.length - 1; index >= 0; index -= 1) {
      const entry = entries[index]
      if (entry === undefined) continue
      const { text, cell, cellText } = entry
      const into = first + entryBytes * index
      const bucket = buckets + 2 * (text.length * 256 + (text[0] ?? 0))
      view.setUint32(into, put(text), true)
      view.setUint32(into + 4, text.length, true)
      view.setUint32(into + 8, view.getUint16(bucket, true), true)
      view.setUint16(bucket, index + 1, true)
      let bit = -2
      let value = new Uint8Array()
      if (cell !== null) {
        if (target.store === 'text') {
          bit = -1
          value = Uint8Array.from(cellText ?? [])
        } else {
          setCell(scratch, 0, cell)
          value = new Uint8Array(scratch.numbers.slice().buffer)
          bit = target.store === 'bit' ? Number(cell) : target.store === 'int64' ? -3 : -4
        }
      }
      view.setInt32(into + 12, bit, true)
      view.setUint32(into + 16, put(value), true)
      view.setUint32(into + 20, value.length, true)
    }
  }

  const fields: ScanFields = {
    fieldLength,
    targetOf: (field) => byField.get(field)?.at ?? 0,
    unfilled: (named) => {
      const absent = targets.filter(({ spec }) => spec === undefined || !named.has(spec.from))
      return absent.every(({ isNullable }) => isNullable) ? absent.map(({ at }) => at) : undefined
    },
  }
  /** Does a row that a reader in TypeScript took still stand in this memory? Its text may have needed another one. */
  const isWhole = () => targets.every(({ column }) => column.bytes.buffer === buffer)
  const whole =
    (scan: { read(at: number, row: number, until: number): number }): RowsAhead['read'] =>
    (at, row) =>
      isWhole() ? scan.read(at, row, rows) : scan.read(at, row, row)
  const partsAt = reserve(partBytes * parts)
  const headsAt = reserve(mostPrefix + parts * (mostHead + slack + 8))
  const rowAt = reserve(writes ? rowBytes : 0)
  const pageAt = reserve(pageBytes)
  const all = new Uint8Array(buffer)
  const writer: RowWriter = {
    of: (heads) => {
      const isPlain = heads.every(
        ({ head, column }, index) =>
          head.length <= mostHead + (index === 0 ? mostPrefix - slack : 0) &&
          (column === undefined || writings[plan.columns[column]?.type ?? 'vector'] !== undefined),
      )
      if (!writes || !isPlain || heads.length > parts || !isWhole()) return undefined
      let at = headsAt
      for (const [index, { head, column }] of heads.entries()) {
        const part = partsAt + partBytes * index
        const target = targets.find(({ column: { name } }) => name === column)
        all.set(head, at)
        view.setUint32(part, at, true)
        view.setUint32(part + 4, head.length, true)
        view.setUint32(part + 8, target?.at ?? 0, true)
        view.setUint32(part + 12, writings[target?.column.column.type ?? 'text'] ?? 0, true)
        at += Math.ceil(head.length / 8) * 8 + 8
      }
      return (row) => {
        const end = memory.canonical(row, partsAt, heads.length, rowAt)
        return end === 0 ? undefined : all.subarray(rowAt, end)
      }
    },
    page: (column, count) => {
      const target = targets.find(({ column: own }) => own === column)
      if (target === undefined || column.bytes.buffer !== buffer) return undefined
      const nullable = column.column.nullable === true ? 1 : 0
      const end = memory.page(target.at, pageWritings[column.store], nullable, count, pageAt)
      return all.subarray(pageAt, end)
    },
  }
  return {
    columns: targets.map(({ column }) => column),
    writer,
    csv: (piece, header) => {
      const scan = memory.csv(piece, header, fields)
      return {
        read: whole(scan),
        get row() {
          return scan.row
        },
      }
    },
    json: (piece) => {
      const scan = memory.json(piece, fields)
      return {
        read: whole(scan),
        get row() {
          return scan.row
        },
        expect: scan.expect,
      }
    },
  }
}
