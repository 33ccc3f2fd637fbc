/**
 * The bytes of programs, as pools have voted for them: from the pool's blob store, which is not trusted.
 * @module
 */
import { type BlobStore, BlobStoreError } from '@sealpool/client'
import { type Digest, sha256Digest } from '@sealpool/crypto'
import { JobPutOff, JobRefusal } from '../job/job-refusal.js'
import { lately } from '../release/lately.js'

/** Largest program in bytes. */
export const maximumProgramBytes = 8 * 1024 * 1024

/** How many programs stay in memory: a job that waits for blocks asks for its code at every try. They are no secret. */
const kept = 4

/** Gives a program's bytes by their digest. */
export type ProgramCodes = (digest: Digest) => Promise<Uint8Array>

/**
 * Opens the programs of a store.
 * @returns gives a program's bytes, whose digest is the one that was asked for; it throws JobRefusal `PROGRAM_MISSING`,
 * `PROGRAM_DIGEST_MISMATCH`, `PROGRAM_TOO_LARGE`, and JobPutOff `BLOB_STORE_FAILED` when the store is away
 */
export function programCodes(blobStore: Pick<BlobStore, 'get'>): ProgramCodes {
  const remembered = lately<Uint8Array>(kept)
  return (digest) => remembered(digest, () => fetchProgram(blobStore, digest))
}

async function fetchProgram(blobStore: Pick<BlobStore, 'get'>, digest: Digest): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    bytes = await blobStore.get(digest, { maximumBytes: maximumProgramBytes })
  } catch (error) {
    if (!(error instanceof BlobStoreError)) throw error
    if (error.code === 'BLOB_STORE_FAILED') {
      const text = 'the blob store does not answer; the program is asked for again'
      throw new JobPutOff('BLOB_STORE_FAILED', text, error)
    }
    if (error.code === 'BLOB_MISSING') throw JobRefusal.of('PROGRAM_MISSING', error)
    if (error.code === 'BLOB_TOO_LARGE') throw JobRefusal.of('PROGRAM_TOO_LARGE', error)
    throw JobRefusal.of('PROGRAM_DIGEST_MISMATCH', error)
  }
  // The store may be anybody's: what runs is what the vote named, or nothing.
  if (sha256Digest(bytes) !== digest) throw JobRefusal.of('PROGRAM_DIGEST_MISMATCH')
  if (bytes.length > maximumProgramBytes) throw JobRefusal.of('PROGRAM_TOO_LARGE')
  return bytes
}
