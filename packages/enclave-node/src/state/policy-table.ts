/**
 * Under which policy a pool's tables are made, and which contributions were sealed under another: keys follow from the policy, so that jobs read
 * nothing of these until it is the pool's policy again.
 * @module
 */
import type { Address, Digest } from '@sealpool/crypto'
import { integerOf, textOf, textOrNull } from './column.js'
import { consentChanged, consentChangedText, isConsented } from './consent-table.js'
import { getMeta, setMeta } from './meta-table.js'
import { isOfPolicy } from './of-policy.js'
import type { Sql } from './state-store.js'

const keyOf = (pool: Address): string => `policy ${pool.toLowerCase()}`

/** Under which policy a row of `refinements` was made. */
const signedPolicy = `statement::jsonb #>> '{statement,body,policy}'`

/** Why a contribution waits that was sealed under another policy. */
export const policyChanged = 'POLICY_CHANGED'
/** The same in a sentence. */
export const policyChangedText =
  'it was sealed under an earlier policy of the pool and stays accepted; jobs under the present policy do not use it, seal it under that one to have it used'

/** @returns whether the tables are made under this policy already, or there is nothing yet that could be under another */
export async function policyApplies(sql: Sql, pool: Address, policy: Digest): Promise<boolean> {
  return ((await policyOfTables(sql, pool)) ?? policy) === policy
}

/** @returns whether it is noted under which policy the tables are made */
export async function isPolicyNoted(sql: Sql, pool: Address, policy: Digest): Promise<boolean> {
  return (await getMeta(sql, keyOf(pool))) === policy
}

/** @returns the policy of the tables; undefined while it is not noted and no table says it */
async function policyOfTables(sql: Sql, pool: Address): Promise<string | undefined> {
  const noted = await getMeta(sql, keyOf(pool))
  if (noted !== undefined) return noted
  // Nodes of before it was noted have signed it.
  const [row] = await sql.query(
    `select ${signedPolicy} as policy from refinements
     where pool = $1 and state <> 'superseded' order by refinements.id desc limit 1`,
    [pool.toLowerCase()],
  )
  return row === undefined ? undefined : (textOrNull(row, 'policy') ?? undefined)
}

/**
 * Has tables made under another policy: what was accepted under the one before waits, its refinements are given up, and what waited for this one
 * counts again.
 * @returns how many accepted contributions of other policies no job uses
 */
export async function applyPolicy(tx: Sql, pool: Address, policy: Digest): Promise<number> {
  const address = pool.toLowerCase()
  const before = (await policyOfTables(tx, pool)) ?? policy
  if ((await getMeta(tx, keyOf(pool))) === undefined) await giveUpMixed(tx, address, policy)
  await setMeta(tx, keyOf(pool), policy)
  if (before !== policy) await changePolicy(tx, address, { before, policy })
  const [row] = await tx.query(
    `select count(*)::integer as count from contributions where pool = $1 and state = 'recorded' and not ${isOfPolicy}`,
    [address],
  )
  return row === undefined ? 0 : integerOf(row, 'count')
}

/** A node of before it was noted went on after a change, so that tables of several policies stand side by side: those of others are given up. */
async function giveUpMixed(tx: Sql, pool: string, policy: string): Promise<void> {
  await tx.query(
    `insert into earlier_policies (contribution, pool, policy)
     select contributions.id, $1, signed.policy from contributions
       join (select id, ${signedPolicy} as policy from refinements where refinements.pool = $1) as signed
         on signed.id = contributions.refinement
     where contributions.pool = $1 and signed.policy <> $2 on conflict (contribution) do nothing`,
    [pool, policy],
  )
  await tx.query(
    `update refinements set state = 'superseded' where pool = $1 and state <> 'superseded' and ${signedPolicy} <> $2`,
    [pool, policy],
  )
  await tx.query(
    `update contributions set state = 'recorded', retry_at = 0, attempts = 0, reason = $2, reason_text = $3
     where pool = $1 and not ${isOfPolicy} and (state = 'recorded' or state = 'refined' and reason is null)`,
    [pool, policyChanged, policyChangedText],
  )
}

async function changePolicy(
  tx: Sql,
  pool: string,
  { before, policy }: { readonly before: string; readonly policy: string },
): Promise<void> {
  // Who was judged was opened under the policy of that time; who was not is refused when he comes to it. Those of older policies keep theirs.
  await tx.query(
    `insert into earlier_policies (contribution, pool, policy)
     select id, pool, $2 from contributions where pool = $1 and coalesce(state_before, state) not in ('seen', 'refused')
     on conflict (contribution) do nothing`,
    [pool, before],
  )
  const again = await tx.query(
    'delete from earlier_policies where pool = $1 and policy = $2 returning contribution::text',
    [pool, policy],
  )
  await tx.query(`update refinements set state = 'superseded' where pool = $1 and state <> 'superseded'`, [
    pool,
  ])
  await tx.query(
    `delete from live_copies where contribution in (select id from contributions where pool = $1 and not ${isOfPolicy})`,
    [pool],
  )
  await tx.query(
    `update contributions set state = 'recorded', retry_at = 0, attempts = 0
     where pool = $1 and state = 'refined' and reason is null`,
    [pool],
  )
  await tx.query(
    `update contributions set reason = $2, reason_text = $3 where pool = $1 and state = 'recorded' and not ${isOfPolicy}`,
    [pool, policyChanged, policyChangedText],
  )
  await tx.query(
    `update contributions set reason = case when ${isConsented} then null else $2 end,
       reason_text = case when ${isConsented} then null else $3 end, retry_at = 0, attempts = 0
     where state = 'recorded' and reason = $4 and id = any (string_to_array($1, ',')::bigint[])`,
    [
      again.map((row) => textOf(row, 'contribution')).join(','),
      consentChanged,
      consentChangedText,
      policyChanged,
    ],
  )
}

/** Forgets a contribution whose number the chain has given to another one. */
export async function forgetEarlierPolicy(tx: Sql, contribution: string): Promise<void> {
  await tx.query('delete from earlier_policies where contribution = $1', [contribution])
}
