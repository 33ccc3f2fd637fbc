import { type Digest, sha256Digest } from '@sealpool/crypto'
import { limitedBytes } from '../limited-bytes.js'
import { missing, requireDigest, requireSize } from './blob-check.js'
import {
  type BlobRange,
  type BlobStore,
  defaultMaximumBlobBytes,
  parseBlobLocator,
  requireRange,
} from './blob-store.js'
import { BlobStoreError } from './blob-store-error.js'
import { discard, refused, type Transport } from './transport.js'

/** One request for one object: what an adapter adds address and rights to. */
export interface ObjectRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE'
  /** 64 hex digits: the object's name. */
  readonly hex: string
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the request's body, hex. */
  readonly bodyDigest: string
}

const emptyDigest = sha256Digest(new Uint8Array(0)).slice('sha256:'.length)

/**
 * A blob store over objects that are put and got whole or by range under their digest: what HTTP servers and S3 share.
 * @param options.name the adapter
 * @param options.maximumBytes largest blob
 * @param options.transport how to reach the server
 * @param options.address address and headers of a request
 */
export function objectStore(options: {
  readonly name: BlobStore['name']
  readonly maximumBytes: number | undefined
  readonly transport: Transport
  readonly address: (request: ObjectRequest) => {
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
  }
}): BlobStore {
  const { name, transport, address } = options
  const limit = options.maximumBytes ?? defaultMaximumBlobBytes

  function get<Result>(
    place: { readonly digest: Digest; readonly hex: string },
    read: { readonly headers: Readonly<Record<string, string>>; readonly signal?: AbortSignal | undefined },
    answer: (response: Response) => Promise<Result>,
  ): Promise<Result> {
    const { digest, hex } = place
    return transport(
      {
        place: digest,
        signal: read.signal,
        init: () => ({
          method: 'GET',
          ...address({ method: 'GET', hex, headers: read.headers, bodyDigest: emptyDigest }),
        }),
      },
      async (response) => {
        if (response.status === 404 || response.status === 410) {
          await discard(response)
          throw missing(digest)
        }
        return answer(response)
      },
    )
  }

  return {
    name,
    async put(given, write = {}) {
      requireSize(given.length, limit, 'put')
      // The caller's later changes must not reach a second try.
      const body = given.slice()
      const digest = sha256Digest(body)
      const { hex } = parseBlobLocator(digest)
      const headers = { 'content-type': 'application/octet-stream' }
      const init = () => ({
        method: 'PUT',
        body,
        ...address({ method: 'PUT', hex, headers, bodyDigest: hex }),
      })
      await transport({ place: digest, signal: write.signal, init }, async (response) => {
        await discard(response)
        if (!response.ok) throw refused(digest, response.status)
      })
      return { locator: digest, digest }
    },
    async get(locator, read = {}) {
      const place = parseBlobLocator(locator)
      const { digest } = place
      const most = Math.min(limit, read.maximumBytes ?? limit)
      const bytes = await get(place, { headers: {}, signal: read.signal }, (response) =>
        wholeBody(response, most, digest),
      )
      return requireDigest(bytes, digest)
    },
    async getRange(locator, range) {
      const place = parseBlobLocator(locator)
      requireRange(range, limit)
      const { start, length, signal } = range
      // A range header cannot ask for nothing: whether the blob is there is found out with one byte.
      const headers = { range: `bytes=${start}-${start + Math.max(1, length) - 1}` }
      return get(place, { headers, signal }, (response) => rangeBody(response, range, limit, place.digest))
    },
    async remove(locator, write = {}) {
      const { digest, hex } = parseBlobLocator(locator)
      const init = () => ({
        method: 'DELETE',
        ...address({ method: 'DELETE', hex, headers: {}, bodyDigest: emptyDigest }),
      })
      await transport({ place: digest, signal: write.signal, init }, async (response) => {
        await discard(response)
        const gone = response.status === 404 || response.status === 410
        if (!response.ok && !gone) throw refused(digest, response.status)
      })
    },
  }
}

async function wholeBody(response: Response, limit: number, digest: Digest): Promise<Uint8Array> {
  // 206 would be a part that nobody asked for.
  if (response.status !== 200) {
    await discard(response)
    throw refused(digest, response.status)
  }
  const tooLarge = () =>
    new BlobStoreError('BLOB_TOO_LARGE', digest, `the answer is larger than ${limit} bytes; raise the limit`)
  const announced = Number(response.headers.get('content-length') ?? 0)
  if (announced > limit) {
    await discard(response)
    throw tooLarge()
  }
  return limitedBytes(response, limit, tooLarge)
}

async function rangeBody(
  response: Response,
  { start, length }: BlobRange,
  limit: number,
  digest: Digest,
): Promise<Uint8Array> {
  if (response.status === 416) {
    await discard(response)
    return new Uint8Array(0)
  }
  if (response.status === 200) {
    // A server without ranges sent everything: then everything can be checked.
    const bytes = requireDigest(await wholeBody(response, limit, digest), digest)
    return bytes.slice(start, start + length)
  }
  if (response.status !== 206) {
    await discard(response)
    throw refused(digest, response.status)
  }
  const wrong = () =>
    new BlobStoreError('BLOB_STORE_FAILED', digest, 'the store sent another range than was asked for')
  const [, first, last, total] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(response.headers.get('content-range') ?? '') ?? []
  const wanted = total === '*' ? undefined : Math.min(start + Math.max(1, length), Number(total)) - 1
  if (Number(first) !== start || (wanted !== undefined && Number(last) !== wanted)) {
    await discard(response)
    throw wrong()
  }
  const size = Number(last) - start + 1
  if (size > Math.max(1, length)) {
    await discard(response)
    throw wrong()
  }
  const bytes = await limitedBytes(response, size, wrong)
  if (bytes.length !== size) throw wrong()
  return bytes.subarray(0, length)
}
