import type { JsonValue } from '../define/record-types.js'
import type { RandomAccess } from './byte-source.js'
import type { FullSourceLimits } from './source-limits.js'

/** Which table of a database is read. */
export interface TableChoice {
  /** Name of the table; needed where there are several. */
  readonly table?: string
}

/** The port to a reader of flat tables in files that need random access (Parquet, SQLite). */
export type TableReader = (
  access: RandomAccess,
  limits: FullSourceLimits,
  choice?: TableChoice,
) => AsyncIterable<Readonly<Record<string, JsonValue>>>
