/**
 * Puts a batch of verdicts into the signed form that the contract takes.
 * @module
 */
import { verdictBatchContext } from '@sealpool/contracts'
import { type Address, digestToHex, type SignedStatement } from '@sealpool/crypto'
import type { NodeSigner } from '../key/node-signer.js'
import type { Sql } from '../state/state-store.js'
import { insertVerdictBatch, nextBatchId, type VerdictEntry } from '../state/verdict-table.js'

/**
 * Signs a batch of verdicts for the contract; the nonce is the batch's number in the node.
 * @param batch at least one entry
 */
export function signVerdictBatch(
  sign: NodeSigner,
  batch: { readonly id: string; readonly pool: Address; readonly entries: readonly VerdictEntry[] },
): SignedStatement {
  return sign({
    type: 'sealpool/verdict-batch',
    body: {
      pool: batch.pool,
      entries: batch.entries.map((entry) => ({
        contribution: entry.contributionId,
        score: entry.score,
        refused: entry.refused,
        verdict: entry.verdictDigest,
      })),
    },
    ...verdictBatchContext({
      deployment: sign.deployment,
      nonce: BigInt(batch.id),
      pool: batch.pool,
      entries: batch.entries.map((entry) => ({
        contributionId: BigInt(entry.contributionId),
        score: entry.score,
        refused: entry.refused,
        verdictDigest: digestToHex(entry.verdictDigest),
      })),
    }),
  })
}

/**
 * Signs and stores a batch of verdicts, to be sent as it stands.
 * @param entries at least one
 * @returns its number
 */
export async function storeVerdictBatch(
  context: { readonly sign: NodeSigner },
  tx: Sql,
  pool: Address,
  entries: readonly VerdictEntry[],
): Promise<string> {
  const id = await nextBatchId(tx)
  const statement = signVerdictBatch(context.sign, { id, pool, entries })
  await insertVerdictBatch(tx, { id, pool, entries, statement })
  return id
}
