import { decodeCodes, encodeCodes, usedCodes } from './coded-text.js'

/**
 * One column held on the host's side: numbers alone with NaN for nothing, or cells that each are a text, a number, or null for nothing.
 * Which of the two is room and nothing else: what an expression makes of a cell must not depend on the rows that came with it.
 */
export type Column = (
  | { readonly type: 'number'; readonly values: Float64Array }
  | { readonly type: 'cells'; readonly values: readonly (string | number | null)[] }
) & {
  /** Where values come again: the number of each row's value, and `values` are the different ones. */
  readonly codes?: Uint16Array
}

/** A cell of a column: NaN or null where there is nothing. */
export function cellAt({ values, codes }: Column, row: number): string | number | null {
  return values[codes === undefined ? row : (codes[row] ?? 0)] ?? null
}

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
 * Reads records into columns. Each cell keeps its own type: a JSON number stays a number, also beside texts; booleans
 * become the texts `true` and `false`, nested values their JSON text. Fields of CSV are always texts; an empty field of CSV and an empty text of
 * `columns` is nothing.
 *
 * @param text the file
 * @param format how it is written: an array of objects, an object a line, RFC 4180 with a header, or
 *   `{ "names": [...], "columns": [[...], ...] }`, a column being a list or `{ "values": [...], "codes": "..." }` (coded-text.ts)
 * @param reserve asked for the room of every column
 * @throws BatchError for what is not of the format; the message holds the record's number and no value
 */
export function readTable(
  text: string,
  format: 'json' | 'jsonl' | 'csv' | 'columns',
  reserve: Reserve,
): Table {
  if (format === 'columns') return fromColumns(parseJson(text, 'the text'), reserve)
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
  const names = new Map<string, Column['type']>()
  records.forEach((record, index) => {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new BatchError(`record ${index} is not an object`)
    }
    for (const [name, value] of Object.entries(record)) {
      const known = names.get(name)
      if (value !== null && typeof value !== 'number') names.set(name, 'cells')
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
        const own = cellOf(value)
        if (typeof own === 'string') reserve(own.length * 2)
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

/** Columns as they are, so that nothing is made per row. */
function fromColumns(given: unknown, reserve: Reserve): Table {
  const { names, columns } = (given ?? {}) as { readonly names?: unknown; readonly columns?: unknown }
  if (!Array.isArray(names) || !Array.isArray(columns) || names.length !== columns.length) {
    throw new BatchError('expected names and as many columns')
  }
  if (names.length > MOST_COLUMNS) throw tooWide()
  const read = new Map<string, Column>()
  let count: number | undefined
  for (const [index, list] of columns.entries()) {
    const name: unknown = names[index]
    if (typeof name !== 'string' || read.has(name)) throw new BatchError('expected names, each once')
    const coded = Array.isArray(list) ? undefined : codedOf(list)
    const values: unknown = coded === undefined ? list : coded.values
    const length = coded?.codes.length ?? (Array.isArray(list) ? list.length : undefined)
    if (!Array.isArray(values) || length === undefined || (count !== undefined && length !== count)) {
      throw new BatchError('expected lists of one length')
    }
    count = length
    reserve(values.length * 8 + (coded === undefined ? 0 : 2 * length))
    const column = columnOf(values, reserve)
    read.set(name, coded === undefined ? column : { ...column, codes: coded.codes })
  }
  return { count: count ?? 0, columns: read }
}

function codedOf(
  given: unknown,
): { readonly values: readonly unknown[]; readonly codes: Uint16Array } | undefined {
  const { values, codes: text } = (given ?? {}) as { readonly values?: unknown; readonly codes?: unknown }
  if (!Array.isArray(values) || typeof text !== 'string') return undefined
  const codes = decodeCodes(text, values.length)
  if (codes === undefined) return undefined
  const used = usedCodes(codes, values.length)
  return { values: used.kept.map((value): unknown => values[value]), codes: used.codes }
}

function columnOf(list: readonly unknown[], reserve: Reserve): Column {
  if (list.every((value) => typeof value === 'number' || value === null)) {
    const values = new Float64Array(list.length)
    for (let row = 0; row < list.length; row++) {
      const value = list[row]
      values[row] = typeof value === 'number' ? value : Number.NaN
    }
    return { type: 'number', values }
  }
  let units = 0
  const values = list.map((value) => {
    if (value === null || value === '') return null
    const own = cellOf(value)
    if (typeof own === 'string') units += own.length
    return own
  })
  reserve(units * 2)
  return { type: 'cells', values }
}

/** A value of JSON as a cell. */
function cellOf(value: unknown): string | number {
  return typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value)
}

/** Rows that are written at once: what is too long is noticed before much of it was made. */
const ROWS_WRITTEN = 4096

/**
 * JSON text of columns, a list of each.
 *
 * @param table the table
 * @param wanted which columns, each once, and whether its numbers are truth values
 * @param how `coded`: write coded columns as `{ "values": [...], "codes": "..." }`; `written`: told the length of each part as it is made
 * @returns `[[...], ...]`, nothing as null
 * @throws BatchError for a column that is not there or is named twice, or a truth value that is neither 0 nor 1
 */
export function printColumns(
  table: Table,
  wanted: readonly { readonly name: string; readonly boolean: boolean }[],
  { coded, written }: { readonly coded: boolean; readonly written: (units: number) => void },
): string {
  if (new Set(wanted.map(({ name }) => name)).size !== wanted.length) {
    throw new BatchError('a column is attached once')
  }
  const lists = wanted.map(({ name, boolean }) => {
    const column = table.columns.get(name)
    if (column === undefined) throw new BatchError('the table has no column of this name')
    const { codes } = column
    if (!coded || codes === undefined) {
      return printCells((row) => cellAt(column, row), { count: table.count, boolean, written })
    }
    const values = printCells((at) => column.values[at] ?? null, {
      count: column.values.length,
      boolean,
      written,
    })
    const text = encodeCodes(codes, column.values.length)
    written(text.length)
    return `{"values":${values},"codes":"${text}"}`
  })
  return `[${lists.join(',')}]`
}

/** JSON text of a list of cells. */
function printCells(
  cell: (at: number) => string | number | null,
  how: { readonly count: number; readonly boolean: boolean; readonly written: (units: number) => void },
): string {
  const parts: string[] = []
  for (let from = 0; from < how.count; from += ROWS_WRITTEN) {
    const cells: unknown[] = []
    for (let at = from; at < Math.min(from + ROWS_WRITTEN, how.count); at++) {
      const value = cell(at)
      cells.push(how.boolean ? truthOf(value) : value)
    }
    // JSON.stringify writes what is not finite as null.
    const part = JSON.stringify(cells).slice(1, -1)
    how.written(part.length + 1)
    parts.push(part)
  }
  return `[${parts.join(',')}]`
}

/** A cell as a truth value; a text stays one. */
function truthOf(value: string | number | null): unknown {
  if (typeof value !== 'number') return value
  if (Number.isNaN(value)) return null
  if (value !== 0 && value !== 1) throw new BatchError('a truth value is 0 or 1')
  return value === 1
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
      header.map((name, index) => [name, { type: 'cells', values: fields[index] ?? [] }] as const),
    ),
  }
}
