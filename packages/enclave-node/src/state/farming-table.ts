/**
 * What contributions earned under their pool's farming rule. Whatever was judged counts, also after its owner took it back, and
 * what was taken back earns nothing when it is brought again. What a reorganisation took away does not, until the chain shows it again.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { integerOf, textOf } from './column.js'
import type { Sql } from './state-store.js'

/** One contribution under the rule. */
export interface FarmingEntry {
  readonly contribution: string
  /** Order in which the pool's contributions were judged; the same when it is judged again. */
  readonly place: number
  /** Number of who counts as the contributor. */
  readonly identity: number
  /** Which period its block is in. */
  readonly period: number
  /** Id of the first contribution of its cluster. */
  readonly cluster: string
  /** Ten-thousandths. */
  readonly earned: number
}

/** @returns what an earlier judgement of a contribution left, or undefined */
export async function findFarmingEntry(sql: Sql, contribution: string): Promise<FarmingEntry | undefined> {
  const [row] = await sql.query(
    `select contribution::text, place::text, identity, period::text, cluster::text, earned from farming_values
     where contribution = $1`,
    [contribution],
  )
  return row === undefined
    ? undefined
    : {
        contribution: textOf(row, 'contribution'),
        place: integerOf(row, 'place'),
        identity: integerOf(row, 'identity'),
        period: integerOf(row, 'period'),
        cluster: textOf(row, 'cluster'),
        earned: integerOf(row, 'earned'),
      }
}

/** @returns the place of the next contribution of a pool */
export async function nextFarmingPlace(sql: Sql, pool: Address): Promise<number> {
  const [row] = await sql.query(
    'select (coalesce(max(place), 0) + 1)::text as place from farming_values where pool = $1',
    [pool.toLowerCase()],
  )
  return row === undefined ? 1 : integerOf(row, 'place')
}

/** Whose history is asked for. */
export interface FarmingQuestion extends Pick<FarmingEntry, 'place' | 'identity' | 'period' | 'cluster'> {
  /** Contributions that the asker counts himself. */
  readonly without: readonly string[]
  /** How far counting goes: more of an identity or of a cluster changes nothing, however many there are. */
  readonly most: { readonly ofIdentity: number; readonly ofCluster: number }
}

/**
 * @returns how many of an identity in its period and of a cluster came before a place, up to the most of each, and what the cluster
 * earned, in ten-thousandths
 */
export async function farmingBefore(
  sql: Sql,
  pool: Address,
  { identity, period, cluster, place, without, most }: FarmingQuestion,
): Promise<{ readonly ofIdentity: number; readonly ofCluster: number; readonly earned: number }> {
  const counting = `from farming_values join contributions on contributions.id = farming_values.contribution
    where farming_values.pool = $1 and place < $5 and state <> 'detached'
      and not contribution = any (string_to_array($6, ',')::bigint[])`
  const [row] = await sql.query(
    `select
       (select count(*)::integer from (select 1 ${counting} and identity = $2 and period = $3 limit $7) as own) as of_identity,
       (select count(*)::integer from (select 1 ${counting} and cluster = $4 limit $8) as copies) as of_cluster,
       (select coalesce(sum(earned), 0)::text ${counting} and cluster = $4 and earned > 0) as earned`,
    [
      pool.toLowerCase(),
      identity,
      period,
      cluster,
      place,
      without.join(','),
      most.ofIdentity,
      most.ofCluster,
    ],
  )
  return row === undefined
    ? { ofIdentity: 0, ofCluster: 0, earned: 0 }
    : {
        ofIdentity: integerOf(row, 'of_identity'),
        ofCluster: integerOf(row, 'of_cluster'),
        earned: integerOf(row, 'earned'),
      }
}

/** @returns the cluster of what was taken back of a pool with this fingerprint, of those before a place; undefined when nothing was */
export async function clusterTakenBack(
  sql: Sql,
  pool: Address,
  { fingerprint, place }: { readonly fingerprint: string; readonly place: number },
): Promise<string | undefined> {
  const [row] = await sql.query(
    `select cluster::text from earlier_rewards
       join farming_values on farming_values.contribution = earlier_rewards.contribution
       join contributions on contributions.id = earlier_rewards.contribution
     where earlier_rewards.pool = $1 and print = $2 and place < $3 and state = 'withdrawn' order by place limit 1`,
    [pool.toLowerCase(), fingerprint, place],
  )
  return row === undefined ? undefined : textOf(row, 'cluster')
}

/** Stores what a contribution earned, in the place of what an earlier judgement left. */
export async function storeFarmingEntry(tx: Sql, pool: Address, entry: FarmingEntry): Promise<void> {
  await tx.query(
    `insert into farming_values (contribution, pool, place, identity, period, cluster, earned)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (contribution) do update set place = excluded.place,
       identity = excluded.identity, period = excluded.period, cluster = excluded.cluster, earned = excluded.earned`,
    [
      entry.contribution,
      pool.toLowerCase(),
      entry.place,
      entry.identity,
      entry.period,
      entry.cluster,
      entry.earned,
    ],
  )
}

/** Forgets a contribution whose number the chain has given to another one. */
export async function forgetFarmingEntry(tx: Sql, contribution: string): Promise<void> {
  await tx.query('delete from farming_values where contribution = $1', [contribution])
}
