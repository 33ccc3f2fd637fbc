/**
 * What a builder writes. This file imports types and one small function, so that a bundled refiner is the builder's own code
 * and a few lines; the host validates everything that the bundle says and returns.
 */
import type { BatchTable } from '@sealpool/sandbox'
import type {
  CellValue,
  ColumnSchema,
  DirectMapping,
  RefinerSchema,
  SourceField,
  SourceFormat,
  SourceNote,
} from '../schema/table-schema.js'
import { columnsOf, mapOfColumns, type PackedTables, packColumns } from './column-mapping.js'
import { directCell } from './direct-cell.js'
import { packRows, recordsOf } from './packed-rows.js'
import type { ActivitySample, ArchiveFile, HealthRecord, JsonValue, MailMessage } from './record-types.js'

import { isZodObject, zodColumns } from './zod-columns.js'

export type {
  ActivitySample,
  ArchiveFile,
  HealthRecord,
  JsonValue,
  MailMessage,
  WorkoutPart,
} from './record-types.js'
export { type ZodColumn, type ZodObjectLike, zodColumns } from './zod-columns.js'

/** What a mapping is told besides its record; never who contributed. */
export interface MapContext {
  /** Number of this record in its export, from 0. */
  readonly index: number
  /** How many records came with it: all of the export, or of its batch in a job over files. */
  readonly count: number
}

/** The value that a mapping may return for a column. */
export type CellOf<Column> = Column extends { readonly type: infer Type }
  ?
      | (Type extends 'integer'
          ? number
          : Type extends 'decimal'
            ? number | string
            : Type extends 'boolean'
              ? boolean
              : Column extends { readonly values: readonly (infer Value extends string)[] }
                ? Value
                : string)
      | (Column extends { readonly nullable: true } ? null : never)
  : never

/** The row that a mapping may return for a table: without vectors, which the host makes. */
export type RowOf<Table> = Table extends { readonly columns: infer Columns }
  ? {
      readonly [Name in keyof Columns as Columns[Name] extends { readonly type: 'vector' }
        ? never
        : Name]: CellOf<Columns[Name]>
    }
  : never

/** A value of a row out of CSV (text always), JSONL, Parquet or SQLite. */
export type FlatRecord = Readonly<Record<string, JsonValue>>

/** The record that a mapping gets: a CSV row by header name, a row, a sample, a message, a file, or a whole JSON document. */
export type RecordOf<Source> = Source extends 'csv'
  ? Readonly<Record<string, string>>
  : Source extends 'rows'
    ? FlatRecord
    : Source extends 'activity'
      ? ActivitySample
      : Source extends 'health'
        ? HealthRecord
        : Source extends 'mail'
          ? MailMessage
          : Source extends 'archive'
            ? ArchiveFile
            : JsonValue

interface TableDefinition {
  readonly description: string
  readonly columns: Readonly<Record<string, ColumnSchema>>
}

/** What {@link defineRefiner} takes. */
export interface RefinerDefinition<Source extends SourceFormat, Tables> {
  /** Lower-case identifier, words joined by `-`. */
  readonly id: string
  /** Version of the mapping, `major.minor.patch`. */
  readonly version: string
  /** Format of the exports. `csv`: `map` is called per row; `json`: once with the document. */
  readonly source: Source
  /** Table name to description and columns. */
  readonly tables: Tables
  /** Corrections to the source's documentation. */
  readonly notes?: readonly SourceNote[]
  /**
   * Turns one record into rows. Pure and synchronous; it has no clock, randomness or network. What it throws refuses the
   * contribution; the message is dropped, because it could hold a value.
   */
  readonly map?: (
    record: RecordOf<Source>,
    context: MapContext,
  ) => { readonly [Name in keyof Tables]?: readonly RowOf<Tables[Name]>[] }
  /**
   * Instead of `map`, with `fields`: the mapping of whole columns. It gets a table that the host holds, with the columns of `fields`, and
   * gives one for each table that it fills; what is in them never enters the interpreter, which only steers. Columns of the
   * given table that are named as a column of the refined one are its values, others are left out. Fields are text whatever the format
   * (`number` makes numbers of them), empty text is nothing, and 1 and 0
   * are the values of a boolean column. How many rows come at once is the host's choice: work row by row (`map`, `filter`).
   */
  readonly mapColumns?: (table: BatchTable) => { readonly [Name in keyof Tables]?: BatchTable }
  /** Fields of the source that `mapColumns` reads; sources `csv`, `jsonl` and `rows`. An object says that one is optional. */
  readonly fields?: readonly (string | SourceField)[]
  /**
   * Source `archive`: patterns of the paths that `map` reads, `Takeout/Mail/*.mbox`; `**` stands for any parts of a path. Other files are not even
   * opened, so nothing in them refuses an export, and an archive without any file that is read is refused. Default: every file is read.
   */
  readonly files?: readonly string[]
  /** Instead of `map`: the mapping as data, which the host runs on whole batches; sources `csv`, `jsonl` and `rows`. */
  readonly direct?: DirectMapping
  /** Functions that `direct` names in `by`: pure, called in the sandbox once for each different value of a batch. */
  readonly functions?: Readonly<Record<string, (value: string | number | boolean | null) => CellValue>>
}

/** Input of the bundle's entry `refine`. */
export interface RefineInput {
  readonly records: readonly JsonValue[]
  /** Number of the first of them in the export; default 0. */
  readonly first?: number
}

/** Output of the bundle's entry `refine`: rows by table, or the record on which the mapping failed. */
export type RefineOutput =
  | { readonly tables: { readonly [table: string]: readonly unknown[] } }
  | { readonly failedRecord: number }

/** Input of the bundle's entry `refineColumns`; the records stand in the run's attachment 0, see `readRecordBatches`. */
export interface RefineColumnsInput {
  /** Number of the first of them in the export; default 0. */
  readonly first?: number
  /** How many there are. */
  readonly count: number
}

/** Output of the bundle's entry `refineColumns`: columns of rows in attachments, or what `refine` gives where the rows are none. */
export type RefineColumnsOutput = { readonly packed: PackedTables } | RefineOutput

/** Input of the bundle's entry `applyFunction`. */
export interface ApplyInput {
  readonly function: string
  readonly values: readonly (string | number | boolean | null)[]
}

/** Output of the bundle's entry `applyFunction`. */
export type ApplyOutput = { readonly values: readonly CellValue[] } | { readonly failedValue: number }

/** A defined refiner: default-export it from the entry module that `bundleRefiner` takes. */
export interface Refiner {
  /** Bundle entry `describe`. @returns the schema as plain data */
  readonly describe: () => RefinerSchema
  /** Bundle entry `refine`. @param input - the records of one export @returns its rows by table */
  readonly refine: (input: RefineInput) => RefineOutput
  /**
   * Bundle entry `refineColumns`, for the host, which gives many records at once by column; it works in the sandbox alone.
   * @param input - how many records @returns their rows by table
   */
  readonly refineColumns: (input: RefineColumnsInput) => RefineColumnsOutput
  /** Bundle entry `applyFunction`. @param input - a function's name and values @returns what it gives for each */
  readonly applyFunction: (input: ApplyInput) => ApplyOutput
}

/** The mapping of `direct` as a function, for running a refiner outside of the host. */
function directMap(
  direct: DirectMapping | undefined,
  tables: Readonly<Record<string, TableDefinition>>,
  functions: Readonly<Record<string, (value: string | number | boolean | null) => CellValue>>,
): (record: unknown, context: MapContext) => object {
  return (record) => {
    if (direct === undefined) throw new Error('a refiner needs map, mapColumns or direct')
    const fields = record as FlatRecord
    const row: Record<string, unknown> = {}
    for (const [name, spec] of Object.entries(direct.columns)) {
      const column = tables[direct.table]?.columns[name]
      if (column === undefined) throw new Error('direct names a column that is not declared')
      const value = Object.hasOwn(fields, spec.from) ? fields[spec.from] : undefined
      const given = spec.by === undefined ? undefined : functions[spec.by]
      const scalar = value as string | number | boolean | null | undefined
      row[name] =
        given === undefined
          ? directCell(column, spec, value)
          : given(scalar === '' || scalar === undefined ? null : scalar)
    }
    return { [direct.table]: [row] }
  }
}

/**
 * Defines a refiner: one declaration of tables, one mapping into them.
 *
 * @param definition - see {@link RefinerDefinition}; the tables' types flow into what `map` must return
 * @returns the refiner, to be default-exported
 *
 * @example
 * ```ts
 * import { defineRefiner } from '@sealpool/refine/define'
 *
 * const refiner = defineRefiner({
 *   id: 'payroll', version: '1.0.0', source: 'json',
 *   tables: {
 *     workers: {
 *       description: 'One row per worker.',
 *       columns: {
 *         wage: { type: 'decimal', decimals: 2, unit: '{USD}/h', description: 'Hourly wage.', min: 0, max: 100 },
 *         member: { type: 'boolean', description: 'Member of a trade union.' },
 *       },
 *     },
 *   },
 *   map: (record) => {
 *     const payroll = record as { wage: number; union: 0 | 1 }
 *     return { workers: [{ wage: payroll.wage, member: payroll.union === 1 }] }
 *   },
 * })
 * console.log(refiner.refine({ records: [{ wage: 5.1, union: 1 }] }))
 * ```
 */
export function defineRefiner<
  const Source extends SourceFormat,
  const Tables extends Readonly<Record<string, TableDefinition>>,
>(definition: RefinerDefinition<Source, Tables>): Refiner {
  const { id, version, source, notes = [], direct, functions = {}, mapColumns, files } = definition
  const fields = definition.fields?.map((field) => (typeof field === 'string' ? { name: field } : field))
  // A zod object in the place of columns means its columns.
  const tables: Readonly<Record<string, TableDefinition>> = Object.fromEntries(
    Object.entries(definition.tables).map(([name, table]) => [
      name,
      isZodObject(table.columns) ? { ...table, columns: zodColumns(table.columns) } : table,
    ]),
  )
  const map = definition.map ?? directMap(direct, tables, functions)
  const mapRecords = (records: readonly unknown[], first: number, count: number): RefineOutput => {
    const out: Record<string, unknown[]> = {}
    for (const name of Object.keys(tables)) out[name] = []
    for (let index = 0; index < records.length; index += 1) {
      try {
        const rows = map(records[index] as RecordOf<Source>, { index: first + index, count }) as Record<
          string,
          readonly unknown[]
        >
        const names = Object.keys(rows)
        for (let at = 0; at < names.length; at += 1) {
          const name = names[at] as string
          // A table that was not declared is passed on, so that the host refuses it instead of losing its rows.
          const into = out[name] ?? []
          out[name] = into
          const given = rows[name] ?? []
          // By number where it is a list: asking it for its rows one by one costs the interpreter as much as a mapping does.
          if (Array.isArray(given)) for (let row = 0; row < given.length; row += 1) into.push(given[row])
          else for (const row of given) into.push(row)
        }
      } catch {
        return { failedRecord: index }
      }
    }
    return { tables: out }
  }
  return {
    describe: () => ({
      id,
      version,
      source,
      tables,
      notes,
      ...(direct === undefined ? {} : { direct }),
      ...(fields === undefined ? {} : { fields }),
      ...(files === undefined ? {} : { files }),
    }),
    applyFunction: ({ function: name, values }) => {
      const given = Object.hasOwn(functions, name) ? functions[name] : undefined
      const out: CellValue[] = []
      for (const value of values) {
        try {
          if (given === undefined) return { failedValue: 0 }
          out.push(given(value))
        } catch {
          return { failedValue: out.length }
        }
      }
      return { values: out }
    },
    refine: ({ records, first = 0 }) => {
      if (mapColumns === undefined) return mapRecords(records, first, records.length)
      try {
        return mapOfColumns({ table: columnsOf(records, fields ?? []), mapColumns, tables })
      } catch {
        return { failedRecord: 0 }
      }
    },
    refineColumns: ({ first = 0, count }) => {
      if (mapColumns === undefined) {
        const mapped = mapRecords(recordsOf(), first, count)
        return 'tables' in mapped ? (packRows(mapped.tables, tables) ?? mapped) : mapped
      }
      try {
        return packColumns({ mapColumns, tables })
      } catch {
        return { failedRecord: 0 }
      }
    },
  }
}
