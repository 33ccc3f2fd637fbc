/** One field's values as JSON text, made of the bytes of an export: neither an object nor a string is made per value. */
import { encodeCodes, MOST_CODED } from '@sealpool/sandbox'
import type { FieldTarget } from './field-target.js'
import type { RecordDictionary } from './record-scan.js'

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const minus = 0x2d
const zero = 0x30
const nothing = /* @__PURE__ */ Uint8Array.of(0x6e, 0x75, 0x6c, 0x6c)
const encoder = /* @__PURE__ */ new TextEncoder()
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true })

/** One field's values as they come. */
export interface ValueText extends FieldTarget {
  /** Remembers how many values there are, and goes back to that. */
  mark(): void
  cut(): void
  /** JSON text of all values; begins anew. */
  take(): string
}

/** Values of a field that is named, each as text. */
export interface CodedText extends ValueText {
  /** Takes values of records that were read ahead. @param dictionary - their texts @param from - the first record @param to - behind the last one */
  addRows(dictionary: RecordDictionary, from: number, to: number): void
}

/** Does a fraction begin with three zeros? JavaScript writes those below 0.000001 with an exponent. */
function isSmall(source: Uint8Array, from: number, to: number): boolean {
  const first = source[from] === minus ? from + 1 : from
  if (to - first < 5 || source[first] !== zero) return false
  return source[first + 2] === zero && source[first + 3] === zero && source[first + 4] === zero
}

/** Bytes that grow. */
interface ByteList {
  bytes: Uint8Array
  length: number
}

function reserve(list: ByteList, more: number): void {
  if (list.length + more <= list.bytes.length) return
  const grown = new Uint8Array(Math.max(2 * list.bytes.length, list.length + more))
  grown.set(list.bytes.subarray(0, list.length))
  list.bytes = grown
}

/** A loop: values are short, and views of them would be garbage. */
function append(list: ByteList, json: Uint8Array, from: number, to: number): void {
  reserve(list, to - from + 1)
  list.bytes[list.length] = comma
  list.length += 1
  for (let at = from; at < to; at += 1, list.length += 1) list.bytes[list.length] = json[at] ?? 0
}

/** Appends a text; false for one with characters that JSON escapes, or that have to be checked for being UTF-8. */
function appendText(list: ByteList, source: Uint8Array, start: number, end: number): boolean {
  reserve(list, end - start + 3)
  const { bytes } = list
  bytes[list.length] = comma
  bytes[list.length + 1] = quote
  let into = list.length + 2
  for (let at = start; at < end; at += 1, into += 1) {
    const byte = source[at] ?? 0
    if (byte < 0x20 || byte > 0x7e || byte === quote || byte === backslash) return false
    bytes[into] = byte
  }
  bytes[into] = quote
  list.length = into + 1
  return true
}

/** Behind the comma in front of the first value. */
const textOf = (list: ByteList) => decoder.decode(list.bytes.subarray(1, list.length))

/** Values as they are: a list of JSON, as `map` gets its records' fields. */
export function createValueText(): ValueText {
  // Small, and grown: as many are made as a record has keys, and anew where the keys change.
  const list: ByteList = { bytes: new Uint8Array(16), length: 0 }
  let marked = 0
  return {
    mark: () => {
      marked = list.length
    },
    cut: () => {
      list.length = marked
    },
    take: () => {
      const text = `[${textOf(list)}]`
      list.length = 0
      marked = 0
      return text
    },
    read: (source, start, end) => appendText(list, source, start, end),
    set: (value) => {
      const json = encoder.encode(JSON.stringify(value ?? null))
      append(list, json, 0, json.length)
    },
    nothing: () => {
      append(list, nothing, 0, nothing.length)
      return true
    },
    number: (source, from, to) => {
      // -0 is 0 as JSON.
      if (source[from] === minus && source[from + 1] === zero) return false
      append(list, source, from, to)
      return true
    },
  }
}

/** Values that are seen before it is judged whether they come again. */
const judgedAt = 512
const slots = 1 << 14
/** Values that fall on each other's places; more are nothing that happens by itself. */
const mostProbes = 16

/**
 * Values as texts, as `mapColumns` gets them: what CSV writes as `5` is the same field where JSON writes a number. Where they come again, each is
 * written once, and a code per value (see `Batch.table`).
 */
export function createCodedText(): CodedText {
  /** While coded: the different values; else all of them. */
  let list: ByteList = { bytes: new Uint8Array(16), length: 0 }
  let ends: number[] = []
  let codes = new Uint16Array(64)
  let count = 0
  let isCoded = true
  let table: Uint16Array | undefined
  let marked = { count: 0, length: 0, values: 0 }
  /** Values that a line left behind which was taken back. */
  let isStale = false
  /** By number in the dictionary of a batch: number here and one, 0 where it has none yet. */
  let known = new Uint16Array(0)

  const startOf = (value: number) => (value === 0 ? 0 : (ends[value - 1] ?? 0))
  /** From here on all values are written. */
  const expand = () => {
    const all: ByteList = { bytes: new Uint8Array(Math.max(16, 2 * list.length)), length: 0 }
    for (let at = 0; at < count; at += 1) {
      const value = codes[at] ?? 0
      append(all, list.bytes, startOf(value) + 1, ends[value] ?? 0)
    }
    list = all
    ends = []
    isCoded = false
  }
  // In front of a mark as well, so that a line that is taken back finds the values as it left them.
  const judge = () => {
    if (isCoded && (ends.length === MOST_CODED || (count >= judgedAt && 2 * ends.length > count))) expand()
  }
  const push = (value: number) => {
    if (count === codes.length) {
      const grown = new Uint16Array(2 * count)
      grown.set(codes)
      codes = grown
    }
    codes[count] = value
    count += 1
  }
  /** The value that was appended behind `from`: kept where it is new. */
  const code = (from: number) => {
    if (!isCoded) return
    const { bytes, length } = list
    table ??= new Uint16Array(slots)
    let hash = 0x811c9dc5
    for (let at = from; at < length; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
    let slot = (hash ^ (hash >>> 15)) & (slots - 1)
    let value = -1
    for (let probe = 0; probe < mostProbes; probe += 1, slot = (slot + 1) & (slots - 1)) {
      const known = (table[slot] ?? 0) - 1
      if (known < 0) {
        value = ends.push(length) - 1
        table[slot] = value + 1
        break
      }
      const start = startOf(known)
      if ((ends[known] ?? 0) - start !== length - from) continue
      let at = 1
      while (from + at < length && bytes[start + at] === bytes[from + at]) at += 1
      if (from + at < length) continue
      value = known
      list.length = from
      break
    }
    // Values made to collide are each a new one.
    if (value < 0) value = ends.push(length) - 1
    push(value)
  }
  const read = (source: Uint8Array, start: number, end: number) => {
    judge()
    const from = list.length
    if (!appendText(list, source, start, end)) return false
    code(from)
    return true
  }
  const put = (json: Uint8Array) => {
    judge()
    const from = list.length
    append(list, json, 0, json.length)
    code(from)
  }
  return {
    mark: () => {
      judge()
      marked = { count, length: list.length, values: ends.length }
    },
    cut: () => {
      if (isCoded) {
        if (ends.length > marked.values) isStale = true
        count = marked.count
      } else list.length = marked.length
    },
    take: () => {
      if (isCoded && isStale) expand()
      const text = isCoded
        ? `{"values":[${textOf(list)}],"codes":"${encodeCodes(codes.subarray(0, count), ends.length)}"}`
        : `[${textOf(list)}]`
      list.length = 0
      ends = []
      count = 0
      isCoded = true
      isStale = false
      table?.fill(0)
      known.fill(0)
      marked = { count: 0, length: 0, values: 0 }
      return text
    },
    addRows: ({ codes: theirs, bytes, ends: theirEnds }, from, to) => {
      if (known.length < theirEnds.length) known = new Uint16Array(theirEnds.length)
      for (let row = from; row < to; row += 1) {
        const their = theirs[row] ?? 0
        judge()
        const own = isCoded ? (known[their] ?? 0) : 0
        if (own > 0) {
          push(own - 1)
          continue
        }
        const start = list.length
        if (their === 0) append(list, nothing, 0, nothing.length)
        else appendText(list, bytes, theirEnds[their - 1] ?? 0, theirEnds[their] ?? 0)
        code(start)
        if (isCoded) known[their] = (codes[count - 1] ?? 0) + 1
      }
    },
    read,
    set: (value) => {
      const own = value !== null && value !== undefined && typeof value !== 'string'
      put(encoder.encode(JSON.stringify(own ? JSON.stringify(value) : (value ?? null))))
    },
    nothing: () => {
      put(nothing)
      return true
    },
    number: (source, from, to, points) => {
      // -0 is 0 as JSON.
      if (source[from] === minus && source[from + 1] === zero) return false
      // Zeros at the end and fractions that JavaScript writes with an exponent have another shortest form.
      const isShortest = points === 0 || (source[to - 1] !== zero && !isSmall(source, from, to))
      return isShortest && read(source, from, to)
    },
  }
}
