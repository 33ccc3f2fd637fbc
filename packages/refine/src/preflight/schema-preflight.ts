import { RefineError, type RefineErrorCode } from '../errors.js'
import { createPiiPass } from '../pii/pii-pass.js'
import { schemaId } from '../schema/schema-id.js'
import type { RefinerSchema } from '../schema/table-schema.js'
import { expectedValue, faultReason } from './expected-value.js'
import {
  type MappedExport,
  type MappedRows,
  mappedExport,
  type PreflightOptions,
  type RecordRun,
  recordName,
} from './mapped-export.js'
import type { PreflightExport, PreflightFinding } from './preflight-finding.js'
import { type RowFault, rowFaults } from './row-faults.js'

/** One thing that does not fit the pool's tables. It names places and holds no value of the export. */
export interface SchemaFault {
  /** Number of the record in the export from 1, a header not counted; null where reading itself failed. */
  readonly record: number | null
  readonly table: string | null
  readonly column: string | null
  /** The export's field that the column is made of, where the mapping is data. */
  readonly field: string | null
  readonly code: RefineErrorCode
  /** Where, as the node would name it in a refusal: `workers[41].wage`, `line 3`. Rows of records that could not be mapped are not counted. */
  readonly place: string
}

/** What `schemaPreflight` found. */
export interface SchemaFinding extends PreflightFinding {
  /** Records that were read. */
  readonly records: number
  /** Rows that the tables would get of them. */
  readonly rows: number
  /** The first faults, in the order of the export. */
  readonly faults: readonly SchemaFault[]
  /** How many more there are at least. */
  readonly more: number
}

/** What `schemaPreflight` takes. */
export interface SchemaPreflightOptions extends PreflightOptions {
  /** How many faults are named; default 20. */
  readonly faults?: number
  /** Most rows that a contribution may give, over all tables; default 100,000, as `refineBatch` has it. */
  readonly rowsPerContribution?: number
}

/** As `refineBatch` has it. */
const defaultRows = 100_000
/** Rows are made and dropped here, so that no secret of the pool is needed for columns that say `hash`. */
const anyKey = /* @__PURE__ */ new Uint8Array(32)

/**
 * See `schemaPreflight` of `./with-platform.ts`, which gives the platform's decompression to it.
 *
 * @param options - see {@link SchemaPreflightOptions}
 * @returns the check
 */
export function schemaCheck(
  options: SchemaPreflightOptions,
): (input: PreflightExport, signal?: AbortSignal) => Promise<SchemaFinding> {
  const { faults: most = 20, rowsPerContribution = defaultRows } = options
  const mapped = mappedExport(options)
  const id = schemaId(mapped.schema)
  return async (input, signal) => {
    const search = faultSearch(mapped, most)
    if (input.schemaId !== undefined && input.schemaId !== id) {
      search.note({ ...nowhere, code: 'REFINER_MISMATCH', place: 'schemaId' })
      return findingOf(mapped.schema, search)
    }
    try {
      for await (const run of mapped.read(input, signal)) {
        await search.look(run, signal)
        if (search.rows() <= rowsPerContribution) continue
        search.note({ ...nowhere, code: 'LIMIT_EXCEEDED', place: 'rows' })
        break
      }
    } catch (error) {
      if (!(error instanceof RefineError)) throw error
      search.note({ ...columnOf(mapped.schema, error.place), code: error.code, place: error.place })
    }
    signal?.throwIfAborted()
    return findingOf(mapped.schema, search)
  }
}

const nowhere = { record: null, table: null, column: null, field: null }

/** A fault of the header names its column as its place. */
function columnOf(schema: RefinerSchema, place: string): Omit<SchemaFault, 'code' | 'place'> {
  const [table = '', column = ''] = place.split('.')
  if (schema.direct?.table !== table || !Object.hasOwn(schema.direct.columns, column)) return nowhere
  return { record: null, table, column, field: fieldOf(schema, table, column) }
}

function fieldOf({ direct }: RefinerSchema, table: string, column: string | null): string | null {
  if (direct?.table !== table || column === null || !Object.hasOwn(direct.columns, column)) return null
  return direct.columns[column]?.from ?? null
}

/** A mapping that is data names a record by its number among those that it was given. */
function placeInExport(place: string, { direct }: RefinerSchema, first: number): string {
  return place.replace(/^([a-z0-9_]+)\[(\d+)\]/, (whole, table: string, row: string) =>
    table === direct?.table ? `${table}[${Number(row) + first}]` : whole,
  )
}

interface FaultSearch {
  /** Looks for faults in a run of records. */
  look(run: RecordRun, signal: AbortSignal | undefined): Promise<void>
  note(fault: SchemaFault): void
  rows(): number
  counts(): Pick<SchemaFinding, 'records' | 'rows' | 'faults' | 'more'>
}

/** How many rows were made for each table. */
type RowCounts = ReadonlyMap<string, number>

/** A run with a fault is halved until the record stands alone that has it: rows alone do not tell which record they are of. */
function faultSearch({ schema, map }: MappedExport, most: number): FaultSearch {
  const pass = createPiiPass({ key: anyKey })
  const faults: SchemaFault[] = []
  let more = 0
  let records = 0
  let rows = 0
  const before = new Map<string, number>()
  const add = (made: RowCounts) => {
    for (const [table, count] of made) {
      before.set(table, (before.get(table) ?? 0) + count)
      rows += count
    }
  }
  const note = (fault: SchemaFault) => {
    if (faults.length < most) faults.push(fault)
    else more += 1
  }
  const tried = async (
    run: RecordRun,
  ): Promise<{ readonly made: RowCounts; readonly faults: readonly RowFault[] } | RefineError> => {
    try {
      const rowsOf: MappedRows = await map(run)
      const made = new Map(Object.entries(rowsOf).map(([table, list]) => [table, list.length]))
      return { made, faults: rowFaults(schema, rowsOf, pass) }
    } catch (error) {
      if (error instanceof RefineError) return error
      throw error
    }
  }
  const look = async (
    { first, records: list }: RecordRun,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const found = await tried({ first, records: list })
    if (!(found instanceof RefineError) && found.faults.length === 0) {
      add(found.made)
      return
    }
    if (list.length > 1 && faults.length < most) {
      signal?.throwIfAborted()
      const middle = list.length >> 1
      await look({ first, records: list.slice(0, middle) }, signal)
      await look({ first: first + middle, records: list.slice(middle) }, signal)
      return
    }
    if (found instanceof RefineError) {
      // Of many records that nobody takes apart any more, one at least is at fault.
      note({
        ...nowhere,
        record: first + 1,
        code: found.code,
        place: placeInExport(found.place, schema, first),
      })
      return
    }
    for (const { table, index, column, code } of found.faults) {
      const place = `${table}[${(before.get(table) ?? 0) + index}]${column === null ? '' : `.${column}`}`
      note({ record: first + 1, table, column, field: fieldOf(schema, table, column), code, place })
    }
    add(found.made)
  }
  return {
    look: async (run, signal) => {
      records = run.first + run.records.length
      await look(run, signal)
    },
    note,
    rows: () => rows,
    counts: () => ({ records, rows, faults, more }),
  }
}

function findingOf(schema: RefinerSchema, search: FaultSearch): SchemaFinding {
  const counts = search.counts()
  const { rows, records, faults, more } = counts
  const about = { id: 'schema', title: 'The export fits the tables of the pool', ...counts }
  if (faults.length === 0) {
    const detail = `${rows} rows of ${records} records fit`
    return rows === 0
      ? { ...about, result: 'warn', detail: 'the export gives no rows: is it the right file?' }
      : { ...about, result: 'pass', detail }
  }
  const lines = faults.map((fault) => lineOf(schema, fault))
  if (more > 0) lines.push(`and ${more} more at least`)
  return { ...about, result: 'fail', detail: lines.join('\n') }
}

function lineOf(schema: RefinerSchema, { record, table, column, field, code, place }: SchemaFault): string {
  const where = [
    ...(record === null
      ? []
      : [schema.source === 'json' ? 'the document' : `${recordName(schema.source)} ${record}`]),
    ...(field === null ? [] : [`field ${field}`]),
    ...(column === null || table === null ? [place] : [`column ${table}.${column}`]),
  ]
  const wanted = column === null || table === null ? undefined : schema.tables[table]?.columns[column]
  const expected =
    wanted === undefined || code === 'FIELD_MISSING' ? '' : `; expected ${expectedValue(wanted)}`
  return `${where.join(', ')}: ${faultReason(code)} (${code})${expected}`
}
