/** Opens the blob store that the settings name. */
import {
  type BlobStore,
  httpBlobStore,
  type ReplicatedBlobStore,
  replicatedBlobStore,
} from '@sealpool/client'
import { fileBlobStore } from '@sealpool/client/file-store'
import { ipfsBlobStore } from '@sealpool/client/ipfs-store'
import { s3BlobStore } from '@sealpool/client/s3-store'
import type { BlobStoreSettings } from '../config/blob-store-settings.js'
import type { NodeConfig } from '../config/node-config.js'
import type { NodeSecrets } from '../config/secrets.js'
import { NodeError } from '../errors.js'

/**
 * @param config which store, and the largest blob that the node takes
 * @param secrets keys of an S3 store
 * @returns the store
 * @throws NodeError `SECRET_MISSING`; BlobStoreError `BLOB_STORE_FAILED` for settings that the store refuses
 */
export function openBlobStore(
  config: Pick<NodeConfig, 'blobStore' | 'ingest'>,
  secrets: Pick<NodeSecrets, 's3'>,
): BlobStore | ReplicatedBlobStore {
  const { blobStore } = config
  const { maximumBlobBytes } = config.ingest
  if (blobStore.kind !== 'replicated') return openSingle(blobStore, maximumBlobBytes, secrets)
  const { stores, patienceMs } = blobStore
  return replicatedBlobStore({
    stores: stores.map((store) => openSingle(store, maximumBlobBytes, secrets)),
    patienceMs,
  })
}

/** @returns whether a store is one of several, whose replicas can be audited */
export function isReplicated(store: BlobStore | ReplicatedBlobStore): store is ReplicatedBlobStore {
  return 'audit' in store
}

function openSingle(
  blobStore: Exclude<BlobStoreSettings, { readonly kind: 'replicated' }>,
  maximumBytes: number,
  secrets: Pick<NodeSecrets, 's3'>,
): BlobStore {
  switch (blobStore.kind) {
    case 'files':
      return fileBlobStore({ directory: blobStore.directory, maximumBytes })
    case 'http':
      return httpBlobStore({ url: blobStore.url, maximumBytes })
    case 'ipfs': {
      const { kind: _, ...options } = blobStore
      return ipfsBlobStore({ ...options, maximumBytes })
    }
    case 's3': {
      const { kind: _, ...options } = blobStore
      if (secrets.s3 === null) {
        throw new NodeError(
          'SECRET_MISSING',
          'AWS_ACCESS_KEY_ID',
          'an S3 store needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment or "s3" in the secrets file',
        )
      }
      return s3BlobStore({ ...options, credentials: secrets.s3, maximumBytes })
    }
  }
}
