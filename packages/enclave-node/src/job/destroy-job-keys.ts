import type { DestroyedKey } from '@sealpool/attest'
import type { HandOffHome } from '../hand-off/hand-off-home.js'
import type { JobKeys } from '../key/job-keys.js'
import type { LiveTables } from '../live/live-tables.js'

/** What has keys of jobs, and files under them. */
export interface KeyedParts {
  readonly jobKeys: Pick<JobKeys, 'end'>
  readonly live?: Pick<LiveTables, 'destroy'> | undefined
  readonly handOff?: Pick<HandOffHome, 'removeFiles'> | undefined
}

/**
 * Destroys the keys that were made for a job alone, and removes what lay on this node's disk under them: to be called when nothing of
 * the job is read any more, and before its receipt is signed. What the job had stays known until it has ended.
 * @returns what its receipt names
 * @throws what the disk throws: then no receipt says that it is done
 */
export async function destroyJobKeys(
  { jobKeys, live, handOff }: KeyedParts,
  job: string,
): Promise<readonly DestroyedKey[]> {
  const destroyed = jobKeys.end(job)
  await live?.destroy(job)
  await handOff?.removeFiles(job)
  return destroyed
}
