import type { JobManifest } from '@sealpool/compute'
import type { JobMaterial } from '../job/execute-job.js'
import type { PlannedJob } from '../job/planned-job.js'
import type { JobRow } from '../state/job-table.js'

/** What is asked of a hand-off: one job, planned, on what was reserved for it. */
export interface HandOffVisit {
  readonly job: JobRow
  readonly manifest: JobManifest
  readonly planned: PlannedJob
  readonly material: JobMaterial
  /** A sign of life for the chain. */
  readonly beat: () => Promise<void>
}
