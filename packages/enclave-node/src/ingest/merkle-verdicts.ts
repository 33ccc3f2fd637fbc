/**
 * Tells the chain the verdicts on Merkle batches: one root for a batch once all of its entries are decided, then payment of
 * the accepted ones with proofs.
 * @module
 */
import { type BatchVerdict, batchTree, verdictRootContext, verdictTree } from '@sealpool/contracts'
import { type Address, digestToHex, encodeHex, type Hex } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import { ingestRefusalText } from '../state/contribution-state.js'
import { claimStatement } from '../state/exclusive-statement.js'
import {
  acceptedEntries,
  decidedBatches,
  entriesOfBatch,
  insertMerkleVerdicts,
  markEntriesPaid,
  markRootRecorded,
  merkleVerdictsIn,
  refuseBatch,
} from '../state/merkle-verdict-table.js'
import { sumOfEach } from './each.js'
import type { IngestContext } from './ingest-context.js'
import type { ServedPool } from './served-pool.js'

/** Root of a batch of which nothing was accepted: the text itself, so that no proof can lead to it. */
const nothingAccepted: Hex = encodeHex(new TextEncoder().encode('sealpool: no entry was accepted!'))

/**
 * Signs the verdicts on batches of a pool that are decided whole.
 * @returns how many were signed
 */
export async function signMerkleVerdicts(context: IngestContext, pool: ServedPool): Promise<number> {
  const batches = await decidedBatches(context.store, pool.address)
  for (const batch of batches) {
    try {
      await signBatch(context, pool.address, batch)
    } catch (error) {
      if (!(error instanceof NodeError && error.code === 'WOULD_CONTRADICT')) throw error
      await refuseBatch(context.store, batch, {
        reason: 'BATCH_NUMBER_REUSED',
        reasonText: ingestRefusalText.BATCH_NUMBER_REUSED,
      })
    }
  }
  return batches.length
}

function signBatch(context: IngestContext, pool: Address, batch: string): Promise<void> {
  return context.store.transaction(async (tx) => {
    const verdicts: BatchVerdict[] = (await acceptedEntries(tx, batch))
      // The chain takes no score of zero: an entry that is worth nothing is no leaf, and is read all the same.
      .filter(({ score }) => score > 0)
      .map((entry) => ({ ...entry, verdictDigest: digestToHex(entry.verdictDigest) }))
    const batchId = BigInt(batch)
    const root = verdicts.length === 0 ? nothingAccepted : verdictTree(batchId, verdicts).root
    const statement = context.sign({
      type: 'sealpool/verdict-root',
      body: {
        pool,
        batch,
        root,
        verdicts: verdicts.map(({ index, score, verdictDigest }) => ({
          index,
          score,
          verdict: verdictDigest,
        })),
      },
      ...verdictRootContext({
        deployment: context.sign.deployment,
        nonce: 0n,
        pool,
        batchId,
        // What the node judged, not what the number means on the chain by now.
        entriesRoot: batchTree(await entriesOfBatch(tx, batch)).root,
        root,
        accepted: verdicts.length,
      }),
    })
    await claimStatement(tx, statement)
    await insertMerkleVerdicts(tx, { batch, pool, root, verdicts, statement })
  })
}

/**
 * Sends roots that are not known to stand on the chain, and has their entries paid.
 * @returns how many steps were taken
 */
export async function recordMerkleVerdicts({ store, chain }: IngestContext): Promise<number> {
  const signed = await sumOfEach(await merkleVerdictsIn(store, 'signed'), async (verdicts) => {
    const sent = await chain.recordVerdictRoot(verdicts)
    await store.transaction((tx) => markRootRecorded(tx, verdicts.batch, sent))
    return 1
  })
  const paid = await sumOfEach(await merkleVerdictsIn(store, 'recorded'), async (verdicts) => {
    await markEntriesPaid(store, verdicts.batch, await chain.payVerdicts(verdicts))
    return 1
  })
  return signed + paid
}
