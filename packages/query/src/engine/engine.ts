/** A cell of an engine's answer: integers of any size and exact decimals come as text. */
export type Cell = string | number | boolean | null

/** One row of an engine's answer, by column name. */
export type Row = Readonly<Record<string, Cell>>

/** What an engine needs to know of a column: the fields of the policy's columns. */
export interface EngineColumn {
  readonly name: string
  readonly type: 'integer' | 'decimal' | 'text' | 'boolean' | 'date' | 'timestamp'
  readonly decimals?: number | undefined
  readonly min?: number | undefined
  readonly max?: number | undefined
  /** Bounds of a date or a timestamp in ISO form. */
  readonly earliest?: string | undefined
  readonly latest?: string | undefined
}

/**
 * A table to load. Every row has an integer `contributor` first, then the columns. Values that do not fit their
 * column become null, numbers and moments outside of its bounds become the bound, rows without a contributor are left out: an
 * engine holds only what the planner's promises are about.
 */
export type TableLoad = {
  /** `pool.table`. */
  readonly name: string
  readonly columns: readonly EngineColumn[]
} & (
  | { readonly rows: readonly Readonly<Record<string, Cell>>[] }
  | {
      readonly parquet: {
        readonly paths: readonly string[]
        /** 32 bytes: the footer key of Parquet modular encryption. Absent for plain files. */
        readonly key?: Uint8Array
      }
    }
)

/** What a printed statement must turn out to be when the engine's own parser reads it. */
export interface Expectation {
  /** Tables as `pool.table`, in any order; the statement must reach exactly these. */
  readonly tables: readonly string[]
}

/** An SQL engine: holds pool tables and answers printed statements. Nothing is loaded after the first query. */
export interface SqlEngine {
  readonly dialect: 'duckdb' | 'postgresql' | 'clickhouse'
  /** How many shards add up an answer; 1 when absent. Counts of distinct values are then read as values. */
  readonly shards?: number
  /**
   * In how many parts of the contributors a statement is asked, one after the other; 1 when absent. Each part needs a part of
   * the memory, and integers add up exactly.
   */
  readonly slices?: number
  /** @throws QueryError `ENGINE_LOAD_FAILED`, `ENGINE_LOCKED`, `ENGINE_CLOSED`, `ENGINE_TIMEOUT` */
  load(table: TableLoad): Promise<void>
  /** @throws QueryError `STATEMENT_REFUSED`, `ENGINE_FAILED`, `ENGINE_CLOSED`, `ENGINE_TIMEOUT` */
  query(sql: string, expectation?: Expectation): Promise<readonly Row[]>
  /**
   * Tells whether the engine can be asked for these tables, without looking at any row: an answerer asks it before it charges.
   * Engines that have no such method are charged for as they are.
   *
   * @param tables - as `pool.table`
   * @throws QueryError `ENGINE_TABLE_MISSING` for a table that was not loaded; anything else says that the engine is gone
   */
  ready?(tables: readonly string[]): Promise<void>
  close(): Promise<void>
}
