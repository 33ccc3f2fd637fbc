import type { JobManifest } from '@sealpool/compute'
import type { JobMaterial } from '../job/execute-job.js'
import type { PlannedJob } from '../job/planned-job.js'
import type { JobRow } from '../state/job-table.js'
import type { ShardPlace } from './shard.js'

/** A shard of a job, on its way to its node. */
export interface ShardVisit extends ShardPlace {
  /** Deals the contributors; the same whenever it is asked. */
  readonly deal: () => Promise<ReadonlyMap<number, number>>
}

/** What is asked of a hand-off: one job, planned, on what was reserved for it. */
export interface HandOffVisit {
  readonly job: JobRow
  readonly manifest: JobManifest
  readonly planned: PlannedJob
  readonly material: JobMaterial
  /** A sign of life for the chain. */
  readonly beat: () => Promise<void>
  /** What of the job is asked about; absent: the whole. */
  readonly shard?: ShardVisit
}
