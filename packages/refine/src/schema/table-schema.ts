/**
 * What a refiner's tables look like, as plain data: this is what a pool approves, what is digested and what every
 * printed form (DDL, JSON Schema, dictionary) is made of.
 */

/**
 * `decimal` is exact fixed point; `date` is a calendar day without a time zone; `timestamp` is an instant in UTC to the
 * microsecond; `vector` is an embedding, which the host makes of a text column by the operator's model.
 */
export type ColumnType = 'integer' | 'decimal' | 'text' | 'boolean' | 'date' | 'timestamp' | 'vector'

/** How a `vector` column is made. */
export interface Embedding {
  /** The text column of the same table, as it is stored: after what its `pii` does. */
  readonly from: string
  /** SHA-256 of the model, `sha256:` and 64 hexadecimal digits; an embedder of another one is refused. */
  readonly model: string
  /** Numbers in a vector, 1 to 4096. */
  readonly dimensions: number
}

/** What becomes of personal data found in a text column; see `redactPii` of `@sealpool/privacy/pii`. */
export type PiiMode = 'refuse' | 'drop' | 'mask' | 'hash' | 'token' | 'generalise'

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
  /**
   * Personal data in this column, `text` only. Without it the column is taken as the mapping gives it. `refuse` refuses the
   * contribution when any is found; the others change the text before the row is checked.
   */
  readonly pii?: PiiMode
  /** Smallest value allowed: a number (`integer`), a number or its text (`decimal`), an ISO day (`date`) or an instant (`timestamp`). */
  readonly min?: number | string
  /** Largest value allowed, same form as `min`. */
  readonly max?: number | string
  /** `vector` only, and required there. A mapping gives no such column. */
  readonly embedding?: Embedding
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

/**
 * What a refiner reads. `json`: one document; `csv`: rows of text by header; `jsonl`: one document per line; `rows`: rows out
 * of CSV, JSONL, a JSON list, Parquet or an SQLite table, whichever comes; `activity`: samples out of GPX, TCX or FIT;
 * `health`: an Apple Health `export.xml`; `mail`: messages out of mbox or single messages; `archive`: the files of a ZIP
 * export or a folder, one by one.
 */
export type SourceFormat = 'json' | 'csv' | 'jsonl' | 'rows' | 'activity' | 'health' | 'mail' | 'archive'

/** Where a column's value comes from when the mapping is data instead of code. */
export interface DirectColumn {
  /** Name of the source's field. */
  readonly from: string
  /** Source text (a number or boolean by its JSON text) to value. What is not named here is refused. */
  readonly values?: Readonly<Record<string, string | number | boolean | null>>
  /** May the field be absent from the header of a CSV, Parquet file or SQLite table? Then it is absent in every row. Default false. */
  readonly optional?: boolean
  /** Name of one of the refiner's `functions`, called once for each different value of a batch. */
  readonly by?: string
}

/** A mapping as data: one row of one table per record, each column from one field. The host runs it without a sandbox. */
export interface DirectMapping {
  /** The table that the rows go to. */
  readonly table: string
  /** Column name to where it comes from; every column of the table that may not be null is named. */
  readonly columns: Readonly<Record<string, DirectColumn>>
}

/** A field of the source that `mapColumns` gets as a column. */
export interface SourceField {
  /** Its name, exactly. */
  readonly name: string
  /** May it be absent from the header of a CSV, Parquet file or SQLite table? Then it is nothing in every row. Default false. */
  readonly optional?: boolean
}

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
  /** The mapping, where it is data. */
  readonly direct?: DirectMapping
  /** The fields that the mapping gets as columns, where it works on whole columns. */
  readonly fields?: readonly SourceField[]
  /**
   * Source `archive`: the paths that are read; files of others are not even opened, and an archive without any is refused. `*` stands
   * for any characters of a part, `**` for any parts: `Takeout/Mail/*.mbox`.
   */
  readonly files?: readonly string[]
}

/**
 * A value in a row. Decimals are text with exactly the column's places, days `YYYY-MM-DD`, instants `YYYY-MM-DDThh:mm:ss[.f]Z`, vectors a
 * JSON list of numbers.
 */
export type CellValue = string | number | boolean | null

/** A value of a flat record, as functions of a refiner get it. */
export type Scalar = string | number | boolean | null

/** One row of a refined table: `contributor` first, then the table's columns in their order. */
export type Row = Readonly<Record<string, CellValue>>

/** The column that the host puts first in every table: the contributor's integer surrogate. */
export const contributorColumn = 'contributor'
