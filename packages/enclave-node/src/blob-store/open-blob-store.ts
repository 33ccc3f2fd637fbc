/** Opens the blob store that the settings name. */
import { type BlobStore, httpBlobStore } from '@sealpool/client'
import { fileBlobStore } from '@sealpool/client/file-store'
import { ipfsBlobStore } from '@sealpool/client/ipfs-store'
import { s3BlobStore } from '@sealpool/client/s3-store'
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
): BlobStore {
  const { blobStore } = config
  const maximumBytes = config.ingest.maximumBlobBytes
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
