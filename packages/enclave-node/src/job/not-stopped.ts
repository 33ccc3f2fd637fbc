import type { JobContext } from './job-context.js'
import { JobPutOff } from './job-refusal.js'

/**
 * Asked before a job is charged, and before anything of it is stored or leaves: an incident may have begun while it ran.
 * @param context - `stopped`: whether this node does no work now
 * @throws JobPutOff `NODE_STOPPED`
 */
export function requireNotStopped({ stopped }: Pick<JobContext, 'stopped'>): void {
  if (stopped?.() === true)
    throw new JobPutOff('NODE_STOPPED', 'this node does no work until an incident is over')
}
