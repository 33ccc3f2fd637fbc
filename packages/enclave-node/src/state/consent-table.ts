/**
 * Which consents a pool accepts now, as the tables are made by; it is what the settings say once a switch is over.
 * @module
 */
import { type Address, type Digest, digestToHex } from '@sealpool/crypto'
import { integerOf } from './column.js'
import { getMeta, setMeta } from './meta-table.js'
import { isOfPolicy } from './of-policy.js'
import type { Sql } from './state-store.js'

const keyOf = (pool: Address): string => `consents ${pool.toLowerCase()}`

/** The value under which digests are kept; null where any counts. */
const keptForm = (consents: readonly Digest[] | null): string =>
  consents === null ? 'any' : consents.map(digestToHex).sort().join(' ')

/**
 * SQL that is true where the owner of a row of `contributions` agreed to a text that its pool accepts now. Digests on chain are 32 bytes in
 * hexadecimal, so that one cannot stand across two others.
 */
export const isConsented = `coalesce((select meta.value = 'any' or position(contributions.consent_digest in meta.value) > 0
  from meta where meta.key = 'consents ' || contributions.pool), true)`

/** Why a contribution waits whose text counts no more. */
export const consentChanged = 'CONSENT_CHANGED'
/** The same in a sentence. */
export const consentChangedText =
  'the text that its owner agreed to counts no more; no job uses it until its owner agrees to the present one'

/** @returns whether the tables are made by these consents already */
export async function consentsApply(
  sql: Sql,
  pool: Address,
  consents: readonly Digest[] | null,
): Promise<boolean> {
  return ((await getMeta(sql, keyOf(pool))) ?? 'any') === keptForm(consents)
}

/**
 * Has tables made by other consents: refinements that hold rows of contributions without one are given up, the others in them are refined again,
 * and those without wait. What is consented to again goes on.
 */
export async function applyConsents(
  tx: Sql,
  pool: Address,
  consents: readonly Digest[] | null,
): Promise<void> {
  const address = pool.toLowerCase()
  await setMeta(tx, keyOf(pool), keptForm(consents))
  await tx.query(
    `update refinements set state = 'superseded' where pool = $1 and state <> 'superseded' and id in
       (select refinement from contributions where pool = $1 and state = 'refined' and reason is null and not ${isConsented})`,
    [address],
  )
  // Of a live pool there is no refinement: its own contributions are taken out one by one.
  await tx.query(
    `delete from live_copies where contribution in
       (select id from contributions where pool = $1 and state = 'refined' and reason is null and not ${isConsented})`,
    [address],
  )
  await tx.query(
    `update contributions set state = 'recorded', retry_at = 0, attempts = 0
     where pool = $1 and state = 'refined' and reason is null and (not ${isConsented} or refinement in
       (select id from refinements where refinements.pool = $1 and refinements.state = 'superseded'))`,
    [address],
  )
  // What waits for its policy goes on waiting for that: its text is asked for when the policy is back.
  await tx.query(
    `update contributions set reason = $2, reason_text = $3
     where pool = $1 and state = 'recorded' and ${isOfPolicy} and not ${isConsented}`,
    [address, consentChanged, consentChangedText],
  )
  await tx.query(
    `update contributions set reason = null, reason_text = null where pool = $1 and reason = $2 and ${isConsented}`,
    [address, consentChanged],
  )
}

/** @returns how many accepted contributions of a pool no job uses, because their owners' text counts no more */
export async function countWithheld(sql: Sql, pool: Address): Promise<number> {
  const [row] = await sql.query(
    `select count(*)::integer as count from contributions where pool = $1 and state = 'recorded' and not ${isConsented}`,
    [pool.toLowerCase()],
  )
  return row === undefined ? 0 : integerOf(row, 'count')
}
