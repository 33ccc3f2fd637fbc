/**
 * From a line on the chain to plaintext in memory: fetch, compare with the chain, open, compare with the commitment.
 * Every way to fail has a name, so that the contributor learns what to do and nobody else loses anything.
 * @module
 */
import { type BlobStore, BlobStoreError, parseOwnLocation } from '@sealpool/client'
import {
  CryptoError,
  hpkeIdentity,
  type KeyScope,
  openBytes,
  type PoolKey,
  parseHeader,
  sha256Digest,
  verifyCommitment,
} from '@sealpool/crypto'
import { withHeader } from '../incident/rewrap-contributions.js'
import type { RewrappedHeader } from '../incident/rewrapped-header.js'
import type { IngestRefusal } from '../state/contribution-state.js'
import type { ChainContribution } from '../state/contribution-table.js'
import { type JudgedPool, keyScope } from './served-pool.js'

/** What became of the attempt to open a contribution. */
export type OpenedContribution =
  | {
      readonly kind: 'opened'
      readonly bytes: Uint8Array
      readonly mediaType: string
      readonly blobSize: number
      readonly file: OpenedHeader
    }
  /** It will never open. `file`: present when it has the form of a sealed file. */
  | {
      readonly kind: 'refused'
      readonly code: IngestRefusal
      readonly place: string
      readonly file?: OpenedHeader | undefined
    }
  /** It may open later: the store is away, or has no such blob yet. */
  | { readonly kind: 'later'; readonly reason: 'BLOB_MISSING' | 'BLOB_STORE_FAILED' }

/** An attempt to open a contribution without what was in it: of these a whole batch may wait in memory. */
export type ClosedContribution =
  | {
      readonly kind: 'opened'
      readonly bytes?: never
      readonly mediaType: string
      readonly file?: OpenedHeader | undefined
    }
  | Exclude<OpenedContribution, { readonly kind: 'opened' }>

/** The header with which a file was opened, or was tried to be. */
export interface OpenedHeader {
  readonly header: Uint8Array
  /** Of the key that it is sealed to. */
  readonly epoch: number
}

/** What opening needs. */
export interface OpenContext {
  readonly blobStore: Pick<BlobStore, 'get'>
  readonly keys: { poolKey(scope: KeyScope): Pick<PoolKey, 'privateKey'> }
  readonly maximumBlobBytes: number
  /** The header of a contribution that was moved to another key; absent: none was. */
  readonly rewrapped?: (id: string) => Promise<RewrappedHeader | undefined>
}

/**
 * Fetches and opens one contribution.
 * @returns the plaintext, a refusal, or that it must be tried again later; it throws only what is the node's own fault
 */
export async function openContribution(
  contribution: ChainContribution,
  pool: Pick<JudgedPool, 'address' | 'chainId' | 'policyDigest' | 'keep'>,
  { blobStore, keys, maximumBlobBytes, rewrapped }: OpenContext,
): Promise<OpenedContribution> {
  let file: OpenedHeader | undefined
  const refused = (code: IngestRefusal, place: string): OpenedContribution => ({
    kind: 'refused',
    code,
    place,
    file,
  })
  if (pool.keep === 'live' && parseOwnLocation(contribution.locator) === undefined)
    return refused('OWN_STORE_REQUIRED', 'locator')
  let sealed: Uint8Array
  try {
    sealed = await blobStore.get(contribution.locator, { maximumBytes: maximumBlobBytes })
  } catch (error) {
    // A range is asked for by nobody here.
    if (!(error instanceof BlobStoreError) || error.code === 'BLOB_RANGE_INVALID') throw error
    if (error.code === 'BLOB_MISSING' || error.code === 'BLOB_STORE_FAILED') {
      return { kind: 'later', reason: error.code }
    }
    return refused(error.code, 'blob')
  }
  // The locator is the contributor's claim as well: only the digest on the chain binds what was contributed.
  if (sha256Digest(sealed) !== contribution.blobDigest) return refused('BLOB_DIGEST_MISMATCH', 'blobDigest')

  const renewed = await rewrapped?.(contribution.id)
  try {
    if (renewed !== undefined) sealed = withHeader(sealed, renewed.header)
    const { context, recipients, payloadOffset } = parseHeader(sealed)
    const epoch = renewed?.epoch ?? contribution.epoch
    file = { header: sealed.slice(0, payloadOffset), epoch }
    if (context.chainId !== pool.chainId || context.pool.toLowerCase() !== contribution.pool) {
      return refused('WRONG_POOL', 'context.pool')
    }
    if (context.policyDigest !== pool.policyDigest) return refused('WRONG_POLICY', 'context.policyDigest')
    if (context.epoch !== contribution.epoch) return refused('WRONG_EPOCH', 'context.epoch')
    if (context.commitment !== contribution.commitment)
      return refused('COMMITMENT_MISMATCH', 'context.commitment')
    const key = keys.poolKey(keyScope(pool, epoch))
    const { plaintext, commitmentSalt } = await openBytes(sealed, {
      identities: [hpkeIdentity({ privateKey: key.privateKey })],
      expect: {
        chainId: pool.chainId,
        pool: pool.address,
        policyDigest: pool.policyDigest,
        epoch: contribution.epoch,
        commitment: contribution.commitment,
      },
    })
    const isCommitted = verifyCommitment({
      root: contribution.commitment,
      bytes: plaintext,
      salt: commitmentSalt,
    })
    commitmentSalt.fill(0)
    if (!isCommitted) {
      plaintext.fill(0)
      return refused('COMMITMENT_MISMATCH', 'commitment')
    }
    // Who made the file named its owner as a recipient, under the file key's authentication. Without this, whoever sees a
    // blob could offer the same bytes from a wallet of his own before its owner does.
    if (!recipients.some(({ type, address }) => type === 'wallet' && address === contribution.owner)) {
      plaintext.fill(0)
      return refused('WRONG_OWNER', 'recipients')
    }
    return { kind: 'opened', bytes: plaintext, mediaType: context.mediaType, blobSize: sealed.length, file }
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    return refused(refusalOf(error), error.place)
  }
}

function refusalOf(error: CryptoError): IngestRefusal {
  switch (error.code) {
    case 'NO_MATCHING_IDENTITY':
      return 'NO_KEY_FOR_NODE'
    case 'CONTEXT_MISMATCH':
      return 'WRONG_POOL'
    case 'HEADER_REFUSED':
    case 'CHUNK_REFUSED':
    case 'WRAP_REFUSED':
    case 'TRUNCATED':
      return 'SEALED_FILE_TAMPERED'
    default:
      return 'SEALED_FILE_INVALID'
  }
}
