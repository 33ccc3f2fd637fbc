import type { BlobStore } from '@sealpool/client'
import type { NamedTable, Row } from '@sealpool/refine'
import type { JobRuntime } from '@sealpool/sandbox'
import type { AuditLog } from '../audit/audit-file.js'
import type { ChainPort } from '../chain/chain-port.js'
import type { OwnCopiesSettings } from '../config/own-copies-settings.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import type { NodeSigner } from '../key/node-signer.js'
import type { OwnCopies } from '../own-copy/own-copies.js'
import type { TablePart } from '../state/refinement-table.js'
import type { StateStore } from '../state/state-store.js'
import type { Tracer } from '../trace/tracer.js'
import type { ValidatorPanel } from '../validation/ask-validators.js'
import type { ContentIndexes } from './content-indexes.js'
import type { JudgingLimits } from './judge-contribution.js'
import type { ServedPool } from './served-pool.js'

/** Where encrypted table files live; the adapter on disk is `runtime/part-folder.ts`. */
export interface PartStore {
  /** Writes one part whole, replacing one of the same name from an attempt that was cut short. */
  write(part: {
    readonly pool: ServedPool
    readonly refinement: string
    readonly table: NamedTable
    readonly rows: readonly Row[]
    readonly key: Uint8Array
  }): Promise<TablePart>
  /** Removes parts; one that is gone already is no error. */
  remove(pool: ServedPool, parts: readonly TablePart[]): Promise<void>
  /** @returns names of the parts that lie there, one after the other, whoever has written them */
  list(pool: ServedPool): AsyncIterable<string>
  /** @returns the paths of parts, in order */
  paths(pool: ServedPool, parts: readonly TablePart[]): readonly string[]
}

/** Everything that ingest works with. */
export interface IngestContext {
  readonly store: StateStore
  readonly chain: ChainPort
  readonly blobStore: BlobStore
  /** What contributors keep in stores of their own. */
  readonly ownCopies: OwnCopies
  readonly keys: NodeKeyRing
  readonly sign: NodeSigner
  readonly runtime: JobRuntime
  readonly parts: PartStore
  /** What the pools hold, for contributions to be compared with. */
  readonly contents: ContentIndexes
  /** Those who judge besides this node; absent where no pool has any. */
  readonly validation?: (ValidatorPanel & { readonly audit: Pick<AuditLog, 'write'> }) | undefined
  readonly limits: JudgingLimits
  readonly settings: {
    readonly concurrency: number
    readonly batchSize: number
    readonly refinementSize: number
    readonly maximumBlobBytes: number
    readonly missingBlobTries: number
    readonly missingBlobWaitSeconds: number
    readonly ownCopies: Pick<OwnCopiesSettings, 'atOnce' | 'jobSeconds'>
  }
  /** Unix seconds; decides only when something is tried again. */
  readonly now: () => number
  /** Lets whatever else the process has to do have a turn, during work that takes seconds. */
  readonly giveWay: () => Promise<void>
  /** Notes its steps; absent: they are not noted. */
  readonly trace?: Tracer | undefined
}
