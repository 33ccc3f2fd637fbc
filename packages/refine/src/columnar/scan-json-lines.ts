import { parseJsonLine } from '../source/jsonl-source.js'
import type { FullSourceLimits } from '../source/source-limits.js'
import type { FieldTarget } from './field-target.js'
import { terminated } from './piece-lines.js'
import type { RowsAhead } from './rows-ahead.js'

const comma = 0x2c
const quote = 0x22
const lineFeed = 0x0a
const carriageReturn = 0x0d
const blank = 0x20
const minus = 0x2d
const point = 0x2e
const zero = 0x30

/** A key that lines are expected to have at this place: its bytes with quotes and colon, and where its value goes. */
interface ExpectedKey {
  readonly bytes: Uint8Array
  /** The same bytes by four, as far as they go: what is compared for each key of each line. */
  readonly words: Int32Array
  readonly targets: readonly FieldTarget[]
}

function expectedKey(bytes: Uint8Array, targets: readonly FieldTarget[]): ExpectedKey {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const words = Int32Array.from({ length: bytes.length >> 2 }, (_, word) => view.getInt32(4 * word, true))
  return { bytes, words, targets }
}

const stringStops = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === quote || byte === 0x5c || byte < 0x20 || byte > 0x7f ? 1 : 0,
)
/** What {@link scanJsonLines} takes. */
export interface JsonLinesScan {
  /** Whole lines. */
  readonly piece: Uint8Array
  readonly limits: FullSourceLimits
  /** Reads what it can of the lines before they are read here. */
  readonly ahead?: RowsAhead | undefined
  /**
   * Takes a line that is not of the expected form.
   *
   * @returns the keys of the lines that are expected next and where their values go; none to expect nothing
   */
  readonly onDocument: (
    document: unknown,
    row: number,
  ) => readonly (readonly [string, readonly FieldTarget[]])[]
  /** Told before a line is tried in its expected form, whose values may have to be taken back by `onDocument`. */
  readonly onLine?: () => void
  /** Told behind each line that had the expected form and was read here. */
  readonly onRow: (row: number) => void
}

/**
 * Reads a piece of JSON Lines. Lines that have the same keys in the same order as the line before are read without making
 * objects; every other line by `parseJsonSource`.
 *
 * @param scan - see {@link JsonLinesScan}
 * @returns how many documents there are
 * @throws RefineError as `parseJsonSource` (`place` counts the lines of the piece), and what the targets throw
 */
export function scanJsonLines(scan: JsonLinesScan): number {
  const { piece: given, limits, ahead, onDocument, onLine, onRow } = scan
  const piece = terminated(given)
  const view = new DataView(piece.buffer, piece.byteOffset, piece.length)
  const encoder = new TextEncoder()
  let expected: readonly ExpectedKey[] = []
  let row = 0

  /** The values of a line of the expected form; where it ends, or -1 when it has another form. */
  const fastLine = (start: number): number => {
    if (expected.length === 0) return -1
    let at = start + 1
    for (let index = 0; index < expected.length; index += 1) {
      const key = expected[index]
      if (key === undefined) return -1
      if (index > 0) {
        if (piece[at] !== comma) return -1
        at += 1
      }
      if (piece[at] === blank) at += 1
      const { bytes, words } = key
      if (at + bytes.length > piece.length) return -1
      for (let word = 0; word < words.length; word += 1)
        if (view.getInt32(at + 4 * word, true) !== words[word]) return -1
      for (let offset = 4 * words.length; offset < bytes.length; offset += 1)
        if (piece[at + offset] !== bytes[offset]) return -1
      at += bytes.length
      if (piece[at] === blank) at += 1
      const first = piece[at]
      const from = at
      if (first === quote) {
        at += 1
        while (stringStops[piece[at] ?? 0] === 0) at += 1
        if (piece[at] !== quote || at - from > limits.fieldLength) return -1
        for (let to = 0; to < key.targets.length; to += 1)
          if (key.targets[to]?.read(piece, from + 1, at, row) !== true) return -1
        at += 1
      } else if (first === 0x6e) {
        if (piece[at + 1] !== 0x75 || piece[at + 2] !== 0x6c || piece[at + 3] !== 0x6c) return -1
        at += 4
        for (const target of key.targets) if (!target.nothing(row)) return -1
      } else if (first === minus || (first !== undefined && first >= zero && first <= 0x39)) {
        // A number as JSON writes it (RFC 8259, section 6), without an exponent and of at most 15 digits, which a double holds for
        // certain: its JSON text and its JavaScript text then mean the same to a column.
        if (first === minus) at += 1
        const digits = at
        let points = 0
        let fraction = 0
        for (; ; at += 1) {
          const byte = piece[at] ?? 0
          if (byte === point) {
            points += 1
            fraction = at + 1
          } else if (byte < zero || byte > 0x39) break
        }
        const whole = points === 0 ? at : fraction - 1
        if (points > 1 || whole === digits || fraction === at || at - digits > 15 + points) return -1
        if (piece[digits] === zero && whole > digits + 1) return -1
        for (let to = 0; to < key.targets.length; to += 1)
          if (key.targets[to]?.number(piece, from, at, points, row) !== true) return -1
      } else if (
        first === 0x74 &&
        piece[at + 1] === 0x72 &&
        piece[at + 2] === 0x75 &&
        piece[at + 3] === 0x65
      ) {
        at += 4
        for (const target of key.targets) target.set(true, row)
      } else if (
        first === 0x66 &&
        piece[at + 1] === 0x61 &&
        piece[at + 2] === 0x6c &&
        piece[at + 3] === 0x73 &&
        piece[at + 4] === 0x65
      ) {
        at += 5
        for (const target of key.targets) target.set(false, row)
      } else return -1
    }
    if (piece[at] !== 0x7d) return -1
    at += 1
    if (piece[at] === carriageReturn) at += 1
    return piece[at] === lineFeed ? at + 1 : -1
  }
  let line = 0
  for (let at = 0; at < piece.length; ) {
    if (ahead !== undefined) {
      at = ahead.read(at, row)
      line += ahead.row - row
      row = ahead.row
      if (at === piece.length) break
    }
    line += 1
    onLine?.()
    const next = piece[at] === 0x7b ? fastLine(at) : -1
    if (next > 0) {
      onRow(row)
      at = next
      row += 1
      continue
    }
    const end = piece.indexOf(lineFeed, at)
    const bytes = piece.subarray(at, end)
    at = end + 1
    if (bytes.every((byte) => byte === blank || byte === 0x09 || byte === carriageReturn)) continue
    const keys = onDocument(parseJsonLine(bytes, line, limits), row)
    row += 1
    expected = keys.map(([name, targets]) => expectedKey(encoder.encode(`${JSON.stringify(name)}:`), targets))
  }
  return row
}
