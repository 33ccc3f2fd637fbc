/**
 * What the accepted contributions of a pool hold, as keyed prints, and the accounts that they came with. Only those count that
 * are judged and neither withdrawn nor gone with their block, so that nothing here is ever undone: it begins or ends to count.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { bytesOf, integerOf, textOf } from './column.js'
import { forgetRescored } from './forget-rescored.js'
import { getMeta, setMeta } from './meta-table.js'
import type { Sql } from './state-store.js'
import { forgetAgreement } from './verdict-agreement-table.js'

/** A contribution's entry in the indexes of its pool. */
export interface ContentPrints {
  /** One entry of an index of near duplicates; behind it one of the index of courses, where the contribution has one. */
  readonly sketch: Uint8Array
  /** Entries of a row index. */
  readonly rows: Uint8Array
}

/** States in which an accepted contribution counts. */
const counting = `state not in ('seen', 'withdrawn', 'detached')`
const generationKey = 'content-generation'

/**
 * Changes whenever contributions that counted may have ceased to, or those that did not may count again; what was made of the
 * tables before is then made anew. New contributions do not change it.
 * @returns decimal
 */
export async function contentGeneration(sql: Sql): Promise<string> {
  return (await getMeta(sql, generationKey)) ?? '0'
}

/** Begins another {@link contentGeneration}, in the transaction of what gave rise to it. */
export async function nextContentGeneration(tx: Sql): Promise<void> {
  await setMeta(tx, generationKey, (BigInt(await contentGeneration(tx)) + 1n).toString())
}

/** @returns whether a contribution has prints or a claim to an account */
export async function hasContent(sql: Sql, contribution: string): Promise<boolean> {
  const rows = await sql.query(
    `select 1 from content_prints where contribution = $1 union all select 1 from account_claims where contribution = $1 limit 1`,
    [contribution],
  )
  return rows.length > 0
}

/**
 * Stores what an accepted contribution holds and came with, in the place of what an earlier judgement left.
 * @param content null where the proof has no such thing
 */
export async function storeContent(
  tx: Sql,
  pool: Address,
  contribution: string,
  content: { readonly prints: ContentPrints | null; readonly account: string | null },
): Promise<void> {
  await clearContent(tx, contribution)
  const { prints, account } = content
  if (prints !== null) {
    await tx.query(
      'insert into content_prints (contribution, pool, sketch, row_prints) values ($1, $2, $3, $4)',
      [contribution, pool.toLowerCase(), prints.sketch, prints.rows],
    )
  }
  if (account !== null) {
    await tx.query('insert into account_claims (contribution, pool, account) values ($1, $2, $3)', [
      contribution,
      pool.toLowerCase(),
      account,
    ])
  }
}

/** Destroys what is stored of a contribution's content, rows and account, what it would be judged again by, and what validators said of it. */
export async function forgetContent(tx: Sql, contribution: string): Promise<void> {
  await clearContent(tx, contribution)
  await forgetAgreement(tx, contribution)
  await forgetRescored(tx, contribution)
}

async function clearContent(tx: Sql, contribution: string): Promise<void> {
  await tx.query('delete from content_prints where contribution = $1', [contribution])
  await tx.query('delete from account_claims where contribution = $1', [contribution])
  await tx.query('delete from verdict_audits where contribution = $1', [contribution])
  await tx.query('delete from live_copies where contribution = $1', [contribution])
}

/** @returns entries of Merkle batches that were withdrawn and of which prints, claims, the rows' digest or what validators said are still there */
export async function withdrawnWithContent(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.query(
    `select id::text from contributions where state = 'withdrawn' and merkle_batch is not null
       and (id in (select contribution from content_prints) or id in (select contribution from account_claims)
         or id in (select contribution from verdict_audits) or id in (select contribution from live_copies)
         or id in (select contribution from verdict_agreements)
         or id in (select contribution from rescored_verdicts)
         or id in (select contribution from verdict_disputes where evidence is not null))`,
  )
  return rows.map((row) => textOf(row, 'id'))
}

const rowsAtOnce = 1_000

/** Reads the prints of a pool's contributions that count, by id. */
export async function* countingPrints(
  sql: Sql,
  pool: Address,
): AsyncGenerator<ContentPrints & { readonly contribution: string }> {
  for (let last = '0'; ; ) {
    const rows = await sql.query(
      `select contribution::text, sketch, row_prints from content_prints
         join contributions on contributions.id = content_prints.contribution
       where content_prints.pool = $1 and contribution > $2 and ${counting}
       order by content_prints.contribution limit ${rowsAtOnce}`,
      [pool.toLowerCase(), last],
    )
    for (const row of rows)
      yield {
        contribution: textOf(row, 'contribution'),
        sketch: bytesOf(row, 'sketch'),
        rows: bytesOf(row, 'row_prints'),
      }
    const end = rows.at(-1)
    if (end === undefined || rows.length < rowsAtOnce) return
    last = textOf(end, 'contribution')
  }
}

/** Who holds an account in a pool. */
export interface AccountHolder {
  readonly owner: Address
  /** Number under which the holder's rows are refined. */
  readonly contributor: number
}

/** @returns the wallet whose contribution came first with the account, of those that count; undefined when none does */
export async function accountHolder(
  sql: Sql,
  pool: Address,
  account: string,
): Promise<AccountHolder | undefined> {
  const [row] = await sql.query(
    `select owner, contributor from account_claims join contributions on contributions.id = account_claims.contribution
     where account_claims.pool = $1 and account = $2 and ${counting}
     order by block_number, log_index, coalesce(batch_index, 0) limit 1`,
    [pool.toLowerCase(), account],
  )
  return row === undefined
    ? undefined
    : { owner: textOf(row, 'owner') as Address, contributor: integerOf(row, 'contributor') }
}
