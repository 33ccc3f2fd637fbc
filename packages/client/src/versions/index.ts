/**
 * Newer versions of what was contributed.
 *
 * @module
 */
import { platformNow, platformWait } from '../platform.js'
import { type ContributedVersion, type VersionOptions, versionWith } from './contribute-version.js'

export type { ContributedVersion, VersionOptions } from './contribute-version.js'

/**
 * Contributes a newer version of a contribution: preflight, verify, seal, store, and one transaction by which the newer one stands for the older
 * one, which counts no more from then on. For an entry of a Merkle batch these are two transactions (the entry is replaced, then the newer version
 * comes), and the owner signs as for any contribution. The newer version is rewarded for what it is better than the older one; the older one's points
 * end, so that an owner's share of job fees becomes that of the difference: rows that are added to a set are better contributed by themselves.
 *
 * With a journal and a key every step is noted once it is done: a run that was killed anywhere goes on, and the chain gets one newer version.
 *
 * @param options the world, the owner, the export, what it supersedes
 * @returns the newer version on chain
 * @throws ClientError `NOT_SUPERSEDABLE`, `NOT_READY`, and as `PoolClient.contribute`; ContractsError as `contributeSigned` and `invoke`; the signal's reason
 */
export function contributeVersion(options: VersionOptions): Promise<ContributedVersion> {
  return versionWith({ now: platformNow, wait: platformWait, ...options })
}
