import type { Cell, EngineColumn, Row } from '../engine/engine.js'
import type { QueryErrorCode } from '../errors.js'

/** A table load as JSON: the key goes as base64 over the pipe, never as an argument or in the environment. */
export type LoadMessage = {
  readonly name: string
  readonly columns: readonly EngineColumn[]
} & (
  | { readonly rows: readonly Readonly<Record<string, Cell>>[] }
  | { readonly parquet: { readonly paths: readonly string[]; readonly key?: string } }
)

/** From the caller to the worker. */
export type Request =
  | {
      readonly id: number
      readonly kind: 'open'
      readonly threads: number
      readonly memoryLimit: string
      readonly spillFolder: string | null
      readonly pseudonymKey: string | null
    }
  | { readonly id: number; readonly kind: 'load'; readonly table: LoadMessage }
  | {
      readonly id: number
      readonly kind: 'query'
      readonly sql: string
      readonly tables: readonly string[] | null
    }

/** From the worker to the caller. */
export type Answer =
  | { readonly id: number; readonly ok: true; readonly rows: readonly Row[] }
  | { readonly id: number; readonly ok: false; readonly code: QueryErrorCode; readonly place: string }
