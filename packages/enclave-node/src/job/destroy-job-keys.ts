import type { DestroyedKey } from '@sealpool/attest'
import type { JobContext } from './job-context.js'

/**
 * Destroys the keys that were made for a job alone, and removes what lay on this node's disk under them: to be called when nothing of
 * the job is read any more, and before its receipt is signed. What the job had stays known until it has ended.
 * @returns what its receipt names
 * @throws what the disk throws: then no receipt says that it is done
 */
export async function destroyJobKeys(
  { jobKeys, live, handOff }: Pick<JobContext, 'jobKeys' | 'live' | 'handOff'>,
  job: string,
): Promise<readonly DestroyedKey[]> {
  const destroyed = jobKeys.end(job)
  await live?.destroy(job)
  await handOff?.removeFiles(job)
  return destroyed
}
