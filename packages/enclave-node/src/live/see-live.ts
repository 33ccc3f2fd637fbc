/**
 * Takes accepted contributions of a live pool in: fetched from their owners' stores, opened and refined once, so that it is known what their
 * rows are; kept is a digest of these.
 * @module
 */
import { mapBounded } from '../ingest/bounded.js'
import type { IngestContext } from '../ingest/ingest-context.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { ingestRefusalText } from '../state/contribution-state.js'
import {
  type ContributionRow,
  markRefined,
  nextContributions,
  putOffContribution,
} from '../state/contribution-table.js'
import { storeLiveCopy } from '../state/live-copy-table.js'
import { rowsOf } from './rows-of.js'

/** Seconds for which one step asks: stores that are slow must not hold up the rest of the node's work. */
const stepSeconds = 30
/** Longest wait, in seconds, until a store that did not answer is asked again. */
const longestWait = 3_600
/** And until one is that cannot be had: only its owner can change that, with another contribution. */
const waitForGood = 86_000

/**
 * Looks at the next accepted contributions of a live pool.
 * @returns how many were taken in; 0 when there is nothing to do or no store gives what it holds at the moment
 */
export async function seeLive(context: IngestContext, pool: ServedPool): Promise<number> {
  const { store, settings, now } = context
  const rows = await nextContributions(store, pool.address, 'recorded', settings.refinementSize, now())
  const begun = now()
  const taken = await mapBounded(rows, settings.ownCopies.atOnce, async (contribution) =>
    // What is not asked for any more stays where it stands, for the next round.
    Math.abs(now() - begun) > stepSeconds ? false : seeOne(context, pool, contribution),
  )
  return taken.filter((one) => one).length
}

/** @returns whether it needs no further look */
async function seeOne(
  context: IngestContext,
  pool: ServedPool,
  contribution: ContributionRow,
): Promise<boolean> {
  const { store, settings, now } = context
  const { id, attempts } = contribution
  const seen = await rowsOf(context, pool, contribution)
  if (seen.kind === 'rows') {
    const { digest: rows, size } = seen
    return store.transaction((tx) => storeLiveCopy(tx, pool.address, { contribution: id, rows, size }))
  }
  if (seen.kind === 'unfit') {
    const reason = 'REFINER_REFUSED'
    await markRefined(store, id, null, { reason, reasonText: ingestRefusalText[reason] })
    return true
  }
  const wait = Math.min(settings.missingBlobWaitSeconds * 2 ** Math.min(attempts, 12), longestWait)
  const reason = seen.forGood ? 'OWN_STORE_REQUIRED' : 'NOT_LIVE'
  await putOffContribution(store, id, {
    reason,
    reasonText: seen.forGood
      ? ingestRefusalText.OWN_STORE_REQUIRED
      : 'accepted; its owner’s store does not give it at the moment, and is asked again',
    at: now() + (seen.forGood ? waitForGood : wait),
  })
  return false
}
