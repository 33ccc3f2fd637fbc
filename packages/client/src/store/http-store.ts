import type { BlobStore } from './blob-store.js'
import { objectStore } from './object-store.js'
import { storeTransport } from './store-transport.js'
import { isBusyStatus, parseStoreUrl, type TransportOptions } from './transport.js'

/** How to reach an HTTP blob store. */
export interface HttpBlobStoreOptions extends TransportOptions {
  /** Address under which blobs stand as `<url>/<64 hex digits>`; the locator never chooses the host. */
  readonly url: string
  /** Largest blob in bytes, enforced while the answer arrives. */
  readonly maximumBytes?: number
  /** Further request headers, for example an authorisation. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * A blob store behind plain HTTP: `PUT <url>/<hex>` and `GET <url>/<hex>`, with `Range` where the server knows it, and
 * `DELETE <url>/<hex>`. The
 * server is not trusted: the size is counted as bytes arrive, redirects are refused, and the digest is checked. A busy
 * server or a broken connection is tried again with growing pauses.
 * @param options address, limits, patience
 * @returns the store
 * @throws BlobStoreError `BLOB_STORE_FAILED` when the address is not http or https
 */
export function httpBlobStore(options: HttpBlobStoreOptions): BlobStore {
  const base = parseStoreUrl(options.url)
  return objectStore({
    name: 'http',
    maximumBytes: options.maximumBytes,
    transport: storeTransport(options, isBusyStatus),
    address: ({ hex, headers }) => ({ url: `${base}/${hex}`, headers: { ...options.headers, ...headers } }),
  })
}
