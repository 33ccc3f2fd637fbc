import type { Address, Digest } from '@sealpool/crypto'
import { integerOf, textOf } from './column.js'
import { type ContributionRow, contributionColumns, readContribution } from './contribution-table.js'
import { getMeta, setMeta } from './meta-table.js'
import type { Sql } from './state-store.js'

/** A contribution of a live pool that counts, with what its rows must be. */
export interface LiveCopy {
  readonly contribution: ContributionRow
  readonly verdictDigest: Digest
  /** Digest of its rows. */
  readonly rows: Digest
}

/** What a look at an owner's store came to. */
export interface LiveLook {
  readonly contribution: string
  readonly found: boolean
}

/**
 * Takes an accepted contribution of a live pool in, once its owner's store has given it and its rows were made and dropped again.
 * @returns false when it does not wait for that any more: it was taken back meanwhile
 */
export async function storeLiveCopy(
  tx: Sql,
  pool: Address,
  seen: { readonly contribution: string; readonly rows: Digest; readonly size: number },
): Promise<boolean> {
  const taken = await tx.query(
    `update contributions set state = 'refined', refinement = null, reason = null, reason_text = null
     where id = $1 and state = 'recorded' returning id`,
    [seen.contribution],
  )
  if (taken.length === 0) return false
  await tx.query(
    `insert into live_copies (contribution, pool, rows, size, found, misses) values ($1, $2, $3, $4, true, 0)
     on conflict (contribution) do update set rows = excluded.rows, size = excluded.size,
       found = true, misses = 0`,
    [seen.contribution, pool.toLowerCase(), seen.rows, seen.size],
  )
  return true
}

/** @returns the contributions of a live pool that jobs may use; those that were found at the last looks first, so that one that never answers costs others least */
export async function liveCopiesOf(sql: Sql, pool: Address): Promise<readonly LiveCopy[]> {
  const rows = await sql.query(
    `select ${contributionColumns}, live.rows from contributions
       join (select contribution, rows, misses from live_copies where live_copies.pool = $1) as live
         on live.contribution = contributions.id
     where contributions.pool = $1 and state = 'refined' and reason is null order by live.misses, contributions.id`,
    [pool.toLowerCase()],
  )
  return rows.map((row) => ({
    contribution: readContribution(row),
    verdictDigest: textOf(row, 'verdict_digest') as Digest,
    rows: textOf(row, 'rows') as Digest,
  }))
}

/** Notes what a look at a pool's owners' stores came to. Where all is as it was, nothing but its time is written, however large the pool is. */
export async function noteLooks(
  tx: Sql,
  pool: Address,
  looks: readonly LiveLook[],
  at: number,
): Promise<void> {
  for (const found of [true, false]) {
    const ids = looks.filter((look) => look.found === found).map(({ contribution }) => contribution)
    if (ids.length === 0) continue
    await tx.query(
      `update live_copies set found = $2, misses = case when $2 then 0 else misses + 1 end
       where contribution = any (string_to_array($1, ',')::bigint[]) and not (found and $2)`,
      [ids.join(','), found],
    )
  }
  await setMeta(tx, lookKey(pool), String(at))
}

const lookKey = (pool: Address): string => `live-look ${pool.toLowerCase()}`

/** How many of a live pool's contributors had something that could be had when a job last looked. */
export interface LiveCount {
  readonly accepted: number
  readonly found: number
  /** Unix seconds of that look; null before the first: then each was found when it was accepted, and not since. */
  readonly lookedAt: number | null
}

/** @returns the count of contributors as it is known without asking anybody */
export async function countLive(sql: Sql, pool: Address): Promise<LiveCount> {
  const [row] = await sql.query(
    `select count(distinct contributor)::integer as accepted,
       count(distinct contributor) filter (where found)::integer as found
     from contributions join live_copies on live_copies.contribution = contributions.id
     where contributions.pool = $1 and state = 'refined' and reason is null`,
    [pool.toLowerCase()],
  )
  const lookedAt = await getMeta(sql, lookKey(pool))
  return {
    accepted: row === undefined ? 0 : integerOf(row, 'accepted'),
    found: row === undefined ? 0 : integerOf(row, 'found'),
    lookedAt: lookedAt === undefined ? null : Number(lookedAt),
  }
}

/** @returns how many contributions with these verdicts jobs of a pool may use */
export async function countUsable(sql: Sql, pool: Address, verdicts: readonly Digest[]): Promise<number> {
  const [row] = await sql.query(
    `select count(*)::integer as count from contributions where pool = $1 and state = 'refined' and reason is null
       and verdict_digest = any (string_to_array($2, ' '))`,
    [pool.toLowerCase(), verdicts.join(' ')],
  )
  return row === undefined ? 0 : integerOf(row, 'count')
}
