/**
 * What is known of other homes' charges when a job ends without an answer.
 * @module
 */
import type { ReceiptBody, ReceiptPool } from '@sealpool/attest'
import { type Address, type Digest, type SignedStatement, statementDigest } from '@sealpool/crypto'
import type { JobRow } from '../state/job-table.js'
import type { Sql } from '../state/state-store.js'
import { readGivenShares, readTakenShares } from './kept-share.js'
import { keptShareBody, type ShareBody } from './share-statement.js'

/** Other homes of a job that was refused after its charge. */
export interface ChargedHomes {
  /** As their homes have signed for them, by address. */
  readonly pools: ReadonlyMap<Address, ReceiptPool>
  readonly homes: NonNullable<ReceiptBody['homes']>
  readonly statements: readonly SignedStatement[]
  readonly verdicts: Readonly<Record<string, readonly Digest[]>>
}

/**
 * @param asked `plan`: of the job; `keySet`: this node's present keys, under which its receipt will be
 * @returns the homes that have given a share of this job under this plan, which stood up to all checks when it was taken. One that was given
 * to earlier keys of this node is left out, as the receipt's verification asks: its pools are told as unanswered
 */
export async function chargedHomes(
  sql: Sql,
  { id, manifestDigest }: Pick<JobRow, 'id' | 'manifestDigest'>,
  { plan, keySet }: { readonly plan: Digest; readonly keySet: Digest },
): Promise<ChargedHomes> {
  const taken = (await readTakenShares(sql, id))
    .map((one) => ({ ...one, body: keptShareBody(one.statement) }))
    // A reorganisation may have given the number to another job.
    .filter(
      ({ body }) => body.manifest === manifestDigest && body.plan === plan && body.coordinatorKeys === keySet,
    )
  return {
    pools: new Map(taken.flatMap(({ body }) => body.pools.map((one) => [one.pool, one] as const))),
    homes: taken.map(({ body, statement }) => ({
      node: statement.signer,
      keySet: body.keySet,
      quote: body.quote,
      share: statementDigest(statement.statement),
    })),
    statements: taken.map(({ statement }) => statement),
    verdicts: Object.assign({}, ...taken.map(({ verdicts }) => verdicts)),
  }
}

/** @returns what other homes have charged for the answer of a job, as they signed for it */
export async function givenCharges(
  sql: Sql,
  { id, manifestDigest }: Pick<JobRow, 'id' | 'manifestDigest'>,
): Promise<readonly Pick<ShareBody, 'pools'>[]> {
  return ((await readGivenShares(sql, id)) ?? [])
    .map(keptShareBody)
    .filter(({ manifest }) => manifest === manifestDigest)
}
