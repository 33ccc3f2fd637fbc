import type { Address, Digest } from '@sealpool/crypto'
import { integerOf, jsonOf, textOf } from './column.js'
import { type ContributionRow, contributionColumns, readContribution } from './contribution-table.js'
import { isDue } from './due-time.js'
import type { Sql } from './state-store.js'

/** What the node knew besides the file when it judged: with it, the same code must say the same. */
export interface KnownWhenJudged {
  /** Digest of the rules by which it was judged: proof, limits, farming. */
  readonly rules: Digest
  /** Time of its block. */
  readonly at: number
  readonly novelty: number | null
  readonly account: { readonly accepted: boolean; readonly contributor?: string } | null
  readonly scaling: {
    readonly history: {
      readonly ofIdentity: number
      readonly ofCluster: { readonly count: number; readonly earned: number }
    }
    readonly novelty: number
    /** Absent in what was noted before size was looked at. */
    readonly size?: { readonly items: number; readonly typical: number }
  } | null
  /** Ten-thousandths that had been rewarded before for its lineage or content; absent in what was noted before that was looked at. */
  readonly rewarded?: number
}

/** A verdict that is to be judged again. */
export interface DueAudit {
  readonly contribution: ContributionRow
  readonly known: KnownWhenJudged
  readonly state: 'due' | 'differs'
}

/** Notes that a verdict is to be judged again, in the transaction that stores it. */
export async function storeAudit(
  tx: Sql,
  pool: Address,
  contribution: string,
  known: KnownWhenJudged,
): Promise<void> {
  await tx.query(
    `insert into verdict_audits (contribution, pool, state, known) values ($1, $2, 'due', $3)
     on conflict (contribution) do update set state = 'due', known = excluded.known, retry_at = 0`,
    [contribution, pool.toLowerCase(), JSON.stringify(known)],
  )
}

/** States of contributions whose verdict stands on the chain. */
const settled = `'recorded', 'refined', 'refused'`

/** @returns the next audits of a pool; those that differed come again when their time has come */
export async function dueAudits(
  sql: Sql,
  pool: Address,
  { at, limit }: { readonly at: number; readonly limit: number },
): Promise<readonly DueAudit[]> {
  const rows = await sql.query(
    `select ${contributionColumns}, audits.known, audits.audit_state from contributions
       join (select contribution, known, retry_at, state as audit_state from verdict_audits where state <> 'same' and verdict_audits.pool = $1)
         as audits on audits.contribution = contributions.id
     where contributions.state in (${settled}) and ${isDue('audits.retry_at', '$2')} order by contributions.id limit $3`,
    [pool.toLowerCase(), at, limit],
  )
  return rows.map((row) => ({
    contribution: readContribution(row),
    known: jsonOf<KnownWhenJudged>(row, 'known'),
    state: textOf(row, 'audit_state') as DueAudit['state'],
  }))
}

/** Puts an audit off until `at` (unix seconds). */
export async function putOffAudit(sql: Sql, contribution: string, at: number): Promise<void> {
  await sql.query('update verdict_audits set retry_at = $2 where contribution = $1', [contribution, at])
}

/** Notes how an audit came out; one that differed comes again at `again` (unix seconds). */
export async function noteAudit(
  sql: Sql,
  contribution: string,
  came: { readonly state: 'same' } | { readonly state: 'differs'; readonly again: number },
): Promise<void> {
  await sql.query(
    `update verdict_audits set state = $2, known = case when $2 = 'same' then null else known end, retry_at = $3
     where contribution = $1`,
    [contribution, came.state, came.state === 'same' ? 0 : came.again],
  )
}

/** Forgets an audit of what was judged by other rules than now. */
export async function forgetAudit(sql: Sql, contribution: string): Promise<void> {
  await sql.query('delete from verdict_audits where contribution = $1', [contribution])
}

/** @returns how many verdicts came out otherwise and have not come out the same since */
export async function countDiffering(sql: Sql): Promise<number> {
  const [row] = await sql.query(
    `select count(*)::integer as count from verdict_audits join contributions on contributions.id = contribution
     where verdict_audits.state = 'differs' and contributions.state in (${settled})`,
  )
  return row === undefined ? 0 : integerOf(row, 'count')
}
