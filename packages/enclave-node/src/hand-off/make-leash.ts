/**
 * What a home node gives to a running node: its tables under keys of this job, and the leash that goes with them.
 * @module
 */
import {
  type Address,
  decodeHex,
  deriveKeyPair,
  encodeBase64Url,
  type JsonObject,
  type KeyPair,
} from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import { type NamedTable, RefineError, tableOf } from '@sealpool/refine'
import type { JobContext } from '../job/job-context.js'
import { JobRefusal } from '../job/job-refusal.js'
import { jsonObject } from '../json-object.js'
import type { JobKey } from '../key/job-keys.js'
import { restrictionsOf } from '../policy/narrowed-pools.js'
import type { HandOffVisit } from './hand-off-visit.js'
import { type Leash, maximumFiles, type TransferFile } from './leash.js'
import { slotOf } from './shard.js'
import type { TransferFiles } from './transfer-files.js'

/** What a leash is made with. */
export interface LeashContext extends Pick<JobContext, 'chain' | 'blobStore' | 'keys'> {
  /** The pools' policies as their digests on the chain are over them. */
  readonly policies: ReadonlyMap<Address, JsonObject>
}

/** A key of this transfer for one purpose: the same at every visit, so that what was sent is not sent again. */
function secretOf({ bytes: key }: JobKey, purpose: 'table-key' | 'answer-key'): Uint8Array {
  const domain = `job-hand-off/${purpose}`
  return decodeHex(`0x${keyedFingerprint({ key, domain, data: new Uint8Array() })}`)
}

/** The key pair to which a running node seals its answer; its private key is the caller's to overwrite. */
export function answerKeys(key: JobKey): KeyPair {
  const seed = secretOf(key, 'answer-key')
  const pair = deriveKeyPair(seed)
  seed.fill(0)
  return pair
}

/**
 * Brings the job's tables under a key of this transfer: whole, or the rows of a shard's contributors.
 * @returns the files, as they lie in the transfer's folder from number 1 on
 * @throws JobRefusal `EXECUTION_FAILED` when they are too many, or one is damaged
 */
export async function prepareParts(
  files: TransferFiles,
  { job, shard, material }: Pick<HandOffVisit, 'job' | 'shard' | 'material'>,
  jobKey: JobKey,
): Promise<readonly TransferFile[]> {
  const toKey = secretOf(jobKey, 'table-key')
  const slot = slotOf(job.id, shard)
  const deal = await shard?.deal()
  const parts: TransferFile[] = []
  for (const { pool, table, paths, key } of material.tables) {
    const named = tableOf(pool.refiner.schema, table)
    const columns = columnsOf(named)
    for (const path of paths) {
      if (parts.length + 2 > maximumFiles) {
        throw JobRefusal.of('EXECUTION_FAILED', new RangeError('a hand-off has too many files'))
      }
      const file = parts.length + 1
      const part =
        deal === undefined || shard === undefined
          ? files.rekey(slot, file, { path, columns, fromKey: key, toKey })
          : files.select(slot, file, {
              path,
              table: named,
              fromKey: key,
              toKey,
              takes: (contributor) => shardOf(deal, contributor) === shard.index,
            })
      parts.push(await part.catch(damaged))
    }
  }
  toKey.fill(0)
  return parts
}

/**
 * Reads who has rows in the tables of a job.
 * @param files reads them
 * @param material of the job
 * @returns the contributors' numbers, each once
 * @throws JobRefusal `EXECUTION_FAILED` when a file is damaged
 */
export async function contributorsOf(
  files: Pick<TransferFiles, 'contributors'>,
  { tables }: Pick<HandOffVisit['material'], 'tables'>,
): Promise<ReadonlySet<number>> {
  const all = new Set<number>()
  for (const { pool, table, paths, key } of tables) {
    const columns = columnsOf(tableOf(pool.refiner.schema, table))
    for (const path of paths) {
      const some = await files.contributors({ path, columns, key }).catch(damaged)
      for (const one of some) all.add(one)
    }
  }
  return all
}

/** How many columns a file of a table has, `contributor` included. */
function columnsOf({ columns }: NamedTable): number {
  return 1 + Object.keys(columns).length
}

/** Rows of somebody to whom no shard was dealt would be in none: the file is another one than when it was dealt. */
function shardOf(deal: ReadonlyMap<number, number>, contributor: number): number {
  const shard = deal.get(contributor)
  if (shard === undefined)
    throw new RefineError(
      'PARQUET_READ_FAILED',
      'contributor',
      'The file has rows of somebody else than before',
    )
  return shard
}

/** A part that is missing or damaged ends the job as it does when it runs here. */
function damaged(cause: unknown): never {
  if (cause instanceof RefineError && cause.code === 'PARQUET_READ_FAILED')
    throw JobRefusal.of('EXECUTION_FAILED', cause)
  throw cause
}

/** @returns the leash of a transfer, under the restrictions that the chain shows now */
export async function leashOf(
  context: LeashContext,
  { job, manifest, planned, shard, material }: HandOffVisit,
  transfer: { readonly key: JobKey; readonly id: string; readonly parts: readonly TransferFile[] },
): Promise<Leash> {
  let file = 0
  const tables = material.tables.map(({ name, paths }) => ({ name, files: paths.map(() => ++file) }))
  const pools = await Promise.all(
    manifest.pools.map(async ({ address }) => {
      const policy = context.policies.get(address)
      if (policy === undefined) throw new RangeError('a pool of a job is served')
      const restrictions = await restrictionsOf(context, address)
      return { address, policy, restrictions: restrictions.map((one) => jsonObject(one)) }
    }),
  )
  return {
    format: 'sealpool/hand-off-leash',
    version: 1,
    transfer: transfer.id,
    job: job.id,
    home: context.keys.statementAddress,
    manifest: jsonObject(manifest),
    plan: planned.planDigest,
    pools,
    tables,
    files: [...transfer.parts],
    tableKey: encodeBase64Url(secretOf(transfer.key, 'table-key')),
    ...(shard === undefined
      ? { noise: encodeBase64Url(material.noise) }
      : { shard: { index: shard.index, of: shard.of } }),
    pseudonyms: encodeBase64Url(material.pseudonyms),
    answerKey: encodeBase64Url(answerKeys(transfer.key).publicKey),
    expiresAt: manifest.handOff?.expiresAt ?? 0,
  }
}
