/**
 * The states of a contribution inside the node, and what they mean to people. Fetching and opening leave no state
 * behind: the plaintext lives in memory only, so that after a stop both are simply done again.
 * @module
 */

/** Where a contribution stands. */
export type ContributionState =
  | 'seen'
  | 'judged'
  | 'recorded'
  | 'refined'
  | 'refused'
  | 'withdrawn'
  | 'detached'

/** One sentence for each state. */
export const contributionStateText: Readonly<Record<ContributionState, string>> = {
  seen: 'on the chain; its blob will be fetched, opened and judged',
  judged: 'judged; the signed verdict is on its way to the chain',
  recorded: 'accepted on the chain; it is refined into the tables next, unless a reason says why it waits',
  refined: 'accepted and refined; jobs can use it',
  refused: 'refused; the reason stands in the signed verdict',
  withdrawn: 'taken back by its owner; its rows are taken out of the tables and no later job reads it',
  detached: 'its block is not on the chain any more; it counts for nothing until the chain shows it again',
}

/** Reasons for which the node itself refuses a contribution, before or instead of the proof of contribution. */
export type IngestRefusal =
  | 'BLOB_MISSING'
  | 'BLOB_DIGEST_MISMATCH'
  | 'BLOB_TOO_LARGE'
  | 'BLOB_LOCATOR_INVALID'
  | 'OWN_STORE_REQUIRED'
  | 'CONSENT_NOT_ACCEPTED'
  | 'SEALED_FILE_INVALID'
  | 'SEALED_FILE_TAMPERED'
  | 'WRONG_POOL'
  | 'WRONG_POLICY'
  | 'WRONG_EPOCH'
  | 'NO_KEY_FOR_NODE'
  | 'COMMITMENT_MISMATCH'
  | 'WRONG_OWNER'
  | 'DUPLICATE_CONTENT'
  | 'MALFORMED_EXPORT'
  | 'PROOF_REFUSED'
  | 'PROOF_FAILED'
  | 'SOURCE_NOT_SERVED'
  | 'REFINER_REFUSED'
  | 'REFINER_TIMEOUT'
  | 'BATCH_NUMBER_REUSED'

/** Refusals of what the node has not opened: whoever names any blob gets one of them. */
export const neverOpened: readonly IngestRefusal[] = [
  'BLOB_MISSING',
  'BLOB_DIGEST_MISMATCH',
  'BLOB_TOO_LARGE',
  'BLOB_LOCATOR_INVALID',
  'OWN_STORE_REQUIRED',
  'CONSENT_NOT_ACCEPTED',
  'SEALED_FILE_INVALID',
  'SEALED_FILE_TAMPERED',
  'WRONG_POOL',
  'WRONG_POLICY',
  'WRONG_EPOCH',
  'NO_KEY_FOR_NODE',
  'COMMITMENT_MISMATCH',
  'WRONG_OWNER',
]

/** One sentence with a remedy for each of the node's own reasons. */
export const ingestRefusalText: Readonly<Record<IngestRefusal, string>> = {
  BLOB_MISSING: 'the blob store has no blob under the locator; upload it and contribute again',
  BLOB_DIGEST_MISMATCH:
    'the stored bytes differ from the digest on the chain; upload the whole blob and contribute again',
  BLOB_TOO_LARGE: 'the blob is larger than the node takes; split the export',
  BLOB_LOCATOR_INVALID:
    'the locator is not of the form sha256:<64 hex digits>, nor an http address that ends in them; contribute again with the locator of the store',
  CONSENT_NOT_ACCEPTED:
    'the text that its owner agreed to is none that the pool accepts; agree to the present one and contribute again',
  OWN_STORE_REQUIRED:
    'the pool is live and keeps no copies; store the file where the node can read it and contribute again with that address (ownStore)',
  SEALED_FILE_INVALID: 'the blob is not a sealed file; seal the export with the pool key',
  SEALED_FILE_TAMPERED: 'the sealed file does not open whole; seal the export again',
  WRONG_POOL: 'the file was sealed for another pool; seal it with the key of this pool',
  WRONG_POLICY: 'the file was sealed under another policy; seal it under the present policy',
  WRONG_EPOCH: 'the file was sealed for another key epoch; seal it with the present pool key',
  NO_KEY_FOR_NODE: 'the file was not sealed to the key of this pool; seal it with the present pool key',
  COMMITMENT_MISMATCH:
    'the content does not fit the commitment on the chain; contribute again with the commitment of this file',
  WRONG_OWNER:
    'the file was not sealed to the wallet that contributed it; its owner must seal and contribute it',
  DUPLICATE_CONTENT: 'the same content was contributed before; contribute data of your own',
  MALFORMED_EXPORT: 'the export cannot be read in the form that the pool asks for; export it again',
  PROOF_REFUSED: 'the proof of contribution refused the content',
  PROOF_FAILED: 'the proof of contribution did not come to an answer on this content',
  SOURCE_NOT_SERVED:
    'the proof of contribution asks for something to be read at a provider, which no node does; the pool needs another proof',
  BATCH_NUMBER_REUSED:
    'a reorganisation gave the number of the batch to other contributions after the node had signed verdicts on it; contribute again',
  REFINER_REFUSED:
    'the content does not fit the tables of the pool, or gives no row of them; export it again',
  REFINER_TIMEOUT:
    'the content takes longer than the node has to bring it into the tables of the pool; split the export',
}
