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
 * Reads a body, at most `limit` bytes of it.
 * @param response an answer whose body nobody has read
 * @param limit most bytes
 * @param tooLarge the error for more
 */
export async function readAtMost(
  response: Response,
  limit: number,
  tooLarge: () => BlobStoreError,
): Promise<Uint8Array> {
  const reader = response.body?.getReader()
  if (reader === undefined) return new Uint8Array(0)
  const parts: Uint8Array[] = []
  let size = 0
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length
    if (size > limit) {
      // Not awaited: a peer that keeps the connection open must not hold the answer back.
      reader.cancel().catch(() => undefined)
      throw tooLarge()
    }
    parts.push(part.value)
  }
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
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
