/**
 * Headers of contributions after their pool's key was given up: the new key in, the old one out. The blob stays as its owner stored it,
 * under the digest that stands on the chain; the node keeps the renewed header in its sealed state and reads the blob with it.
 * @module
 */
import { type Address, decodeBase64Url, encodeBase64Url } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import { integerOf } from '../state/column.js'
import { type ContributionRow, contributionColumns, readContribution } from '../state/contribution-table.js'
import { getMeta, setMeta } from '../state/meta-table.js'
import { isOfPolicy } from '../state/of-policy.js'
import type { Sql } from '../state/state-store.js'

const prefix = 'rewrapped header '
const headerSchema = z.strictObject({
  /** Of the key that opens it. */
  epoch: z.int().positive(),
  header: z.string().regex(/^[A-Za-z0-9_-]+$/),
})

/** A renewed header. */
export interface RewrappedHeader {
  /** Epoch of the key that opens it; the header itself names the one of sealing. */
  readonly epoch: number
  readonly header: Uint8Array
}

/** @returns the header of a contribution that was moved to another key; undefined when its own one counts */
export async function findRewrapped(sql: Sql, id: string): Promise<RewrappedHeader | undefined> {
  const text = await getMeta(sql, `${prefix}${id}`)
  if (text === undefined) return undefined
  const read = headerSchema.safeParse(JSON.parse(text))
  if (!read.success)
    throw new NodeError('STATE_UNREADABLE', `contribution ${id}`, 'its renewed header has another form')
  return { epoch: read.data.epoch, header: decodeBase64Url(read.data.header) }
}

/** Stores the header of a contribution under its new key. */
export async function saveRewrapped(sql: Sql, id: string, renewed: RewrappedHeader): Promise<void> {
  const { epoch, header } = renewed
  await setMeta(sql, `${prefix}${id}`, JSON.stringify({ epoch, header: encodeBase64Url(header) }))
}

/**
 * Contributions of older epochs that somebody may still have to open, and whose header is not of this epoch; what was sealed under an earlier policy
 * does not open under the present one's keys, and is moved when its policy is back. The database may look at values before
 * keys: those of other keys, which are no JSON, are kept from the cast.
 */
const due = `from contributions where pool = $1 and epoch < $2 and state in ('seen', 'judged', 'recorded', 'refined')
  and ${isOfPolicy} and not exists (select 1 from meta where key = '${prefix}' || contributions.id::text
    and case when key like '${prefix}%' then (value::json ->> 'epoch')::integer end >= $2)`

/** @returns how many of a pool's contributions are not at an epoch yet */
export async function countToRewrap(sql: Sql, pool: Address, epoch: number): Promise<number> {
  const [row] = await sql.query(`select count(*)::integer as count ${due}`, [pool, epoch])
  return row === undefined ? 0 : integerOf(row, 'count')
}

/** @returns the next of them after a contribution, at most `limit` */
export async function nextToRewrap(
  sql: Sql,
  options: {
    readonly pool: Address
    readonly epoch: number
    readonly after: string
    readonly limit: number
  },
): Promise<readonly ContributionRow[]> {
  const { pool, epoch, after, limit } = options
  const rows = await sql.query(
    `select ${contributionColumns} ${due} and id > $3::bigint order by contributions.id limit $4`,
    [pool, epoch, after, limit],
  )
  return rows.map(readContribution)
}
