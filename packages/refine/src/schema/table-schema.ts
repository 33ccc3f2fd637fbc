/**
 * What a refiner's tables look like, as plain data: this is what a pool approves, what is digested and what every
 * printed form (DDL, JSON Schema, dictionary) is made of.
 */

/** `decimal` is exact fixed point; `date` is a calendar day without a time zone. */
export type ColumnType = 'integer' | 'decimal' | 'text' | 'boolean' | 'date'

/** One column. Which fields apply depends on `type`; {@link parseRefinerSchema} checks it. */
export interface ColumnSchema {
  /** Type of every value in it. */
  readonly type: ColumnType
  /** What a value means, for people: one sentence. */
  readonly description: string
  /** May a value be null? Default false. */
  readonly nullable?: boolean
  /** Places after the point, 0 to 17; `decimal` only, and required there. */
  readonly decimals?: number
  /** Unit of measurement as UCUM code text (`h`, `kg`, `[lb_av]`), currencies as ISO 4217 in braces (`{USD}/h`). */
  readonly unit?: string
  /** The only values allowed, all public; `integer`, `text` and `boolean`. */
  readonly values?: readonly (string | number | boolean)[]
  /** Smallest value allowed: a number (`integer`, `decimal`) or an ISO day (`date`). */
  readonly min?: number | string
  /** Largest value allowed, same form as `min`. */
  readonly max?: number | string
  /** Most UTF-16 code units of a `text`; default 1024. */
  readonly maxLength?: number
}

/** One table; columns keep the order in which they are written. */
export interface TableSchema {
  /** What a row is, for people: one sentence. */
  readonly description: string
  /** Column name to column. `contributor` is added by the host and may not be declared. */
  readonly columns: Readonly<Record<string, ColumnSchema>>
}

/** A table with its name. */
export interface NamedTable extends TableSchema {
  /** Lower-case identifier, at most 63 characters. */
  readonly name: string
}

/** A statement of the source's own documentation that the refiner found wrong, and what is right. */
export interface SourceNote {
  /** The column as the source's documentation names it. */
  readonly column: string
  /** What that documentation says, what the data say, and what the refiner does. */
  readonly statement: string
}

/** Formats that a refiner can read. */
export type SourceFormat = 'json' | 'csv'

/** Everything that a refiner declares; its code is bound to it by {@link schemaId} and the bundle's digest. */
export interface RefinerSchema {
  /** Lower-case identifier of the refiner, words joined by `-`. */
  readonly id: string
  /** Version of the mapping, `major.minor.patch`. */
  readonly version: string
  /** The format of the exports it reads. */
  readonly source: SourceFormat
  /** Table name to table. */
  readonly tables: Readonly<Record<string, TableSchema>>
  /** Corrections to the source's documentation. */
  readonly notes: readonly SourceNote[]
}

/** A value in a row. Decimals are text with exactly the column's places, days are `YYYY-MM-DD`. */
export type CellValue = string | number | boolean | null

/** One row of a refined table: `contributor` first, then the table's columns in their order. */
export type Row = Readonly<Record<string, CellValue>>

/** The column that the host puts first in every table: the contributor's integer surrogate. */
export const contributorColumn = 'contributor'
