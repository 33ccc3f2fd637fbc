/**
 * Served pools as they may be used now: under their policies and every restriction that was added since.
 * @module
 */
import { type BlobStore, BlobStoreError } from '@sealpool/client'
import {
  type Address,
  canonicalBytes,
  type Digest,
  type JsonValue,
  parseCanonical,
  sha256Digest,
} from '@sealpool/crypto'
import type { ChainPort } from '../chain/chain-port.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import { JobPutOff, JobRefusal } from '../job/job-refusal.js'
import { addedAccess, narrowPolicy, type PolicyRestriction, policyRestrictionSchema } from './restriction.js'

/** What looking at restrictions needs. */
export interface RestrictionContext {
  readonly chain: Pick<ChainPort, 'pool'>
  readonly blobStore: BlobStore
}

/** Largest restriction in bytes. */
export const maximumRestrictionBytes = 64 * 1024

/**
 * Reads which restrictions the pools have now and narrows their policies.
 * @returns the pools, in order, with narrowed policies; digests and keys stay those of the policy that was voted on
 * @throws JobRefusal `POOL_STOPPED`; JobPutOff `RESTRICTION_UNKNOWN` when the document of a restriction is not to be had or
 * not understood: until it is, nothing runs
 */
export function narrowedPools<Pool extends PlannablePool>(
  context: RestrictionContext,
  pools: readonly Pool[],
): Promise<readonly Pool[]> {
  return Promise.all(pools.map((pool) => narrowedPool(context, pool)))
}

async function narrowedPool<Pool extends PlannablePool>(
  context: RestrictionContext,
  pool: Pool,
): Promise<Pool> {
  const restrictions = await restrictionsOf(context, pool.address)
  let policy = pool.policy
  for (const restriction of restrictions) {
    const narrowed = narrowPolicy(policy, restriction)
    if (narrowed === null) throw JobRefusal.of('POOL_STOPPED')
    policy = narrowed
  }
  if (restrictions.length === 0) return pool
  const accessAdded = addedAccess(restrictions)
  return { ...pool, policy, ...(accessAdded.length === 0 ? {} : { accessAdded }) }
}

/**
 * Reads what a pool's policy is narrowed by now.
 * @returns the restrictions, in the order of the chain
 * @throws JobPutOff `RESTRICTION_UNKNOWN`
 */
export async function restrictionsOf(
  context: RestrictionContext,
  pool: Address,
): Promise<readonly PolicyRestriction[]> {
  const { restrictions } = await context.chain.pool(pool)
  const documents: PolicyRestriction[] = []
  for (const digest of restrictions) documents.push(await loadRestriction(context.blobStore, digest))
  return documents
}

/** A restriction's document: canonical JSON whose SHA-256 is the digest on the chain, under that digest in the store. */
async function loadRestriction(blobStore: BlobStore, digest: Digest): Promise<PolicyRestriction> {
  const unknown = (cause?: unknown): JobPutOff =>
    new JobPutOff(
      'RESTRICTION_UNKNOWN',
      'a pool has narrowed its policy by a document that this node cannot get or read; upload it under its digest, or use a newer release',
      cause,
    )
  let bytes: Uint8Array
  try {
    bytes = await blobStore.get(digest, { maximumBytes: maximumRestrictionBytes })
  } catch (error) {
    if (error instanceof BlobStoreError) throw unknown(error)
    throw error
  }
  if (sha256Digest(bytes) !== digest) throw unknown()
  let json: JsonValue
  try {
    json = parseCanonical(bytes)
  } catch (error) {
    throw unknown(error)
  }
  const parsed = policyRestrictionSchema.safeParse(json)
  if (!parsed.success) throw unknown(parsed.error)
  return parsed.data
}

/**
 * Writes a restriction for publication. It is not checked here: nodes put off the pool's jobs when they cannot read it.
 * @param restriction - what the pool takes away from its policy
 * @returns `bytes`: canonical JSON for the blob store; `digest`: SHA-256 of them, its name there and on the chain
 */
export function encodeRestriction(restriction: PolicyRestriction): {
  readonly bytes: Uint8Array
  readonly digest: Digest
} {
  const bytes = canonicalBytes(restriction as unknown as JsonValue)
  return { bytes, digest: sha256Digest(bytes) }
}
