/**
 * Sealed files in the blob store that contributions need: what replicas are held against.
 * @module
 */
import type { Digest } from '@sealpool/crypto'
import { integerOf, textOf } from './column.js'
import { isLive } from './kept-as.js'
import type { Sql } from './state-store.js'

/**
 * Only what this node has opened as its pool's: nobody has it copy blobs about that he merely names.
 */
const needed = `from blobs where purpose = 'contribution' and exists (select 1 from contributions
  where blob_digest = blobs.digest and state not in ('withdrawn', 'refused') and not ${isLive('contributions.pool')})`

/** @returns the needed sealed file after `after` by digest, or undefined when that was the last */
export async function nextNeededBlob(sql: Sql, after: string): Promise<Digest | undefined> {
  const [row] = await sql.query(`select digest ${needed} and digest > $1 order by digest limit 1`, [after])
  return row === undefined ? undefined : (textOf(row, 'digest') as Digest)
}

/** @returns how many sealed files are needed */
export async function countNeededBlobs(sql: Sql): Promise<number> {
  const [row] = await sql.query(`select count(*) as count ${needed}`)
  return row === undefined ? 0 : integerOf(row, 'count')
}
