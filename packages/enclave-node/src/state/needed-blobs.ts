/**
 * Blobs in the blob store that the node needs and did not make: what replicas are held against.
 * @module
 */
import type { Digest } from '@sealpool/crypto'
import { integerOf, textOrNull } from './column.js'
import { isLive } from './kept-as.js'
import type { Sql } from './state-store.js'

/**
 * Sealed files: only what this node has opened as its pool's, so that nobody has it copy blobs about that he merely names.
 */
const sealedFile = `select digest from blobs where purpose = 'contribution' and exists (select 1 from contributions
  where blob_digest = blobs.digest and state not in ('withdrawn', 'refused') and not ${isLive('contributions.pool')})`

/**
 * Manifests of jobs that are paid for and not run: every try reads them. Their pools have voted on these very bytes, so that they are not just
 * anybody's; what a contributor has taken back does not come back under another name.
 */
const manifest = `select manifest_digest as digest from jobs where not detached
  and state in ('waiting', 'running') and chain_state in ('Funded', 'Assigned', 'Running')
  and locator = manifest_digest and not exists (select 1 from contributions where blob_digest = manifest_digest)`

/** @returns the needed sealed file or manifest after `after` by digest, or undefined when that was the last */
export async function nextNeededBlob(sql: Sql, after: string): Promise<Digest | undefined> {
  const [row] = await sql.query(
    `select least(
       (select digest from (${sealedFile}) as file where digest > $1 order by digest limit 1),
       (select min(digest) from (${manifest}) as document where digest > $1)) as digest`,
    [after],
  )
  return row === undefined ? undefined : ((textOrNull(row, 'digest') as Digest | null) ?? undefined)
}

/** @returns how many sealed files and manifests are needed */
export async function countNeededBlobs(sql: Sql): Promise<number> {
  const [row] = await sql.query(
    `select (select count(*) from (${sealedFile}) as file) + (select count(distinct digest) from (${manifest}) as document) as count`,
  )
  return row === undefined ? 0 : integerOf(row, 'count')
}

/** @returns whether a job needs the blob as its manifest, so that a replica of it is written anew */
export async function isManifestNeeded(sql: Sql, digest: Digest): Promise<boolean> {
  const [row] = await sql.query(
    `select 1 as found from (${manifest}) as document where digest = $1 limit 1`,
    [digest],
  )
  return row !== undefined
}

/** @returns of some digests those that are no contribution's: what an owner has taken back comes back under no other name */
export async function noContributions(sql: Sql, digests: readonly Digest[]): Promise<readonly Digest[]> {
  const rows = await sql.query(
    `select blob_digest from contributions where blob_digest = any (string_to_array($1, ' '))`,
    [digests.join(' ')],
  )
  const taken = new Set(rows.map((row) => textOrNull(row, 'blob_digest')))
  return digests.filter((digest) => !taken.has(digest))
}
