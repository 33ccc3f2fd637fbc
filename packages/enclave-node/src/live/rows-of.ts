import type { Digest } from '@sealpool/crypto'
import { type RefinedBatch, refineBatch } from '@sealpool/refine'
import type { IngestContext } from '../ingest/ingest-context.js'
import { openStored } from '../ingest/open-stored.js'
import { overwriteOpened } from '../ingest/overwrite-opened.js'
import { refinerTerms } from '../ingest/refiner-terms.js'
import type { ServedPool } from '../ingest/served-pool.js'
import type { ContributionRow } from '../state/contribution-table.js'

/** What rows are made with. */
export type RowsContext = Pick<
  IngestContext,
  'store' | 'blobStore' | 'ownCopies' | 'keys' | 'settings' | 'runtime' | 'limits'
>

/** What became of the attempt to make a contribution's rows. */
export type RowsOf =
  | {
      readonly kind: 'rows'
      readonly tables: RefinedBatch['tables']
      /** A commitment to the rows: the same for the same file, code and pool. */
      readonly digest: Digest
      readonly size: number
    }
  /** The refiner does not take it. */
  | { readonly kind: 'unfit' }
  /** Its owner's store does not give it, or not as it was; `forGood` where the chain names no store of its owner's. */
  | { readonly kind: 'away'; readonly forGood: boolean }

/**
 * Fetches, opens and refines one contribution of a live pool; what it gives lies nowhere but in memory.
 * @throws what is the node's own fault
 */
export async function rowsOf(
  context: RowsContext,
  pool: ServedPool,
  contribution: ContributionRow,
): Promise<RowsOf> {
  const opened = await openStored(context, pool, contribution)
  if (opened.kind !== 'opened')
    return { kind: 'away', forGood: opened.kind === 'refused' && opened.code === 'OWN_STORE_REQUIRED' }
  const { id, contributor } = contribution
  const batch = await refineBatch({
    ...refinerTerms(context, pool),
    contributions: [{ id, contributor, mediaType: opened.mediaType, bytes: opened.bytes }],
  }).finally(() => overwriteOpened(opened))
  if (batch.refused.length > 0) return { kind: 'unfit' }
  return { kind: 'rows', tables: batch.tables, digest: batch.contentDigest, size: opened.blobSize }
}
