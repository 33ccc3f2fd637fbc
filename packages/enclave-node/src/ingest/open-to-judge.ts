/**
 * Opens what is to be judged, or puts it off.
 * @module
 */
import { isAcceptedConsent } from '../config/consent-settings.js'
import { type ContributionRow, putOffContribution } from '../state/contribution-table.js'
import type { TimesLacked } from '../validation/lacked-files.js'
import type { IngestContext } from './ingest-context.js'
import type { OpenedContribution } from './open-contribution.js'
import { openStored } from './open-stored.js'
import type { ServedPool } from './served-pool.js'

/**
 * Fetches and opens a contribution that is to be judged.
 * @param lacked how often in a row its validators did not get the file; undefined where the pool has none
 * @returns see `openContribution`; a file that too many of them did not get too often is missing, whatever this node gets
 */
export function openToJudge(
  context: IngestContext,
  pool: ServedPool,
  contribution: ContributionRow,
  lacked: TimesLacked | undefined,
): Promise<OpenedContribution> | OpenedContribution {
  if (!isAcceptedConsent(pool, contribution))
    return { kind: 'refused', code: 'CONSENT_NOT_ACCEPTED', place: 'consentDigest' }
  // They have looked for it as often as this node would: for them it is missing, and it counts when enough of them say so.
  if (isMissing(context, lacked)) return { kind: 'later', reason: 'BLOB_MISSING' }
  // What a validator does not get from its owner's store it finds beside the pool's other copies.
  return openStored(context, pool, contribution, { keeping: (lacked?.byAny ?? 0) > 0 })
}

/** Whether too many validators have looked for a file in vain for too long. */
export function isMissing(
  { settings }: Pick<IngestContext, 'settings'>,
  lacked: TimesLacked | undefined,
): boolean {
  return (lacked?.byTooMany ?? 0) > settings.missingBlobTries
}

/** Puts a contribution off whose blob is not to be had; true when it has been looked for often enough. */
export async function giveUp(
  context: IngestContext,
  contribution: ContributionRow,
  reason: 'BLOB_MISSING' | 'BLOB_STORE_FAILED',
): Promise<boolean> {
  const { settings } = context
  // A store that is away is nobody's fault: only a blob that a working store does not have is given up.
  if (reason === 'BLOB_MISSING' && contribution.attempts + 1 >= settings.missingBlobTries) return true
  const waitSeconds =
    reason === 'BLOB_MISSING'
      ? settings.missingBlobWaitSeconds
      : Math.min(2 ** Math.min(contribution.attempts, 8), 300)
  await putOffContribution(context.store, contribution.id, {
    reason,
    reasonText:
      reason === 'BLOB_MISSING'
        ? 'the blob store does not have the blob yet; it is looked for again'
        : 'the blob store does not answer; it is asked again',
    at: context.now() + waitSeconds,
  })
  return false
}
