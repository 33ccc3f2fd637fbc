/**
 * What of the state is over: pages of it, by the block or the time up to which things are over.
 * @module
 */
import type { Address, Digest } from '@sealpool/crypto'
import { bytesOrNull, integerOf, textOf, textOrNull } from './column.js'
import { neverOpened } from './contribution-state.js'
import { type ContributionRow, contributionColumns, readContribution } from './contribution-table.js'
import { isLive } from './kept-as.js'
import type { Sql } from './state-store.js'
import { retentionOver } from './withdrawal.js'

/** @returns contributions in use that came up to a block, oldest first */
export async function oldContributions(
  sql: Sql,
  pool: Address,
  page: { readonly upTo: bigint; readonly limit: number },
): Promise<readonly ContributionRow[]> {
  const rows = await sql.query(
    `select ${contributionColumns} from contributions
     where pool = $1 and state in ('recorded', 'refined') and block_number <= $2 order by contributions.id limit $3`,
    [pool.toLowerCase(), page.upTo.toString(), page.limit],
  )
  return rows.map(readContribution)
}

/** Of a contribution that keeps no copy any more. */
const copyOver = `(contributions.state = 'withdrawn' and contributions.withdrawn_block <= $2
  or contributions.state = 'refused' and (contributions.reason = '${retentionOver}' or contributions.block_number <= $2))`

/** Of one that needs the blob still: another contribution with the same bytes, or one that was taken back only lately. */
const needsCopy = `(other.state not in ('withdrawn', 'refused') or other.state = 'withdrawn' and other.withdrawn_block > $2)
  and not ${isLive('other.pool')}`

/** Of one that was opened: a sealed file opens in one pool only, so that its copy is that pool's to keep and to delete. */
const opened = `contributions.verdict_digest is not null
  and coalesce(contributions.reason, '') not in (${neverOpened.map((reason) => `'${reason}'`).join(', ')})`

/** A sealed file that no contribution needs any more. */
export interface UnneededCopy {
  readonly digest: Digest
  readonly expired: boolean
}

/**
 * Only what this node has opened as this pool's is listed: whoever names somebody else's blob in a contribution of his own is refused
 * before that, or takes it back before, so that nobody has the node delete what is not the pool's, or what another pool keeps for longer.
 * @returns sealed files in the blob store that no contribution needs any more, by digest, from the one after `after` on
 */
export async function unneededCopies(
  sql: Sql,
  pool: Address,
  page: { readonly upTo: bigint; readonly after: string; readonly limit: number },
): Promise<readonly UnneededCopy[]> {
  const rows = await sql.query(
    `select blob_digest, bool_or(reason = '${retentionOver}') as expired from contributions
       join blobs on blobs.digest = blob_digest and blobs.purpose = 'contribution'
     where pool = $1 and ${copyOver} and ${opened} and blob_digest > $3
       and not exists (select 1 from contributions as other
         where other.blob_digest = contributions.blob_digest and ${needsCopy})
     group by blob_digest order by blob_digest limit $4`,
    [pool.toLowerCase(), page.upTo.toString(), page.after, page.limit],
  )
  return rows.map((row) => ({
    digest: textOf(row, 'blob_digest') as Digest,
    expired: row['expired'] === true,
  }))
}

/** @returns whether a contribution needs a blob, so that it must not be removed */
export async function isCopyNeeded(sql: Sql, digest: Digest): Promise<boolean> {
  const [row] = await sql.query(
    `select 1 as found from contributions where blob_digest = $1 and state not in ('withdrawn', 'refused')
       and not ${isLive('contributions.pool')} limit 1`,
    [digest],
  )
  return row !== undefined
}

/** Forgets a blob that is not in the store any more. */
export async function forgetBlob(tx: Sql, digest: Digest): Promise<void> {
  await tx.query('delete from blobs where digest = $1', [digest])
}

/** An answer that is kept no longer. */
export interface OldAnswer {
  readonly job: string
  readonly sealedResult: Uint8Array | null
  /** What its receipt calls the sealed bytes; null where there is none. */
  readonly sealedDigest: Digest | null
}

/**
 * Jobs that are over for the node and for the chain, whose receipts (or proposals, where there is none) are old.
 * @returns those of which an answer, a plan or a manifest is kept
 */
export async function oldAnswers(
  sql: Sql,
  page: { readonly upTo: bigint; readonly before: string; readonly limit: number },
): Promise<readonly OldAnswer[]> {
  const rows = await sql.query(
    `select id::text, sealed_result, receipt::jsonb #>> '{statement,body,result,sealed}' as sealed_digest from jobs
     where state in ('settled', 'refused', 'closed') and not detached
       and chain_state in ('Settled', 'Refused', 'Failed', 'Cancelled', 'Expired')
       and (sealed_result is not null or plan is not null or manifest is not null)
       and coalesce((select max(issued) from receipt_log where kind = 'receipt' and number = jobs.id) < $2,
         proposed_block <= $1, false)
     order by jobs.id limit $3`,
    [page.upTo.toString(), page.before, page.limit],
  )
  return rows.map((row) => ({
    job: textOf(row, 'id'),
    sealedResult: bytesOrNull(row, 'sealed_result'),
    sealedDigest: textOrNull(row, 'sealed_digest') as Digest | null,
  }))
}

/** Destroys a job's answer, plan and manifest; its receipt and digests stay. */
export async function forgetAnswer(tx: Sql, job: string): Promise<void> {
  await tx.query('update jobs set sealed_result = null, plan = null, manifest = null where id = $1', [job])
}

/** @returns numbers of the sets of signed facts that are of before a time (unix seconds) and still told */
export async function oldFacts(sql: Sql, pool: Address, before: number): Promise<readonly number[]> {
  const rows = await sql.query(
    `select number from dataset_facts where pool = $1 and state = 'signed' and statements is not null
       and ((reservation::jsonb) ->> 'at')::bigint < $2 order by number`,
    [pool.toLowerCase(), before],
  )
  return rows.map((row) => integerOf(row, 'number'))
}

/** Destroys what a set of facts says; that there was one stays, since it was charged. */
export async function forgetFacts(tx: Sql, pool: Address, number: number): Promise<void> {
  await tx.query('update dataset_facts set statements = null where pool = $1 and number = $2', [
    pool.toLowerCase(),
    number,
  ])
}

/**
 * @param pool only jobs that name it
 * @returns whether a job is not through with the inputs that were set aside for it: it runs, or waits for the chain or for another node
 */
export async function isAnyJobRunning(sql: Sql, pool?: Address): Promise<boolean> {
  const [row] = await sql.query(
    `select 1 as found from jobs where state in ('waiting', 'running') and reservation is not null and not detached
       and ($1::text is null or pools::jsonb ? $1) limit 1`,
    [pool?.toLowerCase() ?? null],
  )
  return row !== undefined
}

/** @returns of some numbers of refinements, the files that belong to them */
export async function filesOfRefinements(
  sql: Sql,
  pool: Address,
  refinements: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql.query(
    `select part ->> 'file' as file from refinements, jsonb_array_elements(refinements.parts::jsonb) as part
     where pool = $1 and refinements.id = any (string_to_array($2, ',')::bigint[])`,
    [pool.toLowerCase(), refinements.join(',')],
  )
  return new Set(rows.flatMap((row) => textOrNull(row, 'file') ?? []))
}
