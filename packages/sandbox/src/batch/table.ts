/** One column held on the host's side: numbers with NaN for nothing, or texts with null for nothing. */
export type Column =
  | { readonly type: 'number'; readonly values: Float64Array }
  | { readonly type: 'text'; readonly values: readonly (string | null)[] }

/** Columns of one length, by name, in order. */
export interface Table {
  readonly count: number
  readonly columns: ReadonlyMap<string, Column>
}

/** What the approved code did wrong with a batch function; it sees a TypeError with this message. */
export class BatchError extends Error {
  override readonly name = 'BatchError'
}

/** Asks for room before it is taken; throws when there is none. */
export type Reserve = (bytes: number) => void

/**
 * Reads records into columns. A column is of numbers when every value in it is a JSON number or null, else of texts: booleans
 * become `true` and `false`, nested values their JSON text. Fields of CSV are always texts; an empty field is nothing.
 *
 * @param text the file
 * @param format how it is written: an array of objects, an object a line, or RFC 4180 with a header
 * @param reserve asked for the room of every column
 * @throws BatchError for what is not of the format; the message holds the record's number and no value
 */
export function readTable(text: string, format: 'json' | 'jsonl' | 'csv', reserve: Reserve): Table {
  return format === 'csv' ? fromCsv(text, reserve) : fromRecords(readRecords(text, format), reserve)
}

function readRecords(text: string, format: 'json' | 'jsonl'): readonly unknown[] {
  if (format === 'json') {
    const value = parseJson(text, 'the text')
    if (!Array.isArray(value)) throw new BatchError('expected a JSON array of objects')
    return value
  }
  const records: unknown[] = []
  let from = 0
  for (let line = 1; from < text.length; line++) {
    const end = text.indexOf('\n', from)
    const one = text.slice(from, end === -1 ? text.length : end)
    if (one.trim() !== '') records.push(parseJson(one, `line ${line}`))
    from = end === -1 ? text.length : end + 1
  }
  return records
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BatchError(`${place} is not JSON`)
  }
}

function fromRecords(records: readonly unknown[], reserve: Reserve): Table {
  const names = new Map<string, 'number' | 'text'>()
  records.forEach((record, index) => {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new BatchError(`record ${index} is not an object`)
    }
    for (const [name, value] of Object.entries(record)) {
      const known = names.get(name)
      if (value !== null && typeof value !== 'number') names.set(name, 'text')
      else if (known === undefined) names.set(name, 'number')
      if (names.size > MOST_COLUMNS) throw tooWide()
    }
  })
  const columns = new Map<string, Column>()
  for (const [name, type] of names) {
    reserve(records.length * 8)
    const read = (record: unknown): unknown =>
      Object.hasOwn(record as object, name) ? (record as Record<string, unknown>)[name] : null
    if (type === 'number') {
      const values = Float64Array.from(records, (record) => {
        const value = read(record)
        return typeof value === 'number' ? value : Number.NaN
      })
      columns.set(name, { type, values })
    } else {
      const values = records.map((record) => {
        const value = read(record)
        if (value === null || value === undefined) return null
        const own = typeof value === 'string' ? value : JSON.stringify(value)
        reserve(own.length * 2)
        return own
      })
      columns.set(name, { type, values })
    }
  }
  return { count: records.length, columns }
}

const MOST_COLUMNS = 4096

function tooWide(): BatchError {
  return new BatchError(`a table has at most ${MOST_COLUMNS} columns`)
}

function fromCsv(text: string, reserve: Reserve): Table {
  const header: string[] = []
  const fields: (string | null)[][] = []
  let row = 0
  let column = 0
  const take = (value: string): void => {
    if (row === 0) {
      header.push(value)
      if (header.length > MOST_COLUMNS) throw tooWide()
      fields.push([])
    } else {
      const into = fields[column]
      if (into === undefined) throw new BatchError(`row ${row} has more fields than the header`)
      reserve(8 + value.length * 2)
      into.push(value === '' ? null : value)
    }
    column++
  }
  const endRow = (): void => {
    if (row > 0 && column !== header.length) {
      throw new BatchError(`row ${row} has fewer fields than the header`)
    }
    row++
    column = 0
  }
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (column === 0 && (unit === 10 || unit === 13)) {
      // Blank lines are no rows.
      at++
      continue
    }
    if (unit === 0x22) {
      let value = ''
      let from = at + 1
      for (;;) {
        const close = text.indexOf('"', from)
        if (close === -1) throw new BatchError(`row ${row} leaves a quote open`)
        value += text.slice(from, close)
        from = close + 1
        if (text.charCodeAt(from) !== 0x22) break
        value += '"'
        from++
      }
      take(value)
      at = from
    } else {
      let end = at
      for (; end < text.length; end++) {
        const next = text.charCodeAt(end)
        if (next === 0x2c || next === 10 || next === 13) break
        if (next === 0x22) throw new BatchError(`row ${row} has a quote inside a field`)
      }
      take(text.slice(at, end))
      at = end
    }
    const next = text.charCodeAt(at)
    if (at >= text.length || next === 10 || next === 13) {
      endRow()
      at += next === 13 && text.charCodeAt(at + 1) === 10 ? 2 : 1
    } else if (next === 0x2c) {
      at++
      if (at === text.length || text.charCodeAt(at) === 10 || text.charCodeAt(at) === 13) {
        take('')
        endRow()
        at += text.charCodeAt(at) === 13 && text.charCodeAt(at + 1) === 10 ? 2 : 1
      }
    } else {
      throw new BatchError(`row ${row} has text behind a quote`)
    }
  }
  if (new Set(header).size !== header.length) throw new BatchError('a column stands twice in the header')
  return {
    count: Math.max(0, row - 1),
    columns: new Map(
      header.map((name, index) => [name, { type: 'text', values: fields[index] ?? [] }] as const),
    ),
  }
}
