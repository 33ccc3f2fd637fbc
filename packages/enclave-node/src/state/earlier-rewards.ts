/**
 * What was rewarded before of a lineage (a contribution and the newer versions that stand for it) or of one content: whatever comes of it again
 * is rewarded for what it is better. Of what an owner took back a keyed fingerprint is kept for that, and nothing of its content.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { integerOf } from './column.js'
import type { Sql } from './state-store.js'

/**
 * The highest score that was rewarded before for an older version of a contribution, or for its content where that was taken back since. A
 * contribution that is judged again is told what it was told first, when it was accepted.
 * @param asked `contribution`: its id; `fingerprint`: the keyed one of its content, where the file could be opened
 * @returns ten-thousandths of a full score
 */
export async function rewardedBefore(
  sql: Sql,
  pool: Address,
  { contribution, fingerprint }: { readonly contribution: string; readonly fingerprint: string | undefined },
): Promise<number> {
  const [own] = await sql.query(
    `select coalesce(rewarded, 0) as rewarded from contributions
       left join earlier_rewards on earlier_rewards.contribution = contributions.id
     where contributions.id = $1 and score is not null and reason is null`,
    [contribution],
  )
  if (own !== undefined) return integerOf(own, 'rewarded')
  const [row] = await sql.query(
    // Whoever names a file as the newer version of his own lessens nobody else's: an older version has the same owner.
    `with recursive lineage (id) as (
         select contributions.id from contributions where contributions.id = $1
       union
         select older.id from lineage
           join contributions as newer on newer.id = lineage.id
           join earlier_rewards as said on said.replaced_by = any (array[newer.id::text, newer.blob_digest])
           join contributions as older on older.id = said.contribution
         where older.pool = newer.pool and older.owner = newer.owner
       ), earlier (id) as (
         select lineage.id from lineage
       union
         select said.contribution from earlier_rewards as said where said.pool = $2 and said.print = $3
       )
     select coalesce(max(coalesce(said.rewarded, 0) + case when said.unpaid then 0 else coalesce(score, 0) end), 0)::integer as rewarded
     from earlier join contributions on contributions.id = earlier.id
       left join earlier_rewards as said on said.contribution = earlier.id
     where contributions.id <> $1 and contributions.state = 'withdrawn'`,
    [contribution, pool.toLowerCase(), fingerprint ?? null],
  )
  return row === undefined ? 0 : integerOf(row, 'rewarded')
}

/** Stores what {@link rewardedBefore} said when a contribution was accepted. */
export async function storeRewardedBefore(
  tx: Sql,
  pool: Address,
  contribution: string,
  rewarded: number,
): Promise<void> {
  await tx.query(
    `insert into earlier_rewards (contribution, pool, rewarded) values ($1, $2, $3)
     on conflict (contribution) do update set rewarded = excluded.rewarded`,
    [contribution, pool.toLowerCase(), rewarded],
  )
}

/** @returns ten-thousandths that were rewarded for a contribution besides its own score: before it was judged, and by later proofs */
export async function rewardedBesides(sql: Sql, contribution: string): Promise<number> {
  const [row] = await sql.query('select rewarded from earlier_rewards where contribution = $1', [
    contribution,
  ])
  return row === undefined ? 0 : integerOf(row, 'rewarded')
}

/** Adds what a contribution earns by another proof's score to what was rewarded for it: newer versions of it earn that much less. */
export async function addRewarded(
  tx: Sql,
  pool: Address,
  contribution: string,
  earned: number,
): Promise<void> {
  await tx.query(
    `insert into earlier_rewards (contribution, pool, rewarded) values ($1, $2, $3)
     on conflict (contribution) do update set rewarded = earlier_rewards.rewarded + excluded.rewarded`,
    [contribution, pool.toLowerCase(), earned],
  )
}

/**
 * Notes of a contribution that its owner takes back or replaces what a later one needs: what stands for it, and its keyed fingerprint where it
 * was rewarded. Before erasure destroys the fingerprint.
 */
export async function noteTakenBack(
  tx: Sql,
  taken: { readonly id: string; readonly unpaid?: true; readonly replacedBy?: string },
): Promise<void> {
  await tx.query(
    `insert into earlier_rewards (contribution, pool, replaced_by, unpaid, print)
     select contributions.id, contributions.pool, $2::text, $3::boolean, case when score > 0 and not $3::boolean then
         (select min(fingerprint) from fingerprints where fingerprints.contribution = contributions.id) end
       from contributions where contributions.id = $1 and (score > 0 or $2::text is not null)
     on conflict (contribution) do update set replaced_by = excluded.replaced_by, unpaid = excluded.unpaid,
       print = case when excluded.unpaid then null else coalesce(excluded.print, earlier_rewards.print) end`,
    [taken.id, taken.replacedBy ?? null, taken.unpaid === true],
  )
}

/**
 * Takes back {@link noteTakenBack} of what was taken back above a block that is the last now, before the contributions count again: with the
 * fingerprints that were kept of what was erased meanwhile, else each of them could be contributed, and rewarded, a second time beside it.
 */
export async function undoTakenBack(tx: Sql, last: bigint): Promise<void> {
  await tx.query(
    `insert into fingerprints (pool, fingerprint, contribution)
     select earlier_rewards.pool, print, contribution from earlier_rewards
       join contributions on contributions.id = earlier_rewards.contribution
     where print is not null and state = 'withdrawn' and withdrawn_block > $1
     on conflict (pool, fingerprint) do nothing`,
    [last.toString()],
  )
  await tx.query(
    `update earlier_rewards set replaced_by = null, unpaid = false, print = null
     where contribution in (select id from contributions where state = 'withdrawn' and withdrawn_block > $1)`,
    [last.toString()],
  )
}

/** @returns whether the keyed fingerprint of a contribution that was taken back is kept */
export async function keepsFingerprint(sql: Sql, contribution: string): Promise<boolean> {
  const rows = await sql.query(
    'select 1 from earlier_rewards where contribution = $1 and print is not null',
    [contribution],
  )
  return rows.length > 0
}

/** Forgets a contribution whose number the chain has given to another one. */
export async function forgetEarlierRewards(tx: Sql, contribution: string): Promise<void> {
  await tx.query('delete from earlier_rewards where contribution = $1', [contribution])
}
