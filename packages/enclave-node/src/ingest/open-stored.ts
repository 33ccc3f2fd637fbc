import { parseOwnLocation } from '@sealpool/client'
import { findRewrapped } from '../incident/rewrapped-header.js'
import { copiesOf } from '../own-copy/copies-of.js'
import type { ContributionRow } from '../state/contribution-table.js'
import type { IngestContext } from './ingest-context.js'
import { type OpenedContribution, openContribution } from './open-contribution.js'
import type { ServedPool } from './served-pool.js'

/**
 * Fetches and opens a contribution with what ingest works with.
 * @param options `keeping`: what an owner's store gives is kept in the node's, where the pool keeps copies, and it is what the chain names
 * @returns see `openContribution`
 */
export function openStored(
  context: Pick<IngestContext, 'store' | 'blobStore' | 'ownCopies' | 'keys'> & {
    readonly settings: Pick<IngestContext['settings'], 'maximumBlobBytes'>
  },
  pool: ServedPool,
  contribution: ContributionRow,
  options: { readonly keeping?: boolean } = {},
): Promise<OpenedContribution> {
  return openContribution(contribution, pool, {
    blobStore: copiesOf(context, pool, { keeping: options.keeping === true && isNamed(contribution) }),
    keys: context.keys,
    maximumBlobBytes: context.settings.maximumBlobBytes,
    rewrapped: (id) => findRewrapped(context.store, id),
  })
}

/** Whether the address of an owner's own store ends in the digest that stands on the chain: no other bytes are kept. */
function isNamed({ locator, blobDigest }: ContributionRow): boolean {
  return parseOwnLocation(locator)?.digest === blobDigest
}
