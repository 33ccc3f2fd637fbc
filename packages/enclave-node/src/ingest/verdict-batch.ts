/**
 * Puts verdicts into signed form: one statement for each contribution, and one for the batch that goes on chain.
 * @module
 */
import { type Address, digestToHex, type Fact, type SignedStatement } from '@sealpool/crypto'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'
import type { VerdictEntry } from '../state/verdict-table.js'

/**
 * The words of `abi.encode(entries)` for the contract's `VerdictEntry[]`: offset, length, four words for each entry.
 * @param entries as they go on chain
 */
export function verdictFacts(entries: readonly VerdictEntry[]): readonly Fact[] {
  return [
    { type: 'uint256', value: '32' },
    { type: 'uint256', value: String(entries.length) },
    ...entries.flatMap((entry): Fact[] => [
      { type: 'uint256', value: entry.contributionId },
      { type: 'uint256', value: String(entry.score) },
      { type: 'bool', value: entry.refused },
      { type: 'bytes32', value: digestToHex(entry.verdictDigest) },
    ]),
  ]
}

/** Signs a batch of verdicts for the contract; `nonce` is the batch's number in the node. */
export function signVerdictBatch(
  sign: NodeSigner,
  batch: { readonly id: string; readonly pool: Address; readonly entries: readonly VerdictEntry[] },
): SignedStatement {
  const [first] = batch.entries
  if (first === undefined) throw new RangeError('a verdict batch has at least one entry')
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
    pool: batch.pool,
    subject: subjectOf(first.contributionId),
    nonce: batch.id,
    facts: verdictFacts(batch.entries),
  })
}
