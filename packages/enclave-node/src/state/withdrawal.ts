/**
 * Takes contributions out of use: withdrawn by their owners, or detached because their block is gone. Tables hold rows under
 * contributors' numbers only, so a refinement with such a contribution in it is given up whole and its other contributions
 * are refined anew.
 * @module
 */
import type { Address, Hex, SignedStatement } from '@sealpool/crypto'
import { jsonOf, textOf } from './column.js'
import { isConsented } from './consent-table.js'
import { forgetContent, hasContent, nextContentGeneration } from './content-table.js'
import {
  type ContributionRow,
  contributionColumns,
  findContribution,
  readContribution,
} from './contribution-table.js'
import { noteTakenBack, undoTakenBack } from './earlier-rewards.js'
import { isOfPolicy } from './of-policy.js'
import type { TablePart } from './refinement-table.js'
import type { Sql } from './state-store.js'
import { whyWaiting } from './why-waiting.js'

/** An owner took a contribution back (or replaced it by a newer version, which is the same to the older one). */
export interface ChainWithdrawal {
  /** Decimal. */
  readonly id: string
  readonly blockNumber: bigint
  /** The chain had not rewarded it by then, and never will; absent: it had, or it is not known. */
  readonly unpaid?: true
  /** What stands for it now: the number of the newer version, or the digest of its sealed file. */
  readonly replacedBy?: string
}

/**
 * Notes a withdrawal, in the transaction that moves the chain cursor. What is read twice counts once.
 * @returns whether the node knew the contribution and used it until now
 */
export async function withdrawContribution(tx: Sql, withdrawal: ChainWithdrawal): Promise<boolean> {
  const kept = await findContribution(tx, withdrawal.id)
  if (kept === undefined || kept.state === 'withdrawn') return false
  if (await hasContent(tx, withdrawal.id)) await nextContentGeneration(tx)
  await noteTakenBack(tx, withdrawal)
  await giveUpRefinement(tx, kept)
  await tx.query(
    `update contributions set state = 'withdrawn', withdrawn_block = $2,
       state_before = case state when 'detached' then state_before else state end,
       erasure = case when merkle_batch is null then 'due' end, erasure_settled_block = null,
       -- One that the refiner refused has no rows anywhere.
       refinement = case when state = 'refined' and reason is not null then null else refinement end
     where id = $1`,
    [withdrawal.id, withdrawal.blockNumber.toString()],
  )
  return true
}

/**
 * Undoes what blocks above `last` did to contributions: those that came in them are detached, withdrawals in them count no
 * more. What was recorded on the chain in them is sent again.
 */
export async function undoContributions(tx: Sql, last: bigint): Promise<void> {
  const above = last.toString()
  await nextContentGeneration(tx)
  await undoTakenBack(tx, last)
  await tx.query(
    `update contributions set state = case state_before when 'refined' then 'recorded' else state_before end,
       ${whyWaiting(`state_before in ('recorded', 'refined')`)},
       state_before = null, withdrawn_block = null, erasure = null, erasure_block = null,
       erasure_settled_block = null
     where state = 'withdrawn' and withdrawn_block > $1`,
    [above],
  )
  const gone = await tx.query(
    `select ${contributionColumns} from contributions where block_number > $1 and state <> 'detached' order by contributions.id`,
    [above],
  )
  for (const row of gone.map(readContribution)) await giveUpRefinement(tx, row)
  await tx.query(
    `update contributions set state_before = state, state = 'detached'
     where block_number > $1 and state not in ('detached', 'withdrawn')`,
    [above],
  )
  for (const table of ['verdict_batches', 'refinements', 'merkle_verdicts']) {
    await tx.query(
      `update ${table} set state = 'signed', settled_block = null where state in ('recorded', 'paid')
         and coalesce(settled_block, recorded_block, $1::bigint + 1) > $1::bigint`,
      [above],
    )
  }
  await tx.query(
    `update contributions set erasure = 'due', erasure_settled_block = null where erasure = 'recorded'
       and coalesce(erasure_settled_block, erasure_block, $1::bigint + 1) > $1::bigint`,
    [above],
  )
}

/** Why a contribution is refused whose time is over. */
export const retentionOver = 'RETENTION_OVER'

/**
 * Ends the use of contributions whose time is over, and destroys what the store holds of them but their fingerprints, which are keyed:
 * the same content is not paid for again. Their rows go with the refinements that they were in.
 */
export async function expireContributions(tx: Sql, expired: readonly ContributionRow[]): Promise<void> {
  for (const row of expired) {
    if (await hasContent(tx, row.id)) await nextContentGeneration(tx)
    await giveUpRefinement(tx, row)
    await tx.query(
      `update contributions set state = 'refused', reason = $2, reason_text = $3 where id = $1`,
      [
        row.id,
        retentionOver,
        'the time for which the pool keeps contributions is over; its rows are deleted',
      ],
    )
    await tx.query('delete from verdict_audits where contribution = $1', [row.id])
    await forgetDocuments(tx, row.id)
  }
}

/** Takes a contribution's rows out of use; the others of its refinement go back to be refined again. */
async function giveUpRefinement(
  tx: Sql,
  { state, reason, refinement, pool }: ContributionRow,
): Promise<void> {
  if (state !== 'refined' || refinement === null || reason !== null) return
  await tx.query(`update refinements set state = 'superseded' where id = $1 and pool = $2`, [
    refinement,
    pool,
  ])
  await tx.query(
    `update contributions set state = 'recorded', retry_at = 0, attempts = 0
     where refinement = $1 and state = 'refined' and reason is null`,
    [refinement],
  )
}

/** A given-up refinement whose files are still there. */
export interface GivenUpRefinement {
  readonly id: string
  readonly pool: Address
  readonly parts: readonly TablePart[]
}

/** @returns the given-up refinements whose files have not been removed */
export async function givenUpRefinements(sql: Sql): Promise<readonly GivenUpRefinement[]> {
  const rows = await sql.query(
    `select id::text, pool, parts from refinements where state = 'superseded' and parts <> '[]' order by refinements.id`,
  )
  return rows.map((row) => ({
    id: textOf(row, 'id'),
    pool: textOf(row, 'pool') as Address,
    parts: jsonOf<TablePart[]>(row, 'parts'),
  }))
}

/** Notes that a given-up refinement's files are gone. */
export async function noteFilesRemoved(sql: Sql, refinement: string): Promise<void> {
  await sql.query(`update refinements set parts = '[]' where id = $1 and state = 'superseded'`, [refinement])
}

/**
 * Contributions of which everything is destroyed and the chain has not been told.
 * @returns those whose refinement has no files any more
 */
export async function dueErasures(
  sql: Sql,
): Promise<readonly { readonly id: string; readonly pool: Address }[]> {
  const rows = await sql.query(
    `select id::text, pool from contributions where erasure = 'due' and state = 'withdrawn'
       and (refinement is null or not exists
         (select 1 from refinements where refinements.id = contributions.refinement
            and (refinements.state <> 'superseded' or refinements.parts <> '[]')))
     order by contributions.id limit 100`,
  )
  return rows.map((row) => ({ id: textOf(row, 'id'), pool: textOf(row, 'pool') as Address }))
}

/** Destroys what the store itself holds of a contribution: its verdict with what it says, its fingerprint, its prints and account. */
export async function forgetContribution(tx: Sql, id: string): Promise<void> {
  await tx.query('delete from fingerprints where contribution = $1', [id])
  await forgetDocuments(tx, id)
}

/** All that is said about a contribution but its fingerprint. */
async function forgetDocuments(tx: Sql, id: string): Promise<void> {
  await tx.query('delete from verdicts where contribution = $1', [id])
  await tx.query('delete from meta where key = $1', [`rewrapped header ${id}`])
  await forgetContent(tx, id)
}

/** Notes that the node's statement on an erasure stands on the chain. */
export async function markErased(
  sql: Sql,
  id: string,
  sent: { readonly block: bigint } | null,
): Promise<void> {
  await sql.query(
    `update contributions set erasure = 'recorded', erasure_block = $2, erasure_settled_block = null where id = $1`,
    [id, sent?.block.toString() ?? null],
  )
}

/**
 * Whether a pool's tables lack rows only because they are being rebuilt: jobs wait that long. A contribution whose blob is
 * away (it has been put off at least once) holds up nobody.
 */
export async function isRebuilding(sql: Sql, pool: Address): Promise<boolean> {
  const [row] = await sql.query(
    `select 1 as found from contributions where pool = $1 and state = 'recorded' and refinement is not null
       and attempts = 0 and ${isConsented} and ${isOfPolicy} limit 1`,
    [pool.toLowerCase()],
  )
  return row !== undefined
}

/** A signed erasure as the chain takes it. */
export interface Erasure {
  readonly contribution: string
  readonly pool: Address
  readonly statement: SignedStatement
}

/** A mined transaction: where what it wrote stands. */
export interface SentTransaction {
  readonly hash: Hex
  readonly block: bigint
}
