import type { RefineErrorCode } from '../errors.js'
import type { RefinerSchema, Scalar } from '../schema/table-schema.js'
import type { FullSourceLimits } from '../source/source-limits.js'

/** What a worker knows from its start. */
export interface WorkerData {
  readonly schema: RefinerSchema
  readonly limits: FullSourceLimits
  readonly contributor: number
  readonly format: 'csv' | 'jsonl'
  readonly header: readonly string[]
  readonly salt: Uint8Array
  readonly digest: boolean
}

/** A piece to be read. */
export interface PieceRequest {
  readonly kind: 'piece'
  readonly number: number
  readonly piece: Uint8Array
}

/** Values that a function gave for the calls of one piece: a worker has several pieces under way. */
export interface FunctionReply {
  readonly kind: 'values'
  readonly number: number
  readonly results: readonly (readonly unknown[])[]
}

/** What a worker answers. */
export type PieceAnswer =
  | {
      readonly kind: 'call'
      readonly number: number
      readonly calls: readonly { readonly by: string; readonly values: readonly Scalar[] }[]
    }
  | {
      readonly kind: 'fault'
      readonly number: number
      readonly code: RefineErrorCode
      readonly place: string
      readonly message: string
    }
  | ({ readonly kind: 'done'; readonly number: number } & PieceResult)

/** A piece as pages and leaf hashes. */
export interface PieceResult {
  readonly rows: number
  readonly pages: readonly Uint8Array[]
  /** Leaf hashes, one behind the other, not sorted; empty when no digest was asked for. */
  readonly leaves: Uint8Array
}

/** Answers of functions that are known, by function and value. */
export type FunctionCache = Map<string, Map<Scalar, unknown>>
