import { MOST_ATTACHMENTS } from '../attachments.js'
import { type Aggregate, aggregate } from './aggregate.js'
import { usedCodes } from './coded-text.js'
import { evaluateColumn, selectRows } from './expression.js'
import { keccakHex, sha256Hex } from './hash.js'
import { linearRegExp, PatternError } from './regular-expression/index.js'
import { BatchError, type Column, cellAt, printColumns, readTable, type Table } from './table.js'

/** Thrown out of a batch function when the run is over. */
export class BatchStop extends Error {
  override readonly name = 'BatchStop'
  /** What was used up. */
  readonly reason: 'time' | 'memory' | 'output'

  constructor(reason: 'time' | 'memory' | 'output') {
    super(reason)
    this.reason = reason
  }
}

/** The functions that run on the host's side, for one run. */
export interface BatchHost {
  /**
   * Calls one function.
   *
   * @param name of the function
   * @param args JSON text of its arguments
   * @param text one long text that crosses as it is
   * @returns JSON text: `{"ok": value}` or `{"no": message}`
   * @throws BatchStop when time or memory is used up
   */
  call(name: string, args: string, text: string): string
  /** Texts that the code attached so far, which leave beside its output. */
  readonly attached: readonly string[]
  /** How many attachments the job has. */
  readonly given: number
}

const LONGEST_LIST = 1_000_000

/**
 * Makes the batch functions of one run. They are pure: a table is a number to the code, what is in it stays here, and the same
 * calls give the same answers on every machine. What they hold counts against the run's memory.
 *
 * @param options `memoryBytes` that tables and answers may take; `outputBytes` that attached texts may have; `attachments` of the job;
 *   `expired`: whether the deadline has passed
 */
export function createBatchHost(options: {
  readonly memoryBytes: number
  readonly outputBytes: number
  readonly attachments: readonly string[]
  readonly expired: () => boolean
}): BatchHost {
  let left = options.memoryBytes
  let leaving = options.outputBytes
  const attached: string[] = []
  let steps = 0
  const tables: (Table | undefined)[] = []
  const reserve = (bytes: number): void => {
    left -= bytes
    if (left < 0) throw new BatchStop('memory')
  }
  const tick = (more: number): void => {
    steps += more
    if (steps < 65_536) return
    steps = 0
    if (options.expired()) throw new BatchStop('time')
  }
  const attach = (text: string): number => {
    leaving -= text.length
    if (leaving < 0) throw new BatchStop('output')
    if (attached.length >= MOST_ATTACHMENTS)
      throw new BatchError(`a run attaches at most ${MOST_ATTACHMENTS} texts`)
    return attached.push(text) - 1
  }
  const attachmentAt = (index: unknown): string => {
    const text = typeof index === 'number' ? options.attachments[index] : undefined
    if (text === undefined) throw new BatchError('the job has no attachment of this number')
    return text
  }
  const keep = (table: Table): { table: number; count: number; columns: string[] } => ({
    table: tables.push(table) - 1,
    count: table.count,
    columns: [...table.columns.keys()],
  })
  const tableAt = (id: unknown): Table => {
    const table = typeof id === 'number' ? tables[id] : undefined
    if (table === undefined) throw new BatchError('this table was dropped or never was')
    return table
  }

  const functions: Readonly<Record<string, (args: readonly unknown[], text: string) => unknown>> = {
    sha256: (_, text) => sha256Hex(text),
    keccak256: (_, text) => keccakHex(text),
    sha256All: ([list]) => textsOf(list).map((text) => (text === null ? null : hashed(text, sha256Hex))),
    keccak256All: ([list]) => textsOf(list).map((text) => (text === null ? null : hashed(text, keccakHex))),
    test: ([pattern, flags], text) => linearRegExp(textOf(pattern), textOf(flags), tick).test(text),
    exec: ([pattern, flags], text) => linearRegExp(textOf(pattern), textOf(flags), tick).exec(text),
    matches: ([pattern, flags, most], text) =>
      linearRegExp(textOf(pattern), textOf(flags), tick).matches(text, wholeOf(most, LONGEST_LIST)),
    replace: ([pattern, flags, replacement], text) =>
      linearRegExp(textOf(pattern), textOf(flags), tick).replace(text, textOf(replacement)),
    attach: (_, text) => attach(text),
    attachColumns: ([id, names, booleans, coded]) => {
      const table = tableAt(id)
      const truths = new Set(textsOf(booleans))
      let units = 0
      return attach(
        printColumns(
          table,
          textsOf(names).map((name) => ({ name: name ?? '', boolean: truths.has(name) })),
          {
            coded: coded === true,
            written: (more) => {
              units += more
              if (units > leaving) throw new BatchStop('output')
              tick(more)
            },
          },
        ),
      )
    },
    table: ([format, attachment], given) => {
      if (format !== 'json' && format !== 'jsonl' && format !== 'csv' && format !== 'columns') {
        throw new BatchError('a table is read from json, jsonl, csv or columns')
      }
      const text = attachment === null || attachment === undefined ? given : attachmentAt(attachment)
      // What parsing makes beside the columns is at most a few times the text, and gone when it returns.
      if (text.length * 4 > left) throw new BatchStop('memory')
      return keep(readTable(text, format, reserve))
    },
    map: ([id, name, expression]) => {
      const table = tableAt(id)
      const column = evaluateColumn(expression, { table, reserve, tick })
      return keep({ count: table.count, columns: new Map(table.columns).set(textOf(name), column) })
    },
    filter: ([id, expression]) => {
      const table = tableAt(id)
      const rows = selectRows(expression, { table, reserve, tick })
      reserve(rows.length * 8 * table.columns.size)
      const columns = new Map([...table.columns].map(([name, column]) => [name, pick(column, rows)]))
      return keep({ count: rows.length, columns })
    },
    aggregate: ([id, wanted, by]) => {
      if (typeof wanted !== 'object' || wanted === null)
        throw new BatchError('aggregate needs figures by name')
      return aggregate(
        tableAt(id),
        wanted as Readonly<Record<string, Aggregate>>,
        by === null || by === undefined ? undefined : textOf(by),
        tick,
      )
    },
    rows: ([id, from, to, names]) => {
      const table = tableAt(id)
      const first = wholeOf(from, table.count)
      const last = Math.min(wholeOf(to, Number.MAX_SAFE_INTEGER), table.count)
      const wanted = names === null || names === undefined ? [...table.columns.keys()] : textsOf(names)
      return Array.from({ length: Math.max(0, last - first) }, (_, index) => {
        tick(wanted.length)
        const row: Record<string, unknown> = Object.create(null)
        for (const name of wanted) {
          const column = table.columns.get(name ?? '')
          const value = column === undefined ? null : cellAt(column, first + index)
          row[name ?? ''] = typeof value === 'number' && !Number.isFinite(value) ? null : value
        }
        return row
      })
    },
    drop: ([id]) => {
      tableAt(id)
      tables[id as number] = undefined
      return null
    },
  }
  const hashed = (text: string, hash: (text: string) => string): string => {
    tick(text.length + 64)
    return hash(text)
  }

  return {
    attached,
    given: options.attachments.length,
    call(name, args, text) {
      if (options.expired()) throw new BatchStop('time')
      // As it is: the one answer that may be long and is no JSON text.
      if (name === 'attachment') return options.attachments[Number(args)] ?? ''
      let answer: string
      try {
        // C strings end at U+0000, so that a text with one crosses as JSON text.
        const quoted = name.startsWith('"')
        const plain = quoted ? name.slice(1) : name
        const work = Object.hasOwn(functions, plain) ? functions[plain] : undefined
        if (work === undefined) throw new BatchError('there is no batch function of this name')
        const list: unknown = JSON.parse(args)
        answer = JSON.stringify({
          ok: work(Array.isArray(list) ? list : [], quoted ? String(JSON.parse(text)) : text),
        })
      } catch (error) {
        if (error instanceof BatchError || error instanceof PatternError) {
          return JSON.stringify({ no: error.message })
        }
        // V8 says RangeError for a text beyond its longest.
        if (error instanceof RangeError) throw new BatchStop('memory')
        throw error
      }
      // The answer is copied into the interpreter, whose own limit holds it there; it is not kept here.
      if (answer.length * 2 > options.memoryBytes) throw new BatchStop('memory')
      return answer
    },
  }
}

function pick(column: Column, rows: Uint32Array): Column {
  const { codes, ...plain } = column
  if (codes !== undefined) {
    const used = usedCodes(
      Uint16Array.from(rows, (row) => codes[row] ?? 0),
      column.values.length,
    )
    return { ...pick(plain, Uint32Array.from(used.kept)), codes: used.codes }
  }
  if (column.type === 'number') {
    const values = new Float64Array(rows.length)
    for (let at = 0; at < rows.length; at++) values[at] = column.values[rows[at] ?? 0] ?? Number.NaN
    return { type: 'number', values }
  }
  const values: (string | number | null)[] = []
  for (let at = 0; at < rows.length; at++) values.push(column.values[rows[at] ?? 0] ?? null)
  return { type: 'cells', values }
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new BatchError('expected a text')
  return value
}

function textsOf(value: unknown): readonly (string | null)[] {
  const isText = (one: unknown): boolean => one === null || typeof one === 'string'
  if (!Array.isArray(value) || value.length > LONGEST_LIST || !value.every(isText)) {
    throw new BatchError(`expected a list of at most ${LONGEST_LIST} texts`)
  }
  return value as (string | null)[]
}

function wholeOf(value: unknown, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new BatchError('expected a whole number')
  return Math.min(value as number, most)
}
