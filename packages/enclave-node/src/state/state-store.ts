/**
 * The port through which the node remembers. It speaks PostgreSQL's SQL, so that one set of migrations and queries
 * serves the embedded store and a PostgreSQL server.
 * @module
 */

/** A value that goes into a statement; bigint ids travel as decimal text. */
export type SqlValue = string | number | boolean | null | Uint8Array

/** One row, by column name. */
export type SqlRow = Readonly<Record<string, unknown>>

/** Something that runs statements: the store itself, or one transaction in it. */
export interface Sql {
  /**
   * Runs one statement with positional parameters ($1, $2 ...).
   * @returns its rows
   */
  query(text: string, values?: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** Runs several statements without parameters. */
  run(text: string): Promise<void>
}

/** A store of the node's state. */
export interface StateStore extends Sql {
  /** Name of the adapter for status pages. */
  readonly name: 'pglite' | 'postgresql'
  /**
   * Runs work in one transaction: all of it is kept when the promise resolves, none of it when it rejects or when the
   * process is killed before.
   */
  transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T>
  /** Closes the store; no call may follow. */
  close(): Promise<void>
}
