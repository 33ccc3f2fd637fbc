import { type Digest, sha256Digest } from '@sealpool/crypto'
import { missing, requireDigest, requireSize } from './blob-check.js'
import {
  type BlobReadOptions,
  type BlobStore,
  defaultMaximumBlobBytes,
  parseBlobLocator,
} from './blob-store.js'
import { BlobStoreError } from './blob-store-error.js'

/** How to reach an HTTP blob store. */
export interface HttpBlobStoreOptions {
  /** Address under which blobs stand as `<url>/<64 hex digits>`; the locator never chooses the host. */
  readonly url: string
  /** Largest blob in bytes, enforced while the answer arrives. */
  readonly maximumBytes?: number
  /** Longest time for one request in milliseconds (default 30,000). */
  readonly timeoutMs?: number
  /** Further request headers, for example an authorisation. */
  readonly headers?: Readonly<Record<string, string>>
  /** Another fetch, for tests or a proxy. */
  readonly fetch?: typeof globalThis.fetch
}

/**
 * A blob store behind plain HTTP: `PUT <url>/<hex>` and `GET <url>/<hex>`. The server is not trusted: the size is
 * counted as bytes arrive, redirects are refused, and the digest is checked.
 * @param options address, limits
 * @returns the store
 * @throws BlobStoreError `BLOB_STORE_FAILED` when the address is not http or https
 */
export function httpBlobStore(options: HttpBlobStoreOptions): BlobStore {
  const limit = options.maximumBytes ?? defaultMaximumBlobBytes
  const timeoutMs = options.timeoutMs ?? 30_000
  const fetcher = options.fetch ?? globalThis.fetch
  const base = parseBase(options.url)

  async function request(
    hex: string,
    init: RequestInit,
    signal: AbortSignal,
    place: string,
  ): Promise<Response> {
    try {
      return await fetcher(`${base}/${hex}`, {
        ...init,
        headers: { ...options.headers, ...init.headers },
        redirect: 'error',
        signal,
      })
    } catch (cause) {
      throw unreachable(place, cause)
    }
  }

  return {
    name: 'http',
    async put(bytes) {
      requireSize(bytes.length, limit, 'put')
      const digest = sha256Digest(bytes)
      const { hex } = parseBlobLocator(digest)
      const body = new Blob([bytes.slice()], { type: 'application/octet-stream' })
      const response = await request(hex, { method: 'PUT', body }, AbortSignal.timeout(timeoutMs), digest)
      await response.body?.cancel()
      if (!response.ok) throw refused(digest, response.status)
      return { locator: digest, digest }
    },
    async get(locator: string, read: BlobReadOptions = {}) {
      const { digest, hex } = parseBlobLocator(locator)
      read.signal?.throwIfAborted()
      const timeout = AbortSignal.timeout(timeoutMs)
      const signal = read.signal === undefined ? timeout : AbortSignal.any([timeout, read.signal])
      const response = await request(hex, { method: 'GET' }, signal, digest)
      if (response.status === 404 || response.status === 410) {
        await response.body?.cancel()
        throw missing(digest)
      }
      if (!response.ok) {
        await response.body?.cancel()
        throw refused(digest, response.status)
      }
      const bytes = await readAtMost(response, Math.min(limit, read.maximumBytes ?? limit), digest)
      return requireDigest(bytes, digest)
    },
  }
}

function parseBase(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw new BlobStoreError('BLOB_STORE_FAILED', 'url', 'the store needs an http or https address')
  }
  parsed.search = ''
  parsed.hash = ''
  return parsed.href.replace(/\/+$/, '')
}

async function readAtMost(response: Response, limit: number, digest: Digest): Promise<Uint8Array> {
  const reader = response.body?.getReader()
  if (reader === undefined) return new Uint8Array(0)
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      size += value.length
      requireSize(size, limit, digest)
      parts.push(value)
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined)
    throw cause instanceof BlobStoreError ? cause : unreachable(digest, cause)
  }
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

function unreachable(place: string, cause: unknown): BlobStoreError {
  return new BlobStoreError('BLOB_STORE_FAILED', place, 'no complete answer in time; try again later', {
    cause,
  })
}

function refused(place: string, status: number): BlobStoreError {
  return new BlobStoreError(
    'BLOB_STORE_FAILED',
    place,
    `the store answered ${status}; check its address and rights`,
  )
}
