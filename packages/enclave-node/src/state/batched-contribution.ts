/**
 * Numbers of contributions that came in a Merkle batch. The registry counts its contributions from 1; entries of batches get
 * numbers far above, so that every contribution of a node has one number of at most 18 digits.
 * @module
 */
import { NodeError } from '../errors.js'

const firstNumber = 100_000_000_000_000_000n
const entriesPerBatch = 1_024n

/**
 * The number under which the node, its verdicts and its receipts know an entry of a Merkle batch.
 * @param batch the batch's identifier on the chain, from 1
 * @param index place in the batch, from 0, below 1,024
 * @returns decimal number: 100,000,000,000,000,000 + 1,024 times the batch + the place
 * @throws NodeError `CHAIN_CALL_FAILED` when the chain shows a place or batch that cannot be
 */
export function batchedContributionId(batch: bigint, index: number): string {
  const place = BigInt(index)
  if (batch < 1n || batch > 10n ** 14n || place < 0n || place >= entriesPerBatch) {
    throw new NodeError('CHAIN_CALL_FAILED', `batch ${batch}`, 'the endpoint shows an entry that cannot be')
  }
  return (firstNumber + batch * entriesPerBatch + place).toString()
}
