/**
 * What a pool's node keeps now, which is what its settings say once a switch is over.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import { neverOpened } from './contribution-state.js'
import { getMeta, setMeta } from './meta-table.js'
import type { Sql } from './state-store.js'

/** @returns what is kept of a pool's contributions now */
export async function keptAs(sql: Sql, pool: Address): Promise<'escrow' | 'live'> {
  return (await getMeta(sql, keyOf(pool))) === 'live' ? 'live' : 'escrow'
}

const keyOf = (pool: Address): string => `keep ${pool.toLowerCase()}`

/**
 * @param pool column with a pool's address
 * @returns SQL that is true where the pool's contributions need no copies
 */
export function isLive(pool: string): string {
  return `exists (select 1 from meta where meta.key = 'keep ' || ${pool} and meta.value = 'live')`
}

/**
 * Makes a pool live: its tables are given up, what was in them waits to be seen at its owners' stores, and every copy in the blob store that was
 * opened as the pool's is due for removal.
 */
export async function makeLive(tx: Sql, pool: Address): Promise<void> {
  const address = pool.toLowerCase()
  await tx.query(`update refinements set state = 'superseded' where pool = $1 and state <> 'superseded'`, [
    address,
  ])
  await tx.query(
    `update contributions set state = 'recorded', retry_at = 0, attempts = 0
     where pool = $1 and state = 'refined' and reason is null`,
    [address],
  )
  await askAtOnce(tx, address)
  await tx.query(
    `insert into deletions (id, kind, pool, object, digest, reason, kept, state)
     select (select coalesce(max(id), 0) from deletions) + row_number() over (order by digest), 'copy', $1, digest, digest,
       'live', null, 'due'
     from (select distinct blob_digest as digest from contributions
       join blobs on blobs.digest = blob_digest and blobs.purpose = 'contribution'
       where pool = $1 and verdict_digest is not null
         and coalesce(reason, '') not in (${neverOpened.map((reason) => `'${reason}'`).join(', ')})) as copies
     on conflict do nothing`,
    [address],
  )
  // Of no use without the file, which only its owner's store gives from here on.
  await tx.query(
    `delete from meta where key in (select 'rewrapped header ' || id from contributions where contributions.pool = $1)`,
    [address],
  )
  await setMeta(tx, keyOf(pool), 'live')
}

/** Makes a live pool keep copies and rows again: all that it has accepted is to be refined, as its owners' stores give it. */
export async function makeEscrow(tx: Sql, pool: Address): Promise<void> {
  const address = pool.toLowerCase()
  await tx.query(
    `update contributions set state = 'recorded', retry_at = 0, attempts = 0
     where pool = $1 and state = 'refined' and reason is null and refinement is null`,
    [address],
  )
  await askAtOnce(tx, address)
  // How large they are, so that no more are refined together than fit into memory.
  await tx.query(
    `insert into blobs (digest, purpose, size) select blob_digest, 'contribution', max(size) from live_copies
       join contributions on contributions.id = live_copies.contribution where live_copies.pool = $1
     group by blob_digest on conflict (digest) do nothing`,
    [address],
  )
  await tx.query('delete from live_copies where pool = $1', [address])
  await tx.query(
    `delete from deletions where pool = $1 and kind = 'copy' and reason = 'live' and state = 'due'`,
    [address],
  )
  await setMeta(tx, keyOf(pool), 'escrow')
}

/** What waited for another place than is asked from here on, for a day perhaps, waits no longer. */
async function askAtOnce(tx: Sql, pool: string): Promise<void> {
  await tx.query(`update contributions set retry_at = 0 where pool = $1 and state = 'recorded'`, [pool])
}
