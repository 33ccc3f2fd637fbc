export {
  type BlobRange,
  type BlobReadOptions,
  type BlobStore,
  type BlobWriteOptions,
  defaultMaximumBlobBytes,
  parseBlobLocator,
  type StoredBlob,
} from './blob-store.js'
export { BlobStoreError, type BlobStoreErrorCode } from './blob-store-error.js'
export { type HttpBlobStoreOptions, httpBlobStore } from './http-store.js'
export { memoryBlobStore } from './memory-store.js'
export { formatOwnLocation, type OwnLocation, parseOwnLocation } from './own-location.js'
export {
  type ReplicaState,
  type ReplicatedBlobStore,
  replicatedBlobStore,
} from './replicated-store.js'
export type { TransportOptions } from './transport.js'
