/**
 * Takes accepted contributions into the pool's tables: opened once more, mapped by the refiner in the sandbox,
 * written as encrypted Parquet, stored together with a signed statement that then goes on chain.
 * @module
 */
import { parseOwnLocation } from '@sealpool/client'
import { refinementContext } from '@sealpool/contracts'
import { canonicalBytes, digestToHex, encodeHex, type JsonObject, merkleRoot } from '@sealpool/crypto'
import { type RefineContribution, type RefinedBatch, refineBatch, tableOf } from '@sealpool/refine'
import { NodeError } from '../errors.js'
import { ingestRefusalText } from '../state/contribution-state.js'
import {
  type ContributionRow,
  markRefined,
  nextContributions,
  putOffContribution,
  stillIn,
} from '../state/contribution-table.js'
import { blobSizes, noteBlob } from '../state/meta-table.js'
import {
  insertRefinement,
  markRefinementRecorded,
  nextRefinementId,
  type Refinement,
  type TablePart,
  unrecordedRefinements,
} from '../state/refinement-table.js'
import type { Sql } from '../state/state-store.js'
import { traced } from '../trace/tracer.js'
import { mapBounded } from './bounded.js'
import { sumOfEach } from './each.js'
import type { IngestContext } from './ingest-context.js'
import { openStored } from './open-stored.js'
import { refinerTerms } from './refiner-terms.js'
import { lastingScope, type ServedPool } from './served-pool.js'

/**
 * Refines the next accepted contributions of a pool.
 * @returns how many were taken in; 0 when there is nothing to do or a blob is away at the moment
 */
export async function refineNext(context: IngestContext, pool: ServedPool): Promise<number> {
  const { store, settings } = context
  const rows = await nextContributions(
    store,
    pool.address,
    'recorded',
    settings.refinementSize,
    context.now(),
  )
  if (rows.length === 0) return 0
  return traced(context.trace, 'ingest.refine', { pool: pool.address }, () => refineRows(context, pool, rows))
}

async function refineRows(
  context: IngestContext,
  pool: ServedPool,
  rows: readonly ContributionRow[],
): Promise<number> {
  const { store, settings } = context
  const until = context.now() + openSeconds
  const opened = (
    await mapBounded(
      await withinMemory(store, rows, settings.maximumBlobBytes),
      settings.concurrency,
      async (contribution) => ({
        contribution,
        // What is not asked for any more stays where it stands, for the next round.
        input: context.now() > until ? undefined : await reopen(context, pool, contribution),
      }),
    )
  ).filter((one): one is Opened => one.input !== undefined)
  if (opened.length === 0) return 0
  const batch = await refineBatch({
    ...refinerTerms(context, pool),
    contributions: opened.map(({ input }) => input),
  }).finally(() => {
    for (const { input } of opened) input.bytes.fill(0)
  })
  await storeRefined(context, pool, opened, batch)
  return opened.length
}

/** Seconds in which blobs are fetched for one refinement: owners' own stores that are slow must not hold up the node's other work. */
const openSeconds = 30
/** Most bytes of contributions that are refined together, as stored. */
const refinementBytes = 64 * 1024 * 1024

/** The first contributions whose blobs together fit into memory; always at least one. */
async function withinMemory(
  sql: Sql,
  rows: readonly ContributionRow[],
  largest: number,
): Promise<readonly ContributionRow[]> {
  const sizes = await blobSizes(
    sql,
    rows.map(({ blobDigest }) => blobDigest),
  )
  let total = 0
  return rows.filter(({ blobDigest }, index) => {
    total += sizes.get(blobDigest) ?? largest
    return index === 0 || total <= refinementBytes
  })
}

interface Opened {
  readonly contribution: ContributionRow
  readonly input: RefineContribution
}

/** An accepted contribution opened before; when its blob is away now it waits, it is not refused any more. */
async function reopen(
  context: IngestContext,
  pool: ServedPool,
  contribution: ContributionRow,
): Promise<RefineContribution | undefined> {
  const opening = await openStored(context, pool, contribution, { keeping: true })
  if (opening.kind !== 'opened') {
    await putOffContribution(context.store, contribution.id, {
      reason: 'BLOB_MISSING',
      reasonText: 'accepted; its blob is away at the moment and is asked for again',
      at: context.now() + context.settings.missingBlobWaitSeconds,
    })
    return undefined
  }
  // Kept from here on, wherever it came from.
  if (parseOwnLocation(contribution.locator) !== undefined) {
    const blob = { digest: contribution.blobDigest, purpose: 'contribution', size: opening.blobSize } as const
    await noteBlob(context.store, blob)
  }
  return {
    id: contribution.id,
    contributor: contribution.contributor,
    mediaType: opening.mediaType,
    bytes: opening.bytes,
  }
}

async function storeRefined(
  context: IngestContext,
  pool: ServedPool,
  opened: readonly Opened[],
  batch: RefinedBatch,
): Promise<void> {
  const { store } = context
  const id = await nextRefinementId(store)
  const key = context.keys.poolSecret('table-storage', lastingScope(pool))
  const parts: TablePart[] = []
  for (const [name, rows] of Object.entries(batch.tables)) {
    if (rows.length === 0) continue
    parts.push(
      await context.parts.write({
        pool,
        refinement: id,
        table: tableOf(pool.refiner.schema, name),
        rows,
        key,
      }),
    )
  }
  const refusals = new Map(batch.refused.map((refusal) => [refusal.id, refusal]))
  const included = opened.map(({ contribution }) => contribution).filter(({ id: one }) => !refusals.has(one))
  const rowCount = parts.reduce((sum, part) => sum + part.rows, 0)
  const body: JsonObject = {
    pool: pool.address,
    policy: pool.policyDigest,
    refiner: pool.refiner.digest,
    schema: pool.schemaId,
    content: batch.contentDigest,
    // No word of how many rows, or of whose files gave none: a batch may be of one person, and anybody may read this.
    contributions: {
      count: included.length,
      root: encodeHex(merkleRoot(included.map(({ id: one }) => canonicalBytes({ contribution: one })))),
    },
  }
  const statement = context.sign({
    type: 'sealpool/refinement',
    body,
    ...refinementContext({
      deployment: context.sign.deployment,
      nonce: BigInt(id),
      pool: pool.address,
      schemaId: digestToHex(pool.schemaId),
      rowsRoot: digestToHex(batch.contentDigest),
    }),
  })
  const refinement: Refinement = {
    id,
    pool: pool.address,
    schemaId: pool.schemaId,
    digest: batch.contentDigest,
    parts,
    contributions: included.map(({ id: one }) => one),
    rows: rowCount,
    statement,
  }
  await store.transaction(async (tx) => {
    // A contribution that was withdrawn meanwhile must not come in this way: nothing is stored, and the files are
    // written over by the next attempt.
    const ids = opened.map(({ contribution }) => contribution.id)
    if ((await stillIn(tx, 'recorded', ids)).size !== ids.length) return
    if ((await nextRefinementId(tx)) !== id) {
      throw new NodeError(
        'STATE_UNREADABLE',
        'refinements',
        'another writer took the same number; start again',
      )
    }
    await insertRefinement(tx, refinement)
    for (const { contribution } of opened) {
      await markRefined(
        tx,
        contribution.id,
        id,
        refusals.has(contribution.id)
          ? { reason: 'REFINER_REFUSED', reasonText: ingestRefusalText.REFINER_REFUSED }
          : null,
      )
    }
  })
}

/**
 * Sends the refinements that are not known to stand on the chain.
 * @returns how many were settled
 */
export async function recordRefinements(context: IngestContext): Promise<number> {
  return sumOfEach(await unrecordedRefinements(context.store), async (refinement) => {
    const about = { pool: refinement.pool, refinement: refinement.id }
    const sent = await traced(context.trace, 'ingest.record', about, () =>
      context.chain.recordRefinement(refinement),
    )
    await markRefinementRecorded(context.store, refinement.id, sent)
    return 1
  })
}
