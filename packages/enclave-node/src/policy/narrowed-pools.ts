/**
 * Served pools as they may be used now: under their policies and every restriction that was added since.
 * @module
 */
import { type BlobStore, BlobStoreError } from '@sealpool/client'
import { canonicalBytes, type Digest, type JsonValue, parseCanonical, sha256Digest } from '@sealpool/crypto'
import type { ChainPort } from '../chain/chain-port.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { JobPutOff, JobRefusal } from '../job/job-refusal.js'
import { narrowPolicy, type PolicyRestriction, policyRestrictionSchema } from './restriction.js'

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
export function narrowedPools(
  context: RestrictionContext,
  pools: readonly ServedPool[],
): Promise<readonly ServedPool[]> {
  return Promise.all(pools.map((pool) => narrowedPool(context, pool)))
}

async function narrowedPool(context: RestrictionContext, pool: ServedPool): Promise<ServedPool> {
  const { restrictions } = await context.chain.pool(pool.address)
  let policy = pool.policy
  for (const digest of restrictions) {
    const narrowed = narrowPolicy(policy, await loadRestriction(context.blobStore, digest))
    if (narrowed === null) throw JobRefusal.of('POOL_STOPPED')
    policy = narrowed
  }
  return restrictions.length === 0 ? pool : { ...pool, policy }
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
