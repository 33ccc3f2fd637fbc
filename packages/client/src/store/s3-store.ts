/**
 * Blobs as objects of an S3 bucket, of Amazon's or anybody's who speaks its API.
 * @module
 */
import type { BlobStore } from './blob-store.js'
import { BlobStoreError } from './blob-store-error.js'
import { objectStore } from './object-store.js'
import { type S3Credentials, signS3Request } from './s3-signature.js'
import { storeTransport } from './store-transport.js'
import { isBusyStatus, parseStoreUrl, type TransportOptions } from './transport.js'

export type { S3Credentials } from './s3-signature.js'

/** How to reach a bucket. */
export interface S3BlobStoreOptions extends TransportOptions {
  /** For example `https://s3.eu-central-1.amazonaws.com` or `http://127.0.0.1:9000`. */
  readonly endpoint: string
  readonly bucket: string
  /** For example `eu-central-1`; servers that have none take `us-east-1`. */
  readonly region: string
  /** Keys, or where to get them before every request (temporary ones run out). */
  readonly credentials: S3Credentials | (() => S3Credentials)
  /** Put before the blob's name, for example `pool/`; letters, digits and `-_./`. */
  readonly prefix?: string
  /** `true`: the bucket is part of the host name, as Amazon wants it of new buckets; default: the first part of the path. */
  readonly virtualHost?: boolean
  /** Largest blob in bytes, enforced while the answer arrives; default 64 MiB. */
  readonly maximumBytes?: number
  /** The clock that requests are signed by; default: the platform's. */
  readonly now?: () => Date
}

/**
 * A blob store in an S3 bucket: one object for each blob, named by its digest. Requests are signed (Signature Version 4)
 * with the body's SHA-256, which the server checks as well; reads are checked against the digest here. Needs the rights
 * `s3:PutObject`, `s3:GetObject`, `s3:DeleteObject` where blobs are to go again and, to tell a missing blob from a forbidden one,
 * `s3:ListBucket`. A bucket that keeps versions keeps those of a removed blob: give it a rule that ends them.
 * @param options bucket, keys, limits, patience
 * @returns the store
 * @throws BlobStoreError `BLOB_STORE_FAILED` when an option cannot be right; no message holds a key
 */
export function s3BlobStore(options: S3BlobStoreOptions): BlobStore {
  const { bucket, region, prefix = '', now = () => new Date() } = options
  const endpoint = new URL(parseStoreUrl(options.endpoint))
  demand(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket), 'bucket', 'an S3 bucket’s name')
  demand(/^[a-z0-9-]{1,64}$/.test(region), 'region', 'a region, such as eu-central-1')
  const ascends = prefix.split('/').some((part) => part === '..' || part === '.')
  demand(
    /^[A-Za-z0-9._/-]{0,256}$/.test(prefix) && !ascends && !prefix.startsWith('/'),
    'prefix',
    'letters, digits and -_./',
  )

  if (options.virtualHost === true) endpoint.hostname = `${bucket}.${endpoint.hostname}`
  const folder = options.virtualHost === true ? '' : `/${bucket}`
  const base = `${endpoint.href.replace(/\/+$/, '')}${folder}`
  return objectStore({
    name: 's3',
    maximumBytes: options.maximumBytes,
    transport: storeTransport(options, isBusyStatus),
    address: ({ method, hex, headers, bodyDigest }) => {
      const url = new URL(`${base}/${prefix}${hex}`)
      const credentials =
        typeof options.credentials === 'function' ? options.credentials() : options.credentials
      return {
        url: url.href,
        headers: signS3Request({ method, url, headers, bodyDigest }, { region, credentials, at: now() }),
      }
    },
  })
}

function demand(holds: boolean, place: string, what: string): void {
  if (!holds) throw new BlobStoreError('BLOB_STORE_FAILED', place, `expected ${what}`)
}
