/** The memory of a scan: laid out once, for pieces of one kind. The offsets in it stand in assembly/scan-rows.ts too. */
import { terminated } from './piece-lines.js'
import { createScanCore, scanBase } from './scan-core.js'

/** Bytes of a target. */
export const targetBytes = 64
/** What may be read or written behind the end of a text: words at a time. */
export const slack = 16
/** What a target is for. */
export const targetKinds = {
  none: 0,
  integer: 1,
  decimal: 2,
  date: 3,
  text: 4,
  table: 5,
  dictionary: 6,
} as const
/** What a target takes. */
export const targetFlags = {
  isText: 1,
  emptyIsNull: 2,
  takesNull: 4,
  takesNumber: 8,
  takesCode: 16,
  takesBoolean: 32,
} as const

const keyBytes = 12
/** Most bytes of all expected keys, and most fields, of lines that are read ahead. */
const mostKeyBytes = 65_536
const mostFields = 4096
/** Of one thread. What is not written is not taken from the machine. */
const mostMemory = 2 ** 28
const quote = 0x22
const encoder = /* @__PURE__ */ new TextEncoder()

/** Reads rows of one piece, as far as they have the common form. */
export interface PieceScan {
  /**
   * Reads rows.
   *
   * @param at - where a row begins in the piece
   * @param row - its number
   * @param until - number of the row in front of which to stop
   * @returns where the first row begins that was not read
   */
  read(at: number, row: number, until: number): number
  /** Number of that row. */
  readonly row: number
}

/** What reads lines of JSON; nothing before it knows what they look like. */
export interface LinesScan extends PieceScan {
  /** Told which keys the next lines are expected to have. @param keys - their names, in order */
  expect(keys: readonly string[]): void
}

/** Where the fields of a scan go. */
export interface ScanFields {
  /** Address of a field's first target; 0 where nobody reads it. */
  targetOf(field: string): number
  /** Addresses of the targets that are null where rows have these fields alone; undefined where one of the others may not be. */
  unfilled(fields: ReadonlySet<string>): readonly number[] | undefined
  /** Most bytes of a field. */
  readonly fieldLength: number
}

/** A memory while it is laid out. */
export interface ScanMemory {
  readonly buffer: ArrayBuffer
  readonly view: DataView
  /** Takes room, all zero. @param length - bytes @returns its address, a multiple of eight */
  reserve(length: number): number
  /** Puts bytes. @param bytes - the bytes @returns their address */
  put(bytes: Uint8Array): number
  /** Writes a row's canonical text. @param row - its number @param parts - address of its parts @param count - how many @param into - where it goes @returns where it ends, or 0 */
  canonical(row: number, parts: number, count: number, into: number): number
  /** Writes the body of a page. @param given - what assembly/page-body.ts takes @returns where it ends */
  page(
    ...given: readonly [target: number, writing: number, nullable: number, rows: number, into: number]
  ): number
  /** Starts a piece of CSV. @param piece - whole rows @param header - names of its fields @param fields - where they go @returns its scan */
  csv(piece: Uint8Array, header: readonly string[], fields: ScanFields): PieceScan
  /** Starts a piece of JSON Lines. @param piece - whole lines @param fields - where values go @returns its scan */
  json(piece: Uint8Array, fields: ScanFields): LinesScan
}

/**
 * Makes a memory.
 *
 * @param room - bytes that its targets will take, each with what rounding to eight and {@link slack} add
 * @param targets - how many there are
 * @param pieceBytes - of the largest piece
 * @returns the memory; undefined where it would be more than is worth it, or cannot be had
 */
export function createScanMemory(room: number, targets: number, pieceBytes: number): ScanMemory | undefined {
  const size =
    scanBase + room + pieceBytes + 64 + 4 * (targets + 1) + mostFields * (4 + keyBytes) + mostKeyBytes + 256
  const core = size > mostMemory ? undefined : createScanCore(size)
  if (core === undefined) return undefined
  const { buffer } = core.memory
  const view = new DataView(buffer)
  const all = new Uint8Array(buffer)
  let free = scanBase
  const reserve = (length: number) => {
    const at = free
    free = Math.ceil((free + length) / 8) * 8
    return at
  }
  const fieldsAt = reserve(4 * mostFields)
  const unfilledAt = reserve(4 * (targets + 1))
  const keysAt = reserve(keyBytes * mostFields)
  const keyTextAt = reserve(mostKeyBytes + slack)
  const pieceAt = reserve(pieceBytes + 64)

  const start = (piece: Uint8Array): number => {
    all.set(piece, pieceAt)
    // Where rows end, scanning ends.
    all.fill(quote, pieceAt + piece.length, pieceAt + piece.length + slack)
    return pieceAt + piece.length
  }
  /** Notes the columns that no field fills; false where one of them is not simply null then. */
  const noteUnfilled = (names: readonly string[], fields: ScanFields): boolean => {
    const unfilled = fields.unfilled(new Set(names))
    if (unfilled === undefined) return false
    for (const [index, target] of [...unfilled, 0].entries())
      view.setUint32(unfilledAt + 4 * index, target, true)
    return true
  }
  const scanOf = (
    isReady: () => boolean,
    scan: (from: number, row: number, until: number) => number,
  ): PieceScan => {
    let row = 0
    return {
      read: (at, first, until) => {
        row = first
        if (!isReady()) return at
        const to = scan(pieceAt + at, first, until) - pieceAt
        row = core.row()
        return to
      },
      get row() {
        return row
      },
    }
  }
  return {
    buffer,
    view,
    reserve,
    put: (bytes) => {
      const at = reserve(bytes.length + slack)
      all.set(bytes, at)
      return at
    },
    canonical: (row, parts, count, into) => core.canonical(row, parts, count, into),
    page: (...given) => core.page(...given),
    csv: (given, header, fields) => {
      // A line feed of ours must not make a line end of a last byte that is none.
      const piece = given.at(-1) === 0x0d ? given : terminated(given)
      const end = start(piece)
      const isReady = header.length <= mostFields && noteUnfilled(header, fields)
      if (isReady) {
        for (const [index, name] of header.entries())
          view.setUint32(fieldsAt + 4 * index, fields.targetOf(name), true)
      }
      const { fieldLength } = fields
      return scanOf(
        () => isReady,
        (from, row, until) =>
          core.csv(from, end, row, until, fieldsAt, header.length, unfilledAt, fieldLength),
      )
    },
    json: (given, fields) => {
      const end = start(terminated(given))
      const { fieldLength } = fields
      let count = 0
      const scan = scanOf(
        () => count > 0,
        (from, row, until) => core.json(from, end, row, until, keysAt, count, unfilledAt, fieldLength),
      )
      return {
        read: scan.read,
        get row() {
          return scan.row
        },
        expect: (keys) => {
          const texts = keys.map((key) => encoder.encode(`${JSON.stringify(key)}:`))
          const length = texts.reduce((sum, text) => sum + text.length, 0)
          const fits = keys.length <= mostFields && length <= mostKeyBytes && noteUnfilled(keys, fields)
          count = fits ? keys.length : 0
          let at = keyTextAt
          for (const [index, text] of (fits ? texts : []).entries()) {
            all.set(text, at)
            const into = keysAt + keyBytes * index
            view.setUint32(into, at, true)
            view.setUint32(into + 4, text.length, true)
            view.setUint32(into + 8, fields.targetOf(keys[index] ?? ''), true)
            at += text.length
          }
        },
      }
    },
  }
}
