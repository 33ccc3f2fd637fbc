import { BlobStoreError } from '@sealpool/client'
import { type JobManifest, manifestDigest, parseJobManifest } from '@sealpool/compute'
import { type Address, type JsonValue, parseCanonical } from '@sealpool/crypto'
import type { ServedPool } from '../ingest/served-pool.js'
import { narrowedPools, type RestrictionContext } from '../policy/narrowed-pools.js'
import { resultRecipient } from '../release/seal-result.js'
import type { ChainJob, JobRow } from '../state/job-table.js'
import { noteBlob } from '../state/meta-table.js'
import type { JobContext } from './job-context.js'
import { JobPutOff, JobRefusal } from './job-refusal.js'

/** @returns a job's manifest for those who vote on it or verify it; null when it cannot be had: its proposer decides where it lies */
export async function manifestOf(context: JobContext, row: JobRow): Promise<JsonValue | null> {
  if (row.manifest !== null) return row.manifest
  try {
    return (await loadManifest(context, row)) as unknown as JsonValue
  } catch {
    return null
  }
}

/** Largest manifest in bytes. */
export const maximumManifestBytes = 256 * 1024

/**
 * Fetches a job's manifest and compares it with what stands on the chain.
 * @returns the manifest whose digest the pools voted on
 * @throws JobRefusal `MANIFEST_...`; JobPutOff when the store is away
 */
export async function loadManifest(context: JobContext, job: ChainJob): Promise<JobManifest> {
  let bytes: Uint8Array
  try {
    bytes = await context.blobStore.get(job.locator, { maximumBytes: maximumManifestBytes })
  } catch (error) {
    if (!(error instanceof BlobStoreError)) throw error
    if (error.code === 'BLOB_STORE_FAILED') {
      throw new JobPutOff(
        'BLOB_STORE_FAILED',
        'the blob store does not answer; the manifest is asked for again',
        error,
      )
    }
    throw JobRefusal.of(
      error.code === 'BLOB_MISSING' ? 'MANIFEST_MISSING' : 'MANIFEST_DIGEST_MISMATCH',
      error,
    )
  }
  const manifest = readManifest(bytes)
  if (manifestDigest(manifest) !== job.manifestDigest) throw JobRefusal.of('MANIFEST_DIGEST_MISMATCH')
  const named = manifest.pools.map(({ address }) => address.toLowerCase())
  if (
    named.length !== job.pools.length ||
    !job.pools.every((pool, index) => named[index] === pool.toLowerCase())
  ) {
    throw JobRefusal.of('MANIFEST_POOLS_DIFFER')
  }
  if (manifest.consumer.address.toLowerCase() !== job.consumer.toLowerCase()) {
    throw JobRefusal.of('MANIFEST_CONSUMER_DIFFERS')
  }
  await noteBlob(context.store, { digest: job.manifestDigest, purpose: 'manifest', size: bytes.length })
  return manifest
}

function readManifest(bytes: Uint8Array): JobManifest {
  try {
    const manifest = parseJobManifest(parseCanonical(bytes))
    requireResultKeys(manifest)
    return manifest
  } catch (error) {
    throw error instanceof JobRefusal ? error : JobRefusal.of('MANIFEST_INVALID', error)
  }
}

/**
 * Once the job is charged it would be too late: what cannot be sealed to a recipient could never be released.
 * @throws JobRefusal `MANIFEST_INVALID` for a key of the consumer or of a recipient to which nothing can be sealed
 */
export function requireResultKeys({ consumer, views }: Pick<JobManifest, 'consumer' | 'views'>): void {
  try {
    for (const { resultKey } of [consumer, ...(views?.others ?? [])])
      if (resultKey !== null) resultRecipient(resultKey.publicKey)
  } catch (error) {
    throw JobRefusal.of('MANIFEST_INVALID', error)
  }
}

/**
 * The served pools of a manifest, in its order, narrowed by every restriction that the chain shows now.
 * @throws JobRefusal `POOL_NOT_SERVED`, `POOL_STOPPED`, `PURPOSE_NOT_ALLOWED`; JobPutOff `RESTRICTION_UNKNOWN`
 */
export async function poolsOf(
  context: RestrictionContext & { readonly pools: ReadonlyMap<Address, ServedPool> },
  manifest: JobManifest,
): Promise<readonly ServedPool[]> {
  const served = manifest.pools.map(({ address, name }) => {
    const pool = context.pools.get(address.toLowerCase() as Address)
    if (pool === undefined || pool.name !== name) throw JobRefusal.of('POOL_NOT_SERVED')
    return pool
  })
  const narrowed = await narrowedPools(context, served)
  requirePurpose(narrowed, manifest)
  return narrowed
}

/** @throws JobRefusal `PURPOSE_NOT_ALLOWED` unless every pool allows what the manifest is for */
export function requirePurpose(
  pools: readonly Pick<ServedPool, 'policy'>[],
  { purpose }: Pick<JobManifest, 'purpose'>,
): void {
  if (pools.every(({ policy }) => policy.purposes.includes(purpose))) return
  throw JobRefusal.of('PURPOSE_NOT_ALLOWED')
}
