import type { PackedColumns } from '../columnar/packed-columns.js'
import type { RecordBatch } from '../columnar/record-columns.js'
import type { RefineErrorCode } from '../errors.js'
import type { RefinerSchema, Scalar } from '../schema/table-schema.js'
import type { FullSourceLimits } from '../source/source-limits.js'
import type { BatchPlace } from './read-piece.js'

/** What a worker knows from its start. */
export interface WorkerData {
  readonly schema: RefinerSchema
  readonly limits: FullSourceLimits
  readonly contributor: number
  readonly format: 'csv' | 'jsonl'
  readonly header: readonly string[]
  readonly salt: Uint8Array
  readonly digest: boolean
  /** Most records that a mapping in the sandbox gets at once; undefined where the mapping is data. */
  readonly batchRecords?: number
}

/** A piece to be read. */
export interface PieceRequest {
  readonly kind: 'piece'
  readonly number: number
  readonly piece: Uint8Array
  /** Memory of pages that were stored. */
  readonly spare: readonly ArrayBuffer[]
}

/** Values that a function gave for the calls of one piece: a worker has several pieces under way. */
export interface FunctionReply {
  readonly kind: 'values'
  readonly number: number
  readonly results: readonly (readonly unknown[])[]
}

/** What the mapping gave for one batch: columns by table, or rows where some are no rows of their table. */
export type MappedBatch =
  | { readonly packed: Readonly<Record<string, PackedColumns>> }
  | { readonly tables: Readonly<Record<string, readonly unknown[]>> }

/** What the mapping gave for a batch of one piece. */
export interface MapReply {
  readonly kind: 'mapped'
  readonly number: number
  readonly mapped: MappedBatch
}

/** What a worker answers. */
export type PieceAnswer =
  | {
      readonly kind: 'call'
      readonly number: number
      readonly calls: readonly { readonly by: string; readonly values: readonly Scalar[] }[]
    }
  | {
      readonly kind: 'map'
      readonly number: number
      readonly batch: RecordBatch
      readonly place: BatchPlace
    }
  | {
      readonly kind: 'fault'
      readonly number: number
      readonly code: RefineErrorCode
      readonly place: string
      readonly message: string
    }
  /** With the memory of the piece, which is used again. */
  | ({ readonly kind: 'done'; readonly number: number; readonly memory: ArrayBuffer } & PieceResult)

/** A piece as rows of tables. */
export interface PieceResult {
  /** Records and lines that were read. */
  readonly records: number
  readonly lines: number
  readonly tables: readonly TablePiece[]
}

/** Rows of a table as pages and leaf hashes. */
export interface TablePiece {
  readonly table: string
  readonly rows: number
  readonly pages: readonly Uint8Array[]
  /** Leaf hashes, one behind the other, not sorted; empty when no digest was asked for. */
  readonly leaves: Uint8Array
}

/** Answers of functions that are known, by function and value. */
export type FunctionCache = Map<string, Map<Scalar, unknown>>
