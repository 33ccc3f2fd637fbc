import type { Digest } from '@sealpool/crypto'
import type { Charge } from '@sealpool/privacy'

/** A column that a computation reads. */
export interface PlannedColumn {
  readonly pool: string
  readonly table: string
  readonly column: string
  /** `pool.table.column`; under it `runComputation` expects the value in a row. */
  readonly key: string
}

/** What the plans of all computations have. */
export interface PlanHead {
  readonly format: 'sealpool/computation-plan'
  readonly version: 1
  /** Of a program, or of a built-in computation. */
  readonly code: Digest
  readonly manifest: Digest
  readonly columns: readonly PlannedColumn[]
  /** What the job costs each pool, by pool address. */
  readonly charge: { readonly [pool: string]: Charge }
  readonly minimumContributors: number
}
