/** Opens the blob store that the settings name. */
import { type BlobStore, httpBlobStore } from '@sealpool/client'
import { fileBlobStore } from '@sealpool/client/file-store'
import type { NodeConfig } from '../config/node-config.js'

/**
 * @param config which store, and the largest blob that the node takes
 * @returns the store
 */
export function openBlobStore(config: Pick<NodeConfig, 'blobStore' | 'ingest'>): BlobStore {
  const { blobStore } = config
  const maximumBytes = config.ingest.maximumBlobBytes
  return blobStore.kind === 'files'
    ? fileBlobStore({ directory: blobStore.directory, maximumBytes })
    : httpBlobStore({ url: blobStore.url, maximumBytes })
}
