import { findRewrapped } from '../incident/rewrapped-header.js'
import type { ContributionRow } from '../state/contribution-table.js'
import type { IngestContext } from './ingest-context.js'
import { type OpenedContribution, openContribution } from './open-contribution.js'
import type { ServedPool } from './served-pool.js'

/** Fetches and opens a contribution with what ingest works with. @returns see `openContribution` */
export function openStored(
  context: Pick<IngestContext, 'store' | 'blobStore' | 'keys' | 'settings'>,
  pool: ServedPool,
  contribution: ContributionRow,
): Promise<OpenedContribution> {
  return openContribution(contribution, pool, {
    blobStore: context.blobStore,
    keys: context.keys,
    maximumBlobBytes: context.settings.maximumBlobBytes,
    rewrapped: (id) => findRewrapped(context.store, id),
  })
}
