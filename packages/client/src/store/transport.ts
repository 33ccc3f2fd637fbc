import { BlobStoreError } from './blob-store-error.js'

/** How patient an adapter is with its server. */
export interface TransportOptions {
  /** Longest time for one try in milliseconds, from its start to the last byte; default 30,000. */
  readonly timeoutMs?: number
  /** How often a request is tried while the server is busy or the connection breaks; default 3. */
  readonly attempts?: number
  /** Milliseconds before the second try; they double with each further one, up to 5 s; default 200. */
  readonly retryDelayMs?: number
  /** Another fetch, for tests or a proxy. */
  readonly fetch?: typeof globalThis.fetch
}

/** One request; `init` is made anew for every try, since a signature holds a time. */
export interface TransportRequest {
  readonly place: string
  readonly init: () => { readonly url: string } & Omit<RequestInit, 'signal' | 'redirect'>
  readonly signal?: AbortSignal | undefined
}

/** Sends a request and reads its answer; the answer is read within the try, so that a body that breaks off is tried again. */
export type Transport = <Result>(
  request: TransportRequest,
  read: (response: Response) => Promise<Result>,
) => Promise<Result>

/** Statuses of plain HTTP and S3 that may pass when tried again. */
export function isBusyStatus(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500
}

/** The error for an answer that is a no. */
export function refused(place: string, status: number): BlobStoreError {
  return new BlobStoreError(
    'BLOB_STORE_FAILED',
    place,
    `the store answered ${status}; check its address, its rights and the clock`,
  )
}

/** Lets an answer's body go. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined)
}

/**
 * Reads a store's base address.
 * @param text http or https
 * @returns the address without a slash at its end
 * @throws BlobStoreError `BLOB_STORE_FAILED`
 */
export function parseStoreUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new BlobStoreError('BLOB_STORE_FAILED', 'url', 'the store needs an http or https address')
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new BlobStoreError(
      'BLOB_STORE_FAILED',
      'url',
      'give the address without user, query and fragment; rights go into headers or credentials',
    )
  }
  return url.href.replace(/\/+$/, '')
}
