/**
 * Moves what a pool holds from keys that were given up to its present one.
 * @module
 */
import { BlobStoreError } from '@sealpool/client'
import {
  CryptoError,
  concatBytes,
  hpkeIdentity,
  hpkeRecipient,
  parseHeader,
  rewrapHeader,
  sha256Digest,
} from '@sealpool/crypto'
import type { IngestContext } from '../ingest/ingest-context.js'
import { keyScope, type ServedPool } from '../ingest/served-pool.js'
import { copiesOf } from '../own-copy/copies-of.js'
import type { ContributionRow } from '../state/contribution-table.js'
import { findRewrapped, nextToRewrap, saveRewrapped } from './rewrapped-header.js'

/** Contributions in one step. */
const atOnce = 50

/**
 * Renews the next headers of a pool. A blob that is away, or that was spoilt, is passed over and asked for again in the next round.
 * @param context its store, keys and blobs
 * @param pool whose contributions
 * @param epoch of the key that they are moved to
 * @param random a CSPRNG
 * @returns how many were renewed
 */
export async function rewrapContributions(
  context: Pick<IngestContext, 'store' | 'keys' | 'blobStore' | 'ownCopies' | 'settings'>,
  pool: ServedPool,
  epoch: number,
  random: (length: number) => Uint8Array,
): Promise<number> {
  const { store } = context
  let renewed = 0
  let after = '-1'
  while (renewed < atOnce) {
    const rows = await nextToRewrap(store, { pool: pool.address, epoch, after, limit: atOnce })
    if (rows.length === 0) return renewed
    for (const row of rows) {
      after = row.id
      const header = await renewedHeader(context, pool, { row, epoch, random })
      if (header === undefined) continue
      await store.transaction((tx) => saveRewrapped(tx, row.id, { epoch, header }))
      renewed += 1
    }
  }
  return renewed
}

async function renewedHeader(
  context: Pick<IngestContext, 'store' | 'keys' | 'blobStore' | 'ownCopies' | 'settings'>,
  pool: ServedPool,
  asked: {
    readonly row: ContributionRow
    readonly epoch: number
    readonly random: (length: number) => Uint8Array
  },
): Promise<Uint8Array | undefined> {
  const { store, keys, settings } = context
  const { row, epoch, random } = asked
  try {
    const sealed = await copiesOf(context, pool).get(row.locator, { maximumBytes: settings.maximumBlobBytes })
    if (sha256Digest(sealed) !== row.blobDigest) return undefined
    const before = await findRewrapped(store, row.id)
    const file = before === undefined ? sealed : withHeader(sealed, before.header)
    const from = keys.poolKey(keyScope(pool, before?.epoch ?? row.epoch))
    const header = await rewrapHeader(file.slice(0, parseHeader(file).payloadOffset), {
      identities: [hpkeIdentity({ privateKey: from.privateKey })],
      from: from.keyId,
      to: hpkeRecipient({ publicKey: keys.poolKey(keyScope(pool, epoch)).publicKey }),
      expect: { chainId: pool.chainId, pool: pool.address, policyDigest: pool.policyDigest },
      random,
    })
    return header
  } catch (error) {
    // It does not open under the old key either (its contributor's fault, which a verdict tells), or the store is away.
    if (error instanceof CryptoError || error instanceof BlobStoreError) return undefined
    throw error
  }
}

/** @returns the file with another header before the same payload */
export function withHeader(sealed: Uint8Array, header: Uint8Array): Uint8Array {
  return concatBytes(header, sealed.subarray(parseHeader(sealed).payloadOffset))
}
