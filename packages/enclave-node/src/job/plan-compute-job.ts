import type { JobManifest } from '@sealpool/compute'
import type { ServedPool } from '../ingest/served-pool.js'
import { JobRefusal } from './job-refusal.js'
import type { PlannedJob } from './planned-job.js'

/**
 * Plans a computation.
 * @throws JobRefusal with the planner's code
 */
export async function planComputeJob(
  manifest: JobManifest,
  _pools: readonly ServedPool[],
): Promise<PlannedJob> {
  if (manifest.compute === null) throw JobRefusal.of('MANIFEST_INVALID')
  throw JobRefusal.of('COMPUTATION_NOT_ALLOWED')
}
